"""A part of an item (its input, say) from the cells of a row, as JSON text. Pure.

Where no key leads into an object within, texts are joined; else values are put together. Both give
the same texts for the same content.
"""

from __future__ import annotations

from collections.abc import Callable
from json.encoder import encode_basestring as quoted
from typing import Any

from datasets_app.importing.draft import NOTHING, At, Texts, place
from datasets_app.importing.mapping import ColumnMapping
from datasets_app.importing.values import BadValue, reader, text_reader
from evalhub.kit import json
from evalhub.kit.json import ABSENT

Part = Callable[[Any], tuple[str | None, str | None]]
"""From the cells of a row to the texts of a part; (None, None) when no cell gives a value."""


def part(mapped: list[ColumnMapping], places: dict[str, int], whole: bool) -> Part:
    """With `whole` the part is an object, else the value of the only column itself."""
    if whole and any(len(one.path) != 1 for one in mapped):
        return _nested(mapped, places, False)
    if all(one.read_as in ("auto", "text") for one in mapped):
        return _object(mapped, places) if whole else _field(mapped[0], places)
    return _typed(mapped, places, False) if whole else _typed_field(mapped[0], places, False)


def optional_part(mapped: list[ColumnMapping], places: dict[str, int], whole: bool) -> Part:
    """Like `part`, and absent as well when there is nothing but empty text."""
    if not mapped:
        return lambda values: NOTHING
    if whole and any(len(one.path) != 1 for one in mapped):
        return _nested(mapped, places, True)
    if any(one.read_as not in ("auto", "text") for one in mapped):
        return _typed(mapped, places, True) if whole else _typed_field(mapped[0], places, True)
    texts = part(mapped, places, whole)
    cells = [places[one.column] for one in mapped]
    if len(cells) == 1:
        cell = cells[0]
        return lambda values: texts(values) if values[cell] else NOTHING
    return lambda values: texts(values) if any(values[at] for at in cells) else NOTHING


def _field(one: ColumnMapping, places: dict[str, int]) -> Part:
    at = places[one.column]

    def value(values: Any) -> Texts:
        text = quoted(values[at])
        return text, text

    return value


def _typed_field(one: ColumnMapping, places: dict[str, int], optional: bool) -> Part:
    at, read = places[one.column], text_reader(one.read_as)
    is_json = one.read_as in ("json", "json_or_text")

    def value(values: Any) -> tuple[str | None, str | None]:
        try:
            text = read(values[at])
        except BadValue as error:
            raise At(one.column, values[at], error) from None
        if text is None or (optional and text == '""'):
            return NOTHING
        return text, json.canonical(json.loads(text)) if is_json and "{" in text else text

    return value


def _object(mapped: list[ColumnMapping], places: dict[str, int]) -> Part:
    in_order = _joined(mapped, places)
    by_key = sorted(mapped, key=lambda one: one.path)
    if by_key == mapped or mapped[0].destination == "metadata":

        def same(values: Any) -> Texts:
            text = in_order(values)
            return text, text

        return same
    canonical = _joined(by_key, places)
    return lambda values: (in_order(values), canonical(values))


def _joined(mapped: list[ColumnMapping], places: dict[str, int]) -> Callable[[Any], str]:
    """The function that writes columns as a JSON object, keys in the order of the mapping."""
    if not mapped:
        return lambda values: "{}"
    heads = ["{"] + [","] * (len(mapped) - 1)
    parts = [
        (f"{head}{quoted(one.path[0])}:", places[one.column])
        for head, one in zip(heads, mapped, strict=True)
    ]
    return lambda values: "".join([head + quoted(values[at]) for head, at in parts]) + "}"


def _typed(mapped: list[ColumnMapping], places: dict[str, int], optional: bool) -> Part:
    """Cells with types, as an object."""
    in_order_alone = mapped[0].destination == "metadata"  # it is not hashed
    fields = [
        (f"{quoted(one.path[0])}:", places[one.column], text_reader(one.read_as), one.column)
        for one in mapped
    ]

    def texts(values: Any) -> tuple[str | None, str | None]:
        found = []
        empty = True
        for head, at, read, column in fields:
            try:
                text = read(values[at])
            except BadValue as error:
                raise At(column, values[at], error) from None
            if text is not None:
                found.append(head + text)
                empty = empty and text == '""'
        if not found or (optional and empty):
            return NOTHING
        joined = "{" + ",".join(found) + "}"
        return joined, None if in_order_alone else json.canonical(json.loads(joined))

    return texts


def _nested(mapped: list[ColumnMapping], places: dict[str, int], optional: bool) -> Part:
    """Keys that lead into objects, or columns whose fields are put there themselves."""
    fields = [(one, one.path, places[one.column], reader(one.read_as)) for one in mapped]

    def texts(values: Any) -> tuple[str | None, str | None]:
        found: dict[str, Any] = {}
        something = False
        for one, path, at, read in fields:
            try:
                value = read(values[at])
                if value is ABSENT or (value == "" and not path):
                    continue
                place(found, path, value, one.destination)
            except BadValue as error:
                raise At(one.column, values[at], error) from None
            something = something or not optional or value != ""
        if not something:
            return NOTHING
        return json.dumps(found), json.canonical(found)

    return texts
