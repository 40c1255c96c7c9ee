"""What may be a schema and what it says of a value, and schemas inferred from values. Pure."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.item_schemas import (
    MAX_PROBLEMS,
    check_schemas,
    compile_schemas,
)
from datasets_app.items import parse_item
from datasets_app.schema_inference import infer_schema
from evalhub.kit.errors import Invalid

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(-1e9, 1e9)
    | st.sampled_from(["a", "b", "longer text"]),
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.dictionaries(st.sampled_from(["k", "l", "m/n", "~"]), inside, max_size=4)
    ),
    max_leaves=12,
)


def doubling(levels: int) -> dict[str, Any]:
    """A schema of few bytes that applies 2 ** levels parts to one value."""
    parts: dict[str, Any] = {
        f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(levels)
    }
    return {"$ref": "#/$defs/a0", "$defs": parts | {f"a{levels}": {"type": "string"}}}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "pointer", "says"),
    [
        (5, "/input", "JSON object"),
        ([], "/input", "JSON object"),
        ("{", "/input", "Schema, line 1"),
        ({"type": "strin"}, "/input/type", "“strin” is not a type"),
        ({"required": "a"}, "/input/required", "not a valid JSON Schema"),
        ({"$ref": "http://127.0.0.1:9/x"}, "/input/$ref", "nothing is fetched"),
        (
            {"properties": {"a": {"$ref": "other.json"}}},
            "/input/properties/a/$ref",
            "nothing is fetched",
        ),
        ({"$ref": "#/$defs/none"}, "/input", "does not exist"),
        ({"$schema": "http://example.com/mine"}, "/input/$schema", "not known"),
        ({"pattern": "(?=a)b"}, "/input/pattern", "look-around"),
        ({"pattern": r"(a)\1"}, "/input/pattern", "back references"),
        ({"pattern": "(.{1,100}){1,50}x"}, "/input/pattern", "bounded size"),
        ({"pattern": "a" * 1001}, "/input", "1,000 characters"),
        ({"patternProperties": {"(": True}}, "/input/patternProperties/(", "not a pattern"),
        (doubling(40), "/input", "applies more than"),
        (nested(70), "/input" + "/items" * 60, "60 levels"),
        ({"anyOf": [{} for _ in range(6000)]}, "/input", "5,000 parts"),
    ],
)
def test_what_is_no_schema_or_could_cost_too_much_is_refused_where_it_is(
    schema: Any, pointer: str, says: str
) -> None:
    started = time.monotonic()
    with pytest.raises(Invalid) as refused:
        check_schemas({"input": schema})
    assert time.monotonic() - started < 2
    assert [error.pointer for error in refused.value.errors][:1] == [pointer]
    assert says in refused.value.detail


def test_only_three_fields_have_schemas() -> None:
    with pytest.raises(Invalid, match="input, expected_output, metadata"):
        check_schemas({"context": {}})


def test_what_asks_for_nothing_is_left_out_and_the_fields_are_in_order() -> None:
    given = {"metadata": {"type": "object"}, "input": " ", "expected_output": {}}
    assert list(check_schemas(given | {"input": '{"type": "string"}'})) == ["input", "metadata"]
    assert check_schemas({"input": None, "metadata": "{}"}) == {}


def test_references_within_names_that_look_like_keywords_and_circles_are_fine() -> None:
    tree = {
        "$defs": {
            "node": {"properties": {"$ref": {"type": "string"}, "next": {"$ref": "#/$defs/node"}}}
        },
        "anyOf": [{"$ref": "#/$defs/node"}, {"$ref": "#"}],
        "enum": [{"$ref": "x"}, {"next": {}}],
    }
    schemas = compile_schemas({"input": tree})
    assert not schemas.find(parse_item({"input": {"next": {}}}))
    assert schemas.find(parse_item({"input": {"next": {"$ref": 3}}}))


def test_an_older_draft_is_read_as_what_it_says() -> None:
    draft7 = {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}
    schemas = compile_schemas({"input": draft7})
    assert [one.pointer for one in schemas.find(parse_item({"input": [1, 2]}))] == ["/input/0"]


@pytest.mark.parametrize(
    ("schema", "value", "problems"),
    [
        ({"type": "string"}, 3, [("/input", "wrong type", "3 is a number; text is needed.")]),
        ({"type": ["integer", "null"]}, "x", [("/input", "wrong type", "“x” is text; a whole number or null is needed.")]),
        ({"required": ["a/b"]}, {}, [("/input/a~1b", "missing field", "“a/b” is missing.")]),
        ({"properties": {"k": {"enum": ["p", "q"]}}}, {"k": "r"}, [("/input/k", "not in enum", "“r” is not one of “p”, “q”.")]),
        ({"const": 1}, True, [("/input", "not in enum", "true is not 1.")]),
        ({"pattern": "^x"}, "y", [("/input", "pattern", "“y” does not match the pattern ^x.")]),
        ({"properties": {"c": {}}, "additionalProperties": False}, {"a": 1, "b": 2}, [("/input/a", "unknown field", "The schema has no field “a”."), ("/input/b", "unknown field", "The schema has no field “b”.")]),
        ({"properties": {"a": False}}, {"a": 1}, [("/input/a", "unknown field", "The schema allows nothing here.")]),
        ({"maximum": 3}, 4, [("/input", "out of range", "4 is out of range: at most 3 is needed.")]),
        ({"minItems": 1}, [], [("/input", "length", "This needs at least 1 entry.")]),
        ({"maxLength": 2}, "abc", [("/input", "length", "This needs at most 2 characters.")]),
        ({"format": "date"}, "soon", [("/input", "format", "“soon” is not in the format “date”.")]),
    ],
)  # fmt: skip
def test_a_problem_is_told_in_words_with_its_place_and_kind(
    schema: Any, value: Any, problems: list[tuple[str, str, str]]
) -> None:
    found = compile_schemas({"input": schema}).find(parse_item({"input": value}))
    assert [(one.pointer, one.kind, one.detail) for one in found] == problems


def test_an_absent_expected_output_is_not_checked_and_null_is() -> None:
    schemas = compile_schemas({"expected_output": {"type": "string"}})
    assert not schemas.find(parse_item({"input": 1}))
    assert schemas.find(parse_item({"input": 1, "expected_output": None}))


def test_an_item_with_very_many_problems_tells_a_few_of_them() -> None:
    schemas = compile_schemas({"input": {"items": {"type": "string"}}})
    assert len(schemas.find(parse_item({"input": list(range(10_000))}))) == MAX_PROBLEMS


def test_a_pattern_takes_linear_time() -> None:
    schemas = compile_schemas({"input": {"pattern": "^(a+)+$"}})
    started = time.monotonic()
    assert schemas.find(parse_item({"input": "a" * 200_000 + "b"}))
    assert time.monotonic() - started < 2


@given(st.lists(JSON, max_size=8))
def test_every_value_keeps_to_the_schema_that_was_inferred_from_it(values: list[Any]) -> None:
    schemas = compile_schemas({"input": infer_schema(values)})
    assert [schemas.find(parse_item({"input": value})) for value in values] == [[]] * len(values)


def test_types_fields_that_are_always_there_and_choices_are_inferred() -> None:
    values = [
        {"question": f"q{n}", "topic": ["rate", "percent"][n % 2], "n": n}
        | ({"hint": None} if n % 3 else {})
        for n in range(20)
    ]
    assert infer_schema(values) == {
        "type": "object",
        "properties": {
            "question": {"type": "string"},
            "topic": {"type": "string", "enum": ["percent", "rate"]},
            "n": {"type": "integer"},
            "hint": {"type": "null"},
        },
        "required": ["question", "topic", "n"],
    }
    assert infer_schema([]) == {}
    assert infer_schema([1, 2.5]) == {"type": "number"}
    assert infer_schema([["a"], [1]]) == {"type": "array", "items": {"type": ["string", "integer"]}}


def test_an_object_with_very_many_names_is_a_map() -> None:
    assert infer_schema([{f"k{n}": 1 for n in range(500)}]) == {"type": "object"}
