"""An input as a form: which schemas have one, what its controls show, and what they say."""

from __future__ import annotations

from typing import Any

import pytest

from runs_app.input_form import composed, fields_of, filled

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["subject", "channel"],
    "properties": {
        "subject": {"type": "string", "title": "Subject", "description": "One line."},
        "priority": {"type": "integer"},
        "score": {"type": "number"},
        "urgent": {"type": "boolean"},
        "channel": {"enum": ["email", "phone", 7]},
        "tags": {"type": "array"},
    },
}


def test_each_property_has_a_control_of_its_kind() -> None:
    fields = fields_of(SCHEMA)
    kinds = [(field.key, field.kind, field.required) for field in fields]
    assert kinds == [
        ("subject", "text", True),
        ("priority", "integer", False),
        ("score", "number", False),
        ("urgent", "boolean", False),
        ("channel", "choice", True),
        ("tags", "json", False),
    ]
    assert (fields[0].label, fields[0].help) == ("Subject", "One line.")
    assert fields[4].options == (('"email"', "email"), ('"phone"', "phone"), ("7", "7"))


@pytest.mark.parametrize(
    "schema",
    [
        None,
        True,
        {"type": "string"},
        {"properties": {}},
        {"properties": []},
        {"properties": {str(n): {} for n in range(31)}},
    ],
)
def test_other_schemas_have_no_form(schema: Any) -> None:
    assert fields_of(schema) == ()


def test_what_the_controls_show_is_read_back_as_the_same_input() -> None:
    value = {
        "subject": 'a "line"\nand more',
        "priority": 3,
        "score": 0.5,
        "urgent": True,
        "channel": 7,
        "tags": ["x", None],
        "other": {"kept": 1},
    }
    fields = filled(fields_of(SCHEMA), value)
    data = {field.name: field.value for field in fields}
    made, sent = composed(fields, data, value)
    assert made == value
    assert not any(field.problem for field in sent)


def test_an_empty_control_leaves_its_property_out() -> None:
    made, _ = composed(fields_of(SCHEMA), {}, {"priority": 1, "other": 2})
    assert made == {"other": 2, "subject": "", "urgent": False}


@pytest.mark.parametrize(
    ("place", "text", "problem"),
    [
        (1, "1.5", "priority: give a whole number."),
        (1, "true", "priority: give a whole number."),
        (2, "much", "score: give a number."),
        (2, '"1"', "score: give a number."),
        (5, "[1,", "tags: give JSON."),
    ],
)
def test_what_cannot_be_is_said_and_kept(place: int, text: str, problem: str) -> None:
    fields = fields_of(SCHEMA)
    _, sent = composed(fields, {fields[place].name: text}, {})
    assert (sent[place].problem, sent[place].value) == (problem, text)
