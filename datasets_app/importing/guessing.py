"""A mapping to start from, by the names of a file's columns. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datasets_app.exchange import JSON_FIELDS, recognise
from datasets_app.importing.mapping import (
    ColumnMapping,
    Destination,
    Mapping,
    MappingError,
    ReadAs,
)
from datasets_app.importing.mending import NOTES, has_notes, past_notes, without_notes
from datasets_app.importing.values import is_plain_number, is_structure
from evalhub.kit.json import escape_key

Sample = Sequence[Sequence[str] | dict[str, Any]]

_NAMES: dict[Destination, frozenset[str]] = {
    "input": frozenset({"input", "inputs", "question", "prompt", "query", "instruction"}),
    "expected_output": frozenset(
        {
            "expected",
            "expected_output",
            "answer",
            "output",
            "ground_truth",
            "reference",
            "label",
            "target",
            "completion",
            "ideal",
        }
    ),
    "external_id": frozenset({"id", "external_id", "item_id", "uid"}),
    "split": frozenset({"split"}),
    "tags": frozenset({"tags"}),
}
_PREFIXES: dict[str, Destination] = {
    "input": "input",
    "inputs": "input",
    "expected": "expected_output",
    "expected_output": "expected_output",
    "metadata": "metadata",
    "meta": "metadata",
    "context": "context",
}
_OBJECTS: dict[str, Destination] = {
    "metadata": "metadata",
    "meta": "metadata",
    "context": "context",
}


def guess(columns: Sequence[str], sample: Sample, *, typed: bool = False) -> Mapping:
    """A mapping to start from. `typed` says that rows are objects of JSON values.

    The columns of an export are known. Else the names decide, with `metadata.topic` as a key of the
    metadata. Without a known name the input is the first column left whose texts have several
    words, or else the first left. A column named like an id is the external id only when the
    sample has no value of it twice or empty, and one named metadata or context is that only when it
    holds objects. The rest is metadata, with the types that the sample shows.
    """
    if has_notes(columns) and not typed:
        rows = [row[len(NOTES) :] for row in sample if not isinstance(row, dict)]
        return past_notes(guess(without_notes(columns), rows))
    ours = recognise(columns, typed=typed)
    if ours is not None:
        return Mapping(tuple(_ours(name, ours.get(name), typed) for name in columns))
    found: dict[str, ColumnMapping] = {}
    taken: set[Destination] = set()
    for name in columns:
        one = _by_name(name, columns, sample, taken)
        if one is not None:
            found[name] = one
            taken.add(one.destination)
    if "input" not in taken and columns:
        left = [name for name in columns if name not in found] or columns[:1]
        name = _first_input(left, columns, sample)
        found[name] = ColumnMapping(name, "input", escape_key(name))
    mapped = [found.get(name) or _as_metadata(name, columns, sample) for name in columns]
    try:
        return Mapping(tuple(mapped), "metadata")
    except MappingError:
        # Keys such as metadata.a and metadata.a.b, or twice the same: each by its whole name.
        whole = (
            ColumnMapping(one.column, one.destination, escape_key(one.column), one.read_as)
            for one in mapped
        )
        return Mapping(tuple(whole), "metadata")


def _ours(column: str, field: str | None, typed: bool) -> ColumnMapping:
    if field is None:
        return ColumnMapping(column, "ignore", escape_key(column))
    destination: Destination = field  # type: ignore[assignment]  # the fields are destinations
    key = "" if field in ("metadata", "context") else field
    is_json = field in JSON_FIELDS and not typed
    return ColumnMapping(column, destination, key, "json" if is_json else "auto")


def _by_name(
    name: str, columns: Sequence[str], sample: Sample, taken: set[Destination]
) -> ColumnMapping | None:
    """What the column's name says; None when nothing."""
    plain = name.strip().lower().replace(" ", "_").replace("-", "_")
    prefix, dot, key = name.strip().partition(".")
    where = _PREFIXES.get(prefix.lower()) if dot and key else None
    if where is not None:
        parts = [escape_key(part) for part in key.split(".")]
        path = ".".join(parts) if all(parts) else escape_key(key)
        if where == "metadata":
            return _as_metadata(name, columns, sample, path)
        return ColumnMapping(name, where, path)
    where = _OBJECTS.get(plain)
    if where is not None and where not in taken and _holds_objects(name, columns, sample):
        values = _values(name, columns, sample)
        is_text = any(isinstance(value, str) for value in values)
        return ColumnMapping(name, where, "", "json" if is_text else "auto")
    where = next((where for where, names in _NAMES.items() if plain in names), None)
    if where is None or where in taken:
        return None
    if where == "external_id" and not _identifies(name, columns, sample):
        return None
    return ColumnMapping(name, where, escape_key(name))


def _as_metadata(
    name: str, columns: Sequence[str], sample: Sample, path: str | None = None
) -> ColumnMapping:
    """A key of the metadata, where numbers and JSON can be filtered as what they are.

    Cells say which by what they look like, all of the sample. A later one that looks otherwise
    stays text, so that a proposal costs no row. Inputs and expected outputs stay text, for scorers
    compare them with text.
    """
    values = [value for value in _values(name, columns, sample) if value not in (None, "")]
    texts = [value for value in values if isinstance(value, str)]
    read_as: ReadAs = "auto"
    if texts and len(texts) == len(values):
        if all(map(is_plain_number, texts)):
            read_as = "number_or_text"
        elif all(map(is_structure, texts)):
            read_as = "json_or_text"
    return ColumnMapping(name, "metadata", path or escape_key(name), read_as)


def _first_input(left: Sequence[str], columns: Sequence[str], sample: Sample) -> str:
    """The first column most of whose texts have several words; without one, the first."""
    for name in left:
        texts = [one for one in _values(name, columns, sample) if isinstance(one, str) and one]
        if sum(" " in text.strip() for text in texts) * 2 > len(texts):
            return name
    return left[0]


def _values(name: str, columns: Sequence[str], sample: Sample) -> list[Any]:
    at = list(columns).index(name)
    return [row.get(name) if isinstance(row, dict) else row[at] for row in sample]


def _identifies(name: str, columns: Sequence[str], sample: Sample) -> bool:
    values = _values(name, columns, sample)
    if not all(isinstance(value, str | int) and value != "" for value in values):
        return False
    return len({str(value) for value in values}) == len(values)


def _holds_objects(name: str, columns: Sequence[str], sample: Sample) -> bool:
    values = [value for value in _values(name, columns, sample) if value not in (None, "")]
    return bool(values) and all(_is_object(value) for value in values)


def _is_object(value: Any) -> bool:
    if isinstance(value, str):
        return value.lstrip().startswith("{") and is_structure(value)
    return isinstance(value, dict)
