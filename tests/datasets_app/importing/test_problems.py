import csv
import io

import pytest

from datasets_app.importing.problems import (
    EXAMPLES,
    ImportFileError,
    Problem,
    group,
    problems_csv,
    safe_cell,
    shown,
)


def test_problems_are_grouped_by_kind_and_column_with_the_largest_first() -> None:
    short = [Problem(line, "b", "x", "row_too_short", "Short.") for line in range(2, 4)]
    numbers = [Problem(line, "n", "high", "not_a_number", "No.") for line in range(10, 30)]
    other = [Problem(40, "m", "low", "not_a_number", "No.")]
    groups = group([*short, *numbers, *other])
    assert [(one.kind, one.column, one.count) for one in groups] == [
        ("not_a_number", "n", 20),
        ("row_too_short", "b", 2),
        ("not_a_number", "m", 1),
    ]
    assert groups[0].examples == numbers[:EXAMPLES]
    assert groups[0].title == "Not a number: n"
    assert groups[1].to_dict()["examples"][0]["line"] == 2


def test_the_error_file_reads_back_as_csv() -> None:
    value = 'a "b",\nc'
    problem = Problem(1_234, None, value, "row_too_long", "Too long.", "Quote it.", value + ",d")
    text = "".join(problems_csv([problem]))
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["line", "column", "kind", "reason", "suggestion", "value", "row"],
        ["1234", "", "Row too long", "Too long.", "Quote it.", value, value + ",d"],
    ]


@pytest.mark.parametrize("lead", ["=", "+", "-", "@", "\t", "\r", "\n", "'"])
def test_no_cell_of_the_error_file_runs_as_a_formula_and_the_text_can_be_had_back(
    lead: str,
) -> None:
    value = lead + "1+1"
    line = "".join(problems_csv([Problem(2, value, value, "nul", value, value, value)]))
    cells = list(csv.reader(io.StringIO(line, newline="")))[1]
    safe = "'" + value
    assert cells == ["2", safe, "NUL character", *[safe] * 4]
    assert safe_cell(value)[1:] == value


def test_plain_text_is_left_alone() -> None:
    assert safe_cell("a=b") == "a=b"
    assert safe_cell("") == ""


def test_long_values_are_shortened_for_showing() -> None:
    assert shown("x" * 200) == "x" * 200
    assert shown("x" * 201) == "x" * 199 + "…"


def test_a_file_error_names_its_line_first() -> None:
    error = ImportFileError("a quote opens here. Close it.", 12_345)
    assert str(error) == error.detail == "Line 12,345: a quote opens here. Close it."
    assert (error.line, error.status) == (12_345, 422)
    assert ImportFileError("The file is empty.").detail == "The file is empty."
