"""From a row to an item ready to store, by a mapping compiled once. Pure.

In a row of text, the parts of an item whose columns are all read as text are joined as JSON texts;
everything else goes through values. Both give the same drafts for the same content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any, NamedTuple

from datasets_app.importing.mapping import ColumnMapping, Mapping, require_column
from datasets_app.importing.problems import Problem, shown
from datasets_app.importing.source import Row
from datasets_app.importing.values import BadValue, reader
from datasets_app.items import MAX_ITEM_CHARS
from evalhub.kit import json
from evalhub.kit.json import ABSENT

MAX_EXTERNAL_ID = 200
MAX_SPLIT = 60


class ItemDraft(NamedTuple):
    """One item, JSON as compact text. `expected_json` and `context_json` are None when absent.

    `line` is where its row begins in the file.
    """

    line: int
    input_json: str
    expected_json: str | None
    metadata_json: str
    context_json: str | None
    tags: list[str]
    split: str
    external_id: str | None
    content_hash: str


Compiled = Callable[[Row], ItemDraft | Problem]
_Texts = tuple[str, str]
"""A value as compact JSON in its own order, and as canonical JSON."""
_Part = Callable[[Any], tuple[str | None, str | None]]
_NOTHING = (None, None)


def compile(mapping: Mapping, columns: Sequence[str]) -> Compiled:
    """The function that makes drafts of a file's rows; a Problem where a row cannot be an item.

    An empty expected output of a text file is absent; other empty cells stay empty text. An empty
    cell that is read as a number, true or false or JSON leaves its key out. Raises MappingError
    when the mapping names a column that the file does not have.
    """
    for one in mapping.columns:
        require_column(one.column, columns)
    by_cells, by_names = _by_cells(mapping, columns), _by_names(mapping)
    return lambda row: (by_cells if type(row.values) is list else by_names)(row)


def _by_cells(mapping: Mapping, columns: Sequence[str]) -> Compiled:
    """For rows of text: a list of cells in the order of the columns."""
    places = {name: index for index, name in enumerate(columns)}
    inputs, expecteds = mapping.to("input"), mapping.to("expected_output")
    input_texts = _part(inputs, places, len(inputs) != 1)
    expected_texts = _optional(expecteds, places, len(expecteds) != 1)
    metadata_texts = _part(mapping.to("metadata"), places, True)
    context_texts = _optional(mapping.to("context"), places, True)
    labels = _labels(mapping)
    has_labels = bool(mapping.to("tags") or mapping.to("split") or mapping.to("external_id"))

    def draft(row: Row) -> ItemDraft | Problem:
        line = row.line
        values: Any = row.values
        try:
            given, given_canonical = input_texts(values)
            expected, expected_canonical = expected_texts(values)
            metadata = metadata_texts(values)[0]
            context, context_canonical = context_texts(values)
        except _At as at:
            return at.problem(line)
        if given is None:
            return _missing_input(line, inputs, True)
        tags: list[str] = []
        split, external_id = "", None
        if has_labels:
            found = labels(line, lambda name: values[places[name]])
            if isinstance(found, Problem):
                return found
            tags, split, external_id = found
        if len(given) + len(expected or "") > MAX_ITEM_CHARS:
            return _too_large(line)
        return ItemDraft(
            line,
            given,
            expected,
            metadata or "{}",
            context,
            tags,
            split,
            external_id,
            _hash(given_canonical or "", expected_canonical, context_canonical),
        )

    return draft


def _part(mapped: list[ColumnMapping], places: dict[str, int], whole: bool) -> _Part:
    """The texts of one part of the item; (None, None) when no column gives a value.

    With `whole` it is an object, else the value of the only column itself.
    """
    if any(one.read_as not in ("auto", "text") for one in mapped):
        return _read(mapped, places, whole, False)
    return _object(mapped, places) if whole else _field(mapped, places)


def _optional(mapped: list[ColumnMapping], places: dict[str, int], whole: bool) -> _Part:
    """Like `_part`, and absent as well when there is nothing but empty text."""
    if any(one.read_as not in ("auto", "text") for one in mapped):
        return _read(mapped, places, whole, True)
    if not mapped:
        return lambda values: _NOTHING
    texts = _part(mapped, places, whole)
    cells = [places[one.column] for one in mapped]
    if len(cells) == 1:
        cell = cells[0]
        return lambda values: texts(values) if values[cell] else _NOTHING
    return lambda values: texts(values) if any(values[at] for at in cells) else _NOTHING


def _read(
    mapped: list[ColumnMapping], places: dict[str, int], whole: bool, optional: bool
) -> _Part:
    """Cells with types: through values."""
    in_order_alone = bool(mapped) and mapped[0].destination == "metadata"  # it is not hashed
    readers = [(one, places[one.column], reader(one.read_as)) for one in mapped]

    def texts(values: Any) -> tuple[str | None, str | None]:
        found = {}
        for one, place, read in readers:
            try:
                value = read(values[place])
            except BadValue as error:
                raise _At(one.column, values[place], error) from None
            if value is not ABSENT:
                found[one.key] = value
        if not found or (optional and all(value == "" for value in found.values())):
            return _NOTHING
        if in_order_alone:
            return json.dumps(found), None
        return _object_texts(found) if whole else _texts(found, mapped)

    return texts


def _field(mapped: list[ColumnMapping], places: dict[str, int]) -> _Part:
    place = places[mapped[0].column]

    def value(values: Any) -> _Texts:
        text = quoted(values[place])
        return text, text

    return value


def _object(mapped: list[ColumnMapping], places: dict[str, int]) -> _Part:
    in_order = _joined(mapped, places)
    by_key = sorted(mapped, key=lambda one: one.key)
    if by_key == mapped or (mapped and mapped[0].destination == "metadata"):

        def same(values: Any) -> _Texts:
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
        (f"{head}{quoted(one.key)}:", places[one.column])
        for head, one in zip(heads, mapped, strict=True)
    ]
    return lambda values: "".join([head + quoted(values[at]) for head, at in parts]) + "}"


def _by_names(mapping: Mapping) -> Compiled:
    """For rows of JSONL: objects whose keys may be missing."""
    readers = {one.column: reader(one.read_as) for one in mapping.columns}
    inputs, expecteds = mapping.to("input"), mapping.to("expected_output")
    metadatas, contexts = mapping.to("metadata"), mapping.to("context")
    mapped = {one.column for one in mapping.columns}
    labels = _labels(mapping)

    def draft(row: Row) -> ItemDraft | Problem:
        line = row.line
        values: Any = row.values

        def collect(ones: list[ColumnMapping]) -> dict[str, Any]:
            found = {}
            for one in ones:
                value = values.get(one.column, ABSENT)
                if value is not ABSENT:
                    try:
                        value = readers[one.column](value)
                    except BadValue as error:
                        raise _At(one.column, value, error) from None
                if value is not ABSENT:
                    found[one.key] = value
            return found

        try:
            given = collect(inputs)
            expected = collect(expecteds)
            metadata = collect(metadatas)
            context = collect(contexts)
        except _At as at:
            return at.problem(line)
        if not given:
            return _missing_input(line, inputs, False)
        if mapping.rest == "metadata" and values.keys() - mapped:
            for name, value in values.items():
                if name not in mapped:
                    metadata.setdefault(name, value)
        found = labels(line, lambda name: values.get(name, ABSENT))
        if isinstance(found, Problem):
            return found
        given_texts = _texts(given, inputs)
        expected_texts = _texts(expected, expecteds) if expected else _NOTHING
        context_texts = _object_texts(context) if context else _NOTHING
        if len(given_texts[0]) + len(expected_texts[0] or "") > MAX_ITEM_CHARS:
            return _too_large(line)
        return ItemDraft(
            line,
            given_texts[0],
            expected_texts[0],
            json.dumps(metadata),
            context_texts[0],
            *found,
            _hash(given_texts[1], expected_texts[1], context_texts[1]),
        )

    return draft


class _At(Exception):
    """A value that could not be read, with its column."""

    def __init__(self, column: str, value: Any, error: BadValue) -> None:
        super().__init__(error.reason)
        self.column, self.value, self.error = column, value, error

    def problem(self, line: int) -> Problem:
        error = self.error
        value = self.value if isinstance(self.value, str) else json.dumps(self.value)
        return Problem(line, self.column, shown(value), error.kind, error.reason, error.suggestion)


def _labels(
    mapping: Mapping,
) -> Callable[[int, Callable[[str], Any]], tuple[list[str], str, str | None] | Problem]:
    """The function that reads (tags, split, external id) of a row, given how to get a column."""
    wanted = [
        (mapping.to("tags"), _tags, []),
        (mapping.to("split"), _split, ""),
        (mapping.to("external_id"), _external_id, None),
    ]

    def labels(line: int, raw: Callable[[str], Any]) -> tuple[list[str], str, str | None] | Problem:
        found: list[Any] = []
        for ones, read, default in wanted:
            value = raw(ones[0].column) if ones else ABSENT
            if value is ABSENT or value is None:
                found.append(list(default) if isinstance(default, list) else default)
                continue
            try:
                found.append(read(value))
            except BadValue as error:
                return _At(ones[0].column, value, error).problem(line)
        return found[0], found[1], found[2]

    return labels


def _tags(value: Any) -> list[str]:
    if isinstance(value, str):
        text = value.strip()
        tags = reader("json")(text) if text.startswith("[") else text.split(",")
    else:
        tags = value
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise BadValue("not_tags", 'Tags are texts: refunds, billing or ["refunds", "billing"].')
    return list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))


def _split(value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue("not_text", "A split is a text.")
    if len(value) > MAX_SPLIT:
        raise BadValue("too_long", f"A split has at most {MAX_SPLIT} characters.")
    return value.strip()


def _external_id(value: Any) -> str | None:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadValue("not_text", "An external id is a text or a whole number.")
    text = str(value)
    if len(text) > MAX_EXTERNAL_ID:
        raise BadValue("too_long", f"An external id has at most {MAX_EXTERNAL_ID} characters.")
    return text if text.strip() else None


def _texts(found: dict[str, Any], mapped: list[ColumnMapping]) -> _Texts:
    if len(mapped) > 1:
        return _object_texts(found)
    value = found[mapped[0].key]
    text = json.dumps(value)
    return text, json.canonical(value) if isinstance(value, dict | list) else text


def _object_texts(found: dict[str, Any]) -> _Texts:
    return json.dumps(found), json.canonical(found)


def _hash(given: str, expected: str | None, context: str | None) -> str:
    """evalhub.kit.json.content_hash, of texts that are canonical already; None is absent.

    There, an absent context counts as null. A test holds the two equal.
    """
    parts = "\0".join((given, expected or "", context or "null"))
    return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()


def _missing_input(line: int, inputs: list[ColumnMapping], is_text: bool) -> Problem:
    names = ", ".join(repr(one.column) for one in inputs)
    what = "The cell is empty" if is_text else "The object has no such key"
    reason = f"{what}, so the item has no input ({names})."
    return Problem(line, inputs[0].column, "", "missing_input", reason)


def _too_large(line: int) -> Problem:
    reason = f"An item's input and expected output hold at most {MAX_ITEM_CHARS:,} characters."
    return Problem(line, None, "", "too_long", reason)
