"""JSON Schemas that the items of a dataset keep to. Pure.

Schemas are stored as texts by field, so that they read as they were written. What a schema can
cost is bounded when it is checked: its size and depth, how often it applies parts of itself to one
value, and its patterns, which run on an engine of linear time. Nothing is ever fetched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final, Protocol

import jsonschema_rs

from datasets_app.schema_bounds import refused_parts
from datasets_app.schema_words import SchemaProblem, pointer_of, problems_of, schema_fault
from evalhub.kit.errors import FieldError, Invalid
from evalhub.kit.json import JsonError, dumps, loads

SCHEMA_FIELDS: Final = ("input", "expected_output", "metadata")
LABELS: Final = {"input": "Input", "expected_output": "Expected output", "metadata": "Metadata"}
MAX_PROBLEMS: Final = 20
"""Problems that are told of one item."""
PATTERN_BYTES: Final = 1_000_000
"""Size of a compiled pattern: it bounds what a pattern costs for each character."""


class HasJson(Protocol):
    """What is checked of an item: an ItemContent, an ItemDraft of an import, or a revision."""

    @property
    def input_json(self) -> str: ...
    @property
    def expected_json(self) -> str | None: ...
    @property
    def metadata_json(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ItemSchemas:
    """Compiled schemas by field. An expected output that is absent is not checked."""

    validators: tuple[tuple[str, Any], ...]

    def __bool__(self) -> bool:
        """False when there is nothing to check."""
        return bool(self.validators)

    def find(self, item: HasJson) -> list[SchemaProblem]:
        """What is wrong with the item, at most MAX_PROBLEMS; [] when it keeps to all schemas."""
        return list(islice(self._find(item), MAX_PROBLEMS))

    def problems(self, item: HasJson, *, pointer: str = "") -> list[FieldError]:
        """The same as errors of fields: `pointer` and then /input/question, for example."""
        return [FieldError(pointer + one.pointer, one.detail) for one in self.find(item)]

    def _find(self, item: HasJson) -> Iterator[SchemaProblem]:
        for field, validator in self.validators:
            text = _text(item, field)
            if text is None:
                continue
            value = json.loads(text)
            if not validator.is_valid(value):
                for error in validator.iter_errors(value):
                    yield from problems_of(error, field)


NO_SCHEMAS: Final = ItemSchemas(())


def compile_schemas(schemas: Mapping[str, Any]) -> ItemSchemas:
    """The compiled schemas of a version (`DatasetVersion.schemas`). Raises Invalid like
    `check_schemas`."""
    return _compiled(dumps(check_schemas(schemas))) if schemas else NO_SCHEMAS


def check_schemas(given: Mapping[str, Any]) -> dict[str, str]:
    """Schemas by field, as texts to store; {} and None ask for nothing and are left out.

    Each is a JSON value (an object, true or false) or its text. Raises Invalid with a pointer for
    every field whose schema is none, refers to something outside, or could cost too much.
    """
    checked: dict[str, str] = {}
    problems: list[FieldError] = []
    for field, schema in given.items():
        if field not in SCHEMA_FIELDS:
            known = ", ".join(SCHEMA_FIELDS)
            problems.append(FieldError(f"/{field}", f"There are schemas for {known}."))
            continue
        try:
            text = schema if isinstance(schema, str) else dumps(schema)
            value = _read(text) if text.strip() else None
            if value not in (None, {}):
                compile_one(value)
                checked[field] = text
        except JsonError as error:
            problems.append(FieldError(f"/{field}", f"{error.message.rstrip('.')}."))
        except Invalid as error:
            problems += [FieldError(f"/{field}{one.pointer}", one.detail) for one in error.errors]
    if problems:
        raise Invalid(problems[0].detail, errors=problems)
    return {field: checked[field] for field in SCHEMA_FIELDS if field in checked}


def compile_one(schema: Any) -> Any:
    """The validator of one schema, draft 2020-12 unless `$schema` says otherwise.

    Raises Invalid whose errors point into the schema.
    """
    errors = refused_parts(schema)
    if errors:
        raise Invalid(errors[0].detail, errors=errors)
    try:
        return jsonschema_rs.validator_for(
            schema,
            offline=True,
            validate_formats=True,
            pattern_options=jsonschema_rs.RegexOptions(
                size_limit=PATTERN_BYTES, dfa_size_limit=2 * PATTERN_BYTES
            ),
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        detail = schema_fault(error)
        pointer = pointer_of(getattr(error, "instance_path", ()))
        raise Invalid(detail, errors=[FieldError(pointer, detail)]) from error


def schema_values(schemas: Mapping[str, str]) -> dict[str, Any]:
    """Stored schemas as JSON values, for the API."""
    return {field: loads(text) for field, text in schemas.items()}


def _read(text: str) -> Any:
    return loads(text, what="Schema")


@lru_cache(maxsize=64)
def _compiled(texts: str) -> ItemSchemas:
    schemas: dict[str, str] = json.loads(texts)
    return ItemSchemas(
        tuple((field, compile_one(json.loads(text))) for field, text in schemas.items())
    )


def _text(item: HasJson, field: str) -> str | None:
    if field == "input":
        return item.input_json
    return item.expected_json if field == "expected_output" else item.metadata_json
