from typing import Any

import pytest

from datasets_app.importing.drafts import ItemDraft, compile
from datasets_app.importing.mapping import (
    ColumnMapping,
    Destination,
    Mapping,
    MappingError,
    ReadAs,
)
from datasets_app.importing.problems import Problem
from datasets_app.importing.source import Row
from datasets_app.items import parse_item
from evalhub.kit import json

Spec = tuple[str, Destination] | tuple[str, Destination, ReadAs]


def mapping(*columns: Spec, rest: Any = "ignore") -> Mapping:
    return Mapping(tuple(ColumnMapping(one[0], one[1], one[0], *one[2:]) for one in columns), rest)


def draft(mapped: Mapping, values: list[str] | dict[str, Any]) -> ItemDraft | Problem:
    return compile(mapped, [one.column for one in mapped.columns])(Row(7, values))


def item(mapped: Mapping, values: list[str] | dict[str, Any]) -> ItemDraft:
    made = draft(mapped, values)
    assert isinstance(made, ItemDraft), made
    return made


def problem(mapped: Mapping, values: list[str] | dict[str, Any]) -> Problem:
    made = draft(mapped, values)
    assert isinstance(made, Problem), made
    return made


def test_one_column_gives_the_value_itself_and_several_an_object_in_their_order() -> None:
    single = item(mapping(("q", "input"), ("a", "expected_output")), ['say "hi" é\n', "x"])
    assert (single.input_json, single.expected_json) == ('"say \\"hi\\" é\\n"', '"x"')
    several = item(
        mapping(("z", "input"), ("a", "input"), ("e", "expected_output"), ("d", "expected_output")),
        ["1", "2", "3", "4"],
    )
    assert (several.input_json, several.expected_json) == (
        '{"z":"1","a":"2"}',
        '{"e":"3","d":"4"}',
    )


def test_metadata_and_context_are_objects_even_of_one_column() -> None:
    made = item(mapping(("q", "input"), ("m", "metadata"), ("c", "context")), ["x", "", "y"])
    assert (made.metadata_json, made.context_json) == ('{"m":""}', '{"c":"y"}')


def test_empty_cells_stay_empty_text_but_an_empty_expected_output_is_absent() -> None:
    mapped = mapping(("q", "input"), ("a", "expected_output"), ("m", "metadata"))
    made = item(mapped, ["x", "", ""])
    assert (made.input_json, made.expected_json, made.metadata_json) == ('"x"', None, '{"m":""}')
    several = mapping(("q", "input"), ("a", "expected_output"), ("b", "expected_output"))
    assert item(several, ["x", "", ""]).expected_json is None
    assert item(several, ["x", "", "1"]).expected_json == '{"a":"","b":"1"}'


def test_a_row_whose_cells_of_the_input_are_all_empty_is_a_problem() -> None:
    found = problem(mapping(("q", "input"), ("a", "expected_output")), ["", "4"])
    assert (found.kind, found.column) == ("missing_input", "q")
    assert found.reason == "The cell is empty, so the item has no input ('q')."
    several = mapping(("q", "input"), ("r", "input"), ("a", "expected_output"))
    assert problem(several, ["", "", "4"]).reason.startswith("The cells are empty, so")
    assert item(several, ["", "x", "4"]).input_json == '{"q":"","r":"x"}'


@pytest.mark.parametrize(
    "columns",
    [
        [("a", "input"), ("b", "expected_output"), ("c", "metadata")],
        [("b", "input"), ("a", "input"), ("c", "context")],
        [("c", "input"), ("b", "expected_output"), ("a", "expected_output")],
        [("a", "input"), ("c", "context"), ("b", "context")],
    ],
)
@pytest.mark.parametrize("values", [["x", 'ü"\\', "\u2028"], ["x", "", "y"], ["z", "1", ""]])
def test_the_short_way_and_the_way_through_values_give_the_same_draft(
    columns: list[Spec], values: list[str]
) -> None:
    mapped = mapping(*columns)
    short = item(mapped, values)
    # A column that is read as JSON elsewhere sends every row the long way.
    long = mapping(*columns, ("extra", "metadata", "json"))
    assert item(long, [*values, ""]) == short


def test_the_content_hash_is_that_of_the_same_item_from_the_api() -> None:
    mapped = mapping(
        ("z", "input"), ("a", "input"), ("n", "expected_output", "number"), ("c", "context")
    )
    payload = {"input": {"a": "2", "z": "1"}, "expected_output": 3.5, "context": {"c": "x"}}
    assert item(mapped, ["1", "2", "3.5", "x"]).content_hash == parse_item(payload).content_hash
    bare = item(mapping(("q", "input")), ["x"])
    assert bare.content_hash == parse_item({"input": "x"}).content_hash
    nested = {"q": {"b": [1, {"d": 1, "c": 2}], "a": None}, "e": None}
    mapped = mapping(("q", "input"), ("e", "expected_output"))
    made = parse_item({"input": nested["q"], "expected_output": None})
    assert item(mapped, nested).content_hash == made.content_hash


@pytest.mark.parametrize(
    ("read_as", "cell", "expected"),
    [
        ("text", "1", '"1"'),
        ("auto", "1", '"1"'),
        ("number", " 42 ", "42"),
        ("number", "-0.50", "-0.5"),
        ("number", "+7", "7"),
        ("number", ".5", "0.5"),
        ("number", "007", "7"),
        ("number", "1e3", "1000.0"),
        ("number", "123456789012345678901", "123456789012345678901"),
        ("boolean", "TRUE", "true"),
        ("boolean", "no", "false"),
        ("boolean", "0", "false"),
        ("json", ' {"b": 1, "a": [null]} ', '{"b":1,"a":[null]}'),
        ("json", "null", "null"),
    ],
)
def test_a_cell_is_read_as_the_type_of_its_column(
    read_as: ReadAs, cell: str, expected: str
) -> None:
    mapped = mapping(("q", "input"), ("a", "expected_output", read_as))
    assert item(mapped, ["x", cell]).expected_json == expected


@pytest.mark.parametrize(
    ("read_as", "cell", "kind", "suggestion"),
    [
        ("number", "high", "not_a_number", ""),
        ("number", "1,250.5", "not_a_number", "Did you mean 1250.5?"),
        ("number", "nan", "not_a_number", ""),
        ("number", "1e999", "not_a_number", ""),
        ("number", "-", "not_a_number", ""),
        ("number", "e5", "not_a_number", ""),
        ("number", "7" * 5_000, "not_a_number", ""),
        ("boolean", "maybe", "not_a_boolean", ""),
        ("json", "{bad}", "bad_json", ""),
        ("json", "NaN", "bad_json", ""),
        ("json", '"\\ud800"', "bad_json", ""),
    ],
)
def test_a_cell_that_is_not_of_its_type_is_a_problem(
    read_as: ReadAs, cell: str, kind: str, suggestion: str
) -> None:
    found = problem(mapping(("q", "input"), ("a", "metadata", read_as)), ["x", cell])
    assert (found.line, found.column, found.kind, found.suggestion) == (7, "a", kind, suggestion)
    assert found.reason.endswith(".")
    assert found.value[:20] == cell[:20]


def test_an_empty_cell_of_a_typed_column_leaves_its_key_out() -> None:
    mapped = mapping(("q", "input"), ("n", "metadata", "number"), ("t", "metadata"))
    assert item(mapped, ["x", "", ""]).metadata_json == '{"t":""}'
    found = problem(mapping(("q", "input", "json"), ("a", "metadata")), ["", "x"])
    assert (found.kind, found.column) == ("missing_input", "q")


def test_jsonl_keeps_types_and_a_missing_key_is_absent_where_null_is_a_value() -> None:
    mapped = mapping(("q", "input"), ("a", "expected_output"), ("m", "metadata"))
    full = item(mapped, {"m": {"k": 1}, "a": None, "q": [1, True]})
    assert (full.input_json, full.expected_json) == ("[1,true]", "null")
    assert full.metadata_json == '{"m":{"k":1}}'
    bare = item(mapped, {"q": ""})
    assert (bare.input_json, bare.expected_json, bare.metadata_json) == ('""', None, "{}")
    assert item(mapped, {"q": "x", "a": ""}).expected_json == '""'


def test_jsonl_without_any_input_is_a_problem_and_with_some_leaves_the_others_out() -> None:
    found = problem(mapping(("q", "input")), {"Q": 1})
    assert (found.line, found.kind, found.column) == (7, "missing_input", "q")
    assert item(mapping(("q", "input"), ("r", "input")), {"r": 1}).input_json == '{"r":1}'


def test_jsonl_keys_that_are_no_column_follow_the_rest() -> None:
    columns: list[Spec] = [("q", "input"), ("x", "ignore")]
    values = {"q": 1, "x": 2, "late": 3}
    assert item(mapping(*columns, rest="metadata"), values).metadata_json == '{"late":3}'
    assert item(mapping(*columns, rest="ignore"), values).metadata_json == "{}"


@pytest.mark.parametrize(
    ("values", "tags", "split", "external_id"),
    [
        (["x", "a, b ,,a", "test", "T-1"], ["a", "b"], "test", "T-1"),
        (["x", '["a, b", "c"]', "", ""], ["a, b", "c"], "", None),
        ({"q": 1, "tags": ["a"], "split": "dev", "id": 17}, ["a"], "dev", "17"),
        ({"q": 1, "tags": None, "split": None, "id": None}, [], "", None),
        ({"q": 1}, [], "", None),
    ],
)
def test_tags_split_and_external_id_are_read(
    values: Any, tags: list[str], split: str, external_id: str | None
) -> None:
    mapped = mapping(("q", "input"), ("tags", "tags"), ("split", "split"), ("id", "external_id"))
    made = item(mapped, values)
    assert (made.tags, made.split, made.external_id) == (tags, split, external_id)


@pytest.mark.parametrize(
    ("values", "column", "kind"),
    [
        ({"q": 1, "tags": [1]}, "tags", "not_tags"),
        (["x", "[oops", "", ""], "tags", "bad_json"),
        ({"q": 1, "split": 3}, "split", "not_text"),
        (["x", "", "s" * 61, ""], "split", "too_long"),
        ({"q": 1, "id": True}, "id", "not_text"),
        (["x", "", "", "i" * 201], "id", "too_long"),
    ],
)
def test_tags_split_and_external_id_that_cannot_be_kept_are_problems(
    values: Any, column: str, kind: str
) -> None:
    mapped = mapping(("q", "input"), ("tags", "tags"), ("split", "split"), ("id", "external_id"))
    found = problem(mapped, values)
    assert (found.column, found.kind) == (column, kind)


def test_an_item_over_the_limit_of_the_api_is_a_problem() -> None:
    found = problem(mapping(("q", "input"), ("a", "expected_output")), ["x" * 7_999_990, "y" * 20])
    assert found.kind == "too_long"


def test_a_mapping_for_another_file_is_refused() -> None:
    with pytest.raises(MappingError, match="The file has no column 'q'"):
        compile(mapping(("q", "input")), ["question"])


def test_drafts_hold_compact_json_that_reads_back() -> None:
    made = item(mapping(("q", "input"), ("m", "metadata")), ["tab\t\x1f", "\U0001f600"])
    assert json.loads(made.input_json) == "tab\t\x1f"
    assert made.metadata_json == json.dumps({"m": "\U0001f600"})
