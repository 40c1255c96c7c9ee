"""Exports come back through the importer's own rules as they went out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app import exchange
from datasets_app.exporting import ExportRow, exported, file_name
from datasets_app.items import ItemContent, parse_item
from evalhub.kit.json import dumps, loads

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
# A file with many control characters is taken for a binary one.
LABELS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\t\r\n"), max_size=20
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=3)
ITEMS = st.fixed_dictionaries(
    {"input": VALUES},
    optional={
        "expected_output": VALUES,
        "metadata": OBJECTS,
        "context": OBJECTS,
        "tags": st.lists(TEXT, max_size=3),
        "split": LABELS,
        "scorers": st.lists(VALUES, max_size=2),
        "external_id": LABELS.filter(bool),
        "source": LABELS,
    },
)


def row_of(number: int, item: ItemContent) -> ExportRow:
    return ExportRow(
        number,
        item.external_id,
        item.input_json,
        item.expected_json,
        item.metadata_json,
        item.context_json,
        item.tags_json,
        item.split,
        item.scorers_json,
        item.source,
    )


def written(format: str, items: list[ItemContent]) -> bytes:
    return b"".join(exported(format, [row_of(n, item) for n, item in enumerate(items, 1)]))


def read_back(format: str, data: bytes) -> Iterator[ItemContent]:
    if format == "csv":
        header, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        fields = exchange.recognise(header, typed=False)
        assert fields is not None
        for cells in rows:
            by_column = dict(zip(header, cells, strict=True))
            yield exchange.from_cells({fields[name]: by_column[name] for name in fields})
    elif format == "json":
        yield from (exchange.from_object(row) for row in loads(data))
    else:
        yield from (exchange.from_object(loads(line)) for line in data.split(b"\n") if line)


@pytest.mark.parametrize("format", ["csv", "json", "jsonl"])
@given(given_items=st.lists(ITEMS, min_size=1, max_size=4))
def test_every_item_comes_back_as_it_went_out(
    format: str, given_items: list[dict[str, Any]]
) -> None:
    items = [parse_item(one) for one in given_items]
    assert list(read_back(format, written(format, items))) == items


@pytest.mark.parametrize("format", ["csv", "json", "jsonl"])
def test_null_and_absent_key_order_big_integers_and_decimals_stay_apart(format: str) -> None:
    texts = ['{"b":1.0,"a":12345678901234567890123}', "-5", "null", '"-5"', "1e-07", "[]"]
    items = [parse_item({"input": loads(text), "expected_output": loads(text)}) for text in texts]
    items.append(parse_item({"input": None, "scorers": [], "context": {}}))
    back = list(read_back(format, written(format, items)))
    assert [item.input_json for item in back] == [*texts, "null"]
    assert back[-1].expected_json is None
    assert back[2].expected_json == "null"
    assert (back[-1].scorers_json, back[-1].context_json) == ("[]", "{}")
    assert [item.content_hash for item in back] == [item.content_hash for item in items]


@pytest.mark.parametrize(
    "lead", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "'=1", "''"]
)
def test_no_cell_begins_like_a_formula_and_each_comes_back(lead: str) -> None:
    item = parse_item({"input": -5, "split": lead, "external_id": lead, "source": lead})
    data = written("csv", [item])
    _, cells = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert [cell for cell in cells if cell[:1] in tuple("=+-@\t\r\n＝")] == []
    assert list(read_back("csv", data)) == [item]


def test_a_text_without_a_risk_is_written_as_it_is() -> None:
    assert exchange.guarded("plain = text") == "plain = text"
    assert exchange.guarded("") == ""


def test_json_is_an_array_with_an_item_on_each_line_even_when_it_is_empty() -> None:
    assert json.loads(written("json", [])) == []
    lines = written("json", [parse_item({"input": n}) for n in range(3)]).decode().splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("[", "]", 5)


def test_the_first_piece_comes_before_any_row_is_read() -> None:
    def rows() -> Iterator[ExportRow]:
        raise AssertionError("a row was asked for")
        yield

    assert next(iter(exported("csv", rows()))).startswith(b"\xef\xbb\xbfnumber,")
    assert next(iter(exported("json", rows()))) == b"[\n"


def test_columns_that_are_not_ours_are_not_taken_for_an_export() -> None:
    assert exchange.recognise(["input", "expected"], typed=False) is None
    assert exchange.recognise(["expected_output:json"], typed=False) is None
    assert exchange.recognise(["input", "question_id"], typed=True) is None
    assert exchange.recognise(["input", "metadata", "number"], typed=True) == {
        "input": "input",
        "metadata": "metadata",
    }
    assert exchange.recognise(["note", "input:json"], typed=False) == {"input:json": "input"}


def test_a_cell_that_is_no_json_is_refused_with_its_field() -> None:
    with pytest.raises(Exception, match="Not valid JSON") as refused:
        exchange.from_cells({"input": "{", "metadata": ""})
    assert refused.value.errors[0].pointer == "/input"  # type: ignore[attr-defined]


def test_the_file_name_holds_slug_version_and_date() -> None:
    on = date(2026, 11, 26)
    assert file_name("gsm8k", 3, "csv", on) == "gsm8k-v3-2026-11-26.csv"
    assert file_name("gsm8k", 3, "csv", on, part=True) == "gsm8k-v3-part-2026-11-26.csv"


def test_an_item_is_written_as_the_api_shows_it() -> None:
    item = parse_item({"input": {"q": 1}, "tags": ["a"]})
    assert loads(written("jsonl", [item])) == {
        "number": 1,
        "external_id": None,
        "input": {"q": 1},
        "metadata": {},
        "tags": ["a"],
        "split": "",
        "source": "",
    }
    assert dumps(loads(written("jsonl", [item]))) + "\n" == written("jsonl", [item]).decode()
