"""The one item that a run of the playground, or a check of a target, brings with itself."""

from __future__ import annotations

from typing import Any

from datasets_app.public import ItemRow
from evalhub.kit.errors import FieldError, Invalid
from evalhub.kit.json import ABSENT, Absent, JsonError, content_hash, dumps, loads
from runs_app.models import Run

NUMBER = 1  # of the inline item
REVISION_ID = 0  # of no row
MAX_CHARS = 8_000_000  # of input and expected output together, as in a dataset


def item_row(run: Run) -> ItemRow:
    """The run's inline item like one of a dataset. Only for runs that have one."""
    inline = run.inline_item
    assert inline is not None
    expected, context = inline["expected_json"], inline["context_json"]
    return ItemRow(
        revision_id=REVISION_ID,
        number=NUMBER,
        version_from=0,
        external_id=inline["external_id"],
        input_json=inline["input_json"],
        expected_json=expected,
        metadata_json=inline["metadata_json"],
        context_json=context,
        content_hash=content_hash(
            loads(inline["input_json"]),
            ABSENT if expected is None else loads(expected),
            ABSENT if context is None else loads(context),
        ),
    )


def inline_item(
    *, input: Any, expected_output: Any | Absent, metadata: Any, context: Any
) -> dict[str, Any]:
    """What `Run.inline_item` holds. Raises Invalid with a pointer for every problem."""
    problems: list[FieldError] = []

    def text(field: str, value: Any) -> str | None:
        try:
            return dumps(value)
        except JsonError as error:
            problems.append(FieldError(f"/{field}", f"{error.message.rstrip('.')}."))
            return None

    for field, value in (("metadata", metadata), ("context", context)):
        if value is not None and not isinstance(value, dict):
            example = '{"topic": "percent"}' if field == "metadata" else '{"locale": "en"}'
            detail = f"{field.capitalize()} is a JSON object, such as {example}."
            problems.append(FieldError(f"/{field}", detail))
    made = {
        "external_id": None,
        "input_json": text("input", input),
        "expected_json": None
        if expected_output is ABSENT
        else text("expected_output", expected_output),
        "metadata_json": text("metadata", metadata or {}),
        "context_json": None if context is None else text("context", context),
    }
    if sum(len(part or "") for part in made.values()) > MAX_CHARS:
        problems.append(FieldError("/input", f"An item holds at most {MAX_CHARS:,} characters."))
    if problems:
        raise Invalid(problems[0].detail, errors=problems)
    return made
