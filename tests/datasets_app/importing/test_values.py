"""Cells read as types: the quick way to compact JSON gives what the strict parser does."""

from __future__ import annotations

import json as standard

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.importing.values import BadValue, compact, reader, text_reader
from evalhub.kit import json

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc\u2028é"), inner)
)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_compact_is_what_the_strict_parser_reads_and_writes(
    value: object, ascii_only: bool, indent: int | None
) -> None:
    cell = standard.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert compact(cell) == json.dumps(json.loads(cell))


@pytest.mark.parametrize(
    "cell", ["-0", "1E5", "1e-7", "0.1", "123456789012345678901", ' {"a":1,"b":2,"a":3} ', "1.0"]
)
def test_numbers_and_doubled_names_are_kept_as_they_are_elsewhere(cell: str) -> None:
    assert compact(cell) == json.dumps(json.loads(cell))


@pytest.mark.parametrize(
    "cell", ["NaN", "[" * 101 + "]" * 101, '"\\u0000"', '"\\ud800"', "1" * 401]
)
def test_what_cannot_be_kept_is_refused(cell: str) -> None:
    with pytest.raises(BadValue, match="Not valid JSON"):
        compact(cell)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ('{"a": 1,}', "Not valid JSON, at character 8: a comma too many."),
        ('{"a": 1\n"b": 2}', "Not valid JSON, at line 2 of the cell, character 1: a comma"),
    ],
)
def test_a_fault_is_placed_in_the_cell_in_other_words_than_the_row_in_the_file(
    cell: str, reason: str
) -> None:
    with pytest.raises(BadValue) as caught:
        compact(cell)
    assert caught.value.reason.startswith(reason)


@pytest.mark.parametrize(
    ("read_as", "cell", "suggestion"),
    [
        ("number", "1,234,567", "Did you mean 1234567?"),
        (
            "number",
            "3,14",
            "Did you mean 3.14? Or read the column as numbers with a decimal comma.",
        ),
        ("number", "1.234,5", "Read the column as numbers with a decimal comma."),
        ("decimal_comma", "3.14", "Did you mean 3,14?"),
        ("decimal_comma", "1,234.5", ""),
        ("decimal_comma", "1.23,4", ""),
        ("number", "€ 12", "Did you mean 12?"),
        ("number", "85 %", "Did you mean 85?"),
        ("number", "2 of 4", ""),
        ("number", "high", ""),
        ("boolean", "ture", "Did you mean true?"),
        ("boolean", "off", "Did you mean false?"),
        ("boolean", "maybe", ""),
        ("json", "{'a': None}", 'It is written as in Python. Did you mean {"a":null}?'),
        ("json", '{"a": 1 "b": 2}', ""),
    ],
)
def test_what_was_meant_is_proposed_where_that_is_sure(
    read_as: str, cell: str, suggestion: str
) -> None:
    with pytest.raises(BadValue) as caught:
        reader(read_as)(cell)  # type: ignore[arg-type]
    assert caught.value.suggestion == suggestion


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("12,5", "12.5"),
        ("-1.234,56", "-1234.56"),
        ("1\u00a0234\u00a0567,0", "1234567.0"),
        (" 7 ", "7"),
        ("1.234", "1234"),
        ("", None),
    ],
)
def test_numbers_with_a_decimal_comma_are_read(cell: str, number: str | None) -> None:
    assert text_reader("decimal_comma")(cell) == number
