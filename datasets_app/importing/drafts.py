"""From a row to an item ready to store, by a mapping compiled once. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datasets_app.exchange import recognise
from datasets_app.importing.cell_parts import optional_part, part
from datasets_app.importing.draft import (
    NOTHING,
    At,
    Compiled,
    ItemDraft,
    Texts,
    digest,
    missing_input,
    place,
    too_large,
)
from datasets_app.importing.exact import exact
from datasets_app.importing.labels import labels_of
from datasets_app.importing.mapping import ColumnMapping, Mapping, require_column
from datasets_app.importing.mending import has_notes
from datasets_app.importing.problems import Problem
from datasets_app.importing.source import Row
from datasets_app.importing.values import BadValue, reader
from datasets_app.items import MAX_ITEM_CHARS
from evalhub.kit import json
from evalhub.kit.json import ABSENT

__all__ = ["Compiled", "ItemDraft", "compile"]


def compile(mapping: Mapping, columns: Sequence[str]) -> Compiled:
    """The function that makes drafts of a file's rows; a Problem where a row cannot be an item.

    In a text file an empty expected output is absent and an empty input is a problem; other empty
    cells stay empty text. An empty cell that is read as a number, true or false or JSON leaves its
    key out. Raises MappingError when the mapping names a column that the file does not have.
    """
    for one in mapping.columns:
        require_column(one.column, columns)
    return exact(mapping, columns) or _by_cells(mapping, columns, _by_names(mapping))


def _by_cells(mapping: Mapping, columns: Sequence[str], otherwise: Compiled) -> Compiled:
    """For rows of text: a list of cells in the order of the columns; `otherwise` takes others."""
    places = {name: index for index, name in enumerate(columns)}
    inputs, expecteds = mapping.to("input"), mapping.to("expected_output")
    input_texts = optional_part(inputs, places, len(inputs) != 1)
    expected_texts = optional_part(expecteds, places, len(expecteds) != 1)
    metadata_texts = part(mapping.to("metadata"), places, True)
    context_texts = optional_part(mapping.to("context"), places, True)
    labels = labels_of(mapping, places)
    # An export and a file of bad rows put an apostrophe before what could be taken for a formula.
    ours = columns if has_notes(columns) else recognise(columns, typed=False) or ()
    guarded = {places[name] for name in ours}

    def draft(row: Row) -> ItemDraft | Problem:
        line, values = row
        if type(values) is not list:
            return otherwise(row)
        if guarded:
            values = [
                cell[1:] if cell[:1] == "'" and at in guarded else cell
                for at, cell in enumerate(values)
            ]
        try:
            given, given_canonical = input_texts(values)
            expected, expected_canonical = expected_texts(values)
            metadata = metadata_texts(values)[0]
            context, context_canonical = context_texts(values)
            found = labels(values)
        except At as at:
            return at.problem(line)
        if given is None:
            return missing_input(line, inputs, True)
        if len(given) + len(expected or "") > MAX_ITEM_CHARS:
            return too_large(line)
        return ItemDraft(
            line,
            given,
            expected,
            metadata or "{}",
            context,
            *found,
            digest(given_canonical or "", expected_canonical, context_canonical),
        )

    return draft


def _by_names(mapping: Mapping) -> Compiled:
    """For rows of JSON values: objects whose keys may be missing."""
    inputs, expecteds = mapping.to("input"), mapping.to("expected_output")
    given_of, expected_of = _collector(inputs), _collector(expecteds)
    metadata_of, context_of = _collector(mapping.to("metadata")), _collector(mapping.to("context"))
    mapped = {one.column for one in mapping.columns}
    labels = labels_of(mapping, None)

    def draft(row: Row) -> ItemDraft | Problem:
        line = row.line
        values: Any = row.values
        try:
            given = given_of(values)
            expected = expected_of(values)
            metadata = metadata_of(values)
            context = context_of(values)
            found = labels(values)
        except At as at:
            return at.problem(line)
        if given is None:
            return missing_input(line, inputs, False)
        if mapping.rest == "metadata" and values.keys() - mapped:
            metadata = metadata or {}
            for name, value in values.items():
                if name not in mapped:
                    metadata.setdefault(name, value)
        given_texts = _texts(given, inputs)
        expected_texts = NOTHING if expected is None else _texts(expected, expecteds)
        context_texts = NOTHING if context is None else _object_texts(context)
        if len(given_texts[0]) + len(expected_texts[0] or "") > MAX_ITEM_CHARS:
            return too_large(line)
        return ItemDraft(
            line,
            given_texts[0],
            expected_texts[0],
            json.dumps(metadata or {}),
            context_texts[0],
            *found,
            digest(given_texts[1], expected_texts[1], context_texts[1]),
        )

    return draft


def _collector(ones: list[ColumnMapping]) -> Any:
    """The function that gathers a part of the item from an object; None when no key is there."""
    alone = len(ones) == 1 and ones[0].destination in ("input", "expected_output")
    readers = [(one, one.column, () if alone else one.path, reader(one.read_as)) for one in ones]

    def collect(values: dict[str, Any]) -> dict[str, Any] | None:
        found: dict[str, Any] | None = None
        for one, name, path, read in readers:
            value = values.get(name, ABSENT)
            if value is ABSENT:
                continue
            try:
                value = read(value)
                if value is ABSENT:
                    continue
                found = {} if found is None else found
                if alone:
                    found[""] = value
                else:
                    place(found, path, value, one.destination)
            except BadValue as error:
                raise At(name, value, error) from None
        return found

    return collect


def _texts(found: dict[str, Any], mapped: list[ColumnMapping]) -> Texts:
    if len(mapped) > 1:
        return _object_texts(found)
    value = found[""]
    text = json.dumps(value)
    return text, json.canonical(value) if isinstance(value, dict | list) else text


def _object_texts(found: dict[str, Any]) -> Texts:
    return json.dumps(found), json.canonical(found)
