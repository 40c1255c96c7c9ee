"""The content of an item, checked and ready to store. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from evalhub.kit.errors import FieldError, Invalid
from evalhub.kit.json import ABSENT, JsonError, content_hash, dumps

FIELDS = (
    "input",
    "expected_output",
    "metadata",
    "context",
    "tags",
    "split",
    "scorers",
    "external_id",
    "source",
)
MAX_ITEM_CHARS = 8_000_000
MAX_SOURCE = 300


@dataclass(frozen=True, slots=True)
class ItemContent:
    """One item's fields, JSON as compact text; `expected_json` None means absent."""

    input_json: str
    expected_json: str | None
    metadata_json: str
    context_json: str | None
    tags_json: str
    scorers_json: str | None
    split: str
    external_id: str | None
    source: str
    content_hash: str

    def same_payload(self, other: ItemContent) -> bool:
        """Equal in all but where it came from."""
        return replace(self, source="") == replace(other, source="")


def with_source(content: ItemContent, source: str) -> ItemContent:
    """The content with another word of where it came from, cut to what fits."""
    return replace(content, source=source[:MAX_SOURCE])


def without_external_id(content: ItemContent) -> ItemContent:
    """The content of a copy, which cannot share its external id."""
    return replace(content, external_id=None)


def parse_item(payload: Mapping[str, Any], *, pointer: str = "", source: str = "") -> ItemContent:
    """Check an item given as JSON values (API, forms). Raises Invalid with a pointer for every
    problem.
    """
    problems: list[FieldError] = []

    def wrong(field: str, detail: str) -> None:
        problems.append(FieldError(f"{pointer}/{field}", detail))

    for key in payload:
        if key not in FIELDS:
            wrong(key, f"An item has no field “{key}”. It has: {', '.join(FIELDS)}.")
    if "input" not in payload:
        wrong("input", "An item needs an input.")
    metadata = payload.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        wrong("metadata", 'Metadata is an object, such as {"topic": "percent"}.')
    context = payload.get("context")
    if context is not None and not isinstance(context, dict):
        wrong("context", 'Context is an object, such as {"locale": "en"}.')
    tags = payload.get("tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        wrong("tags", "Tags are a list of texts.")
    scorers = payload.get("scorers")
    if scorers is not None and not isinstance(scorers, list):
        wrong("scorers", "Scorers are a list; [] means none.")
    split = payload.get("split") or ""
    if not isinstance(split, str) or len(split) > 60:
        wrong("split", "A split is a text of at most 60 characters.")
    external_id = payload.get("external_id")
    if external_id is not None and (
        not isinstance(external_id, str) or not 1 <= len(external_id) <= 200
    ):
        wrong("external_id", "An external id is a text of 1 to 200 characters.")
    given_source = payload.get("source") or source
    if not isinstance(given_source, str) or len(given_source) > MAX_SOURCE:
        wrong("source", f"A source is a text of at most {MAX_SOURCE} characters.")
    if problems:
        raise Invalid(problems[0].detail, errors=problems)
    expected = payload.get("expected_output", ABSENT)
    try:
        content = ItemContent(
            input_json=dumps(payload["input"]),
            expected_json=None if expected is ABSENT else dumps(expected),
            metadata_json=dumps(metadata or {}),
            context_json=None if context is None else dumps(context),
            tags_json=dumps(tags),
            scorers_json=None if scorers is None else dumps(scorers),
            split=split,
            external_id=external_id,
            source=given_source,
            content_hash=content_hash(
                payload["input"], expected, ABSENT if context is None else context
            ),
        )
    except JsonError as error:
        raise Invalid(error.message, errors=[FieldError(pointer or "/", error.message)]) from error
    if len(content.input_json) + len(content.expected_json or "") > MAX_ITEM_CHARS:
        raise Invalid(
            f"An item holds at most {MAX_ITEM_CHARS:,} characters.",
            errors=[FieldError(f"{pointer}/input", "Too large.")],
        )
    return content
