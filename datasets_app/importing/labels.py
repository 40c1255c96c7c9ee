"""What an item has beside its content: tags, split, scorers, external id and source. Pure."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from datasets_app.importing.draft import At
from datasets_app.importing.mapping import Destination, Mapping
from datasets_app.importing.values import BadValue, reader
from evalhub.kit import json
from evalhub.kit.json import ABSENT

MAX_EXTERNAL_ID = 200
MAX_SPLIT = 60
MAX_SOURCE = 300

Labels = tuple[list[str], str, str | None, str | None, str]
"""(tags, split, scorers as JSON text, external id, source)."""

_NONE: Labels = ([], "", None, None, "")
_ORDER: tuple[Destination, ...] = ("tags", "split", "scorers", "external_id", "source")


def labels_of(mapping: Mapping, places: dict[str, int] | None) -> Callable[[Any], Labels]:
    """The function that reads the labels of a row: of cells at `places`, or of an object (None).

    It raises At for one that cannot be kept.
    """
    wanted = [
        (at, one.column, _getter(one.column, places), _READERS[name])
        for at, name in enumerate(_ORDER)
        for one in mapping.to(name)
    ]
    if not wanted:
        return lambda values: _NONE

    def labels(values: Any) -> Labels:
        found: list[Any] = list(_NONE)
        for at, column, get, read in wanted:
            value = get(values)
            if value is not ABSENT and value is not None:
                try:
                    found[at] = read(value)
                except BadValue as error:
                    raise At(column, value, error) from None
        return found[0], found[1], found[2], found[3], found[4]

    return labels


def _getter(column: str, places: dict[str, int] | None) -> Callable[[Any], Any]:
    if places is not None:
        return itemgetter(places[column])
    return lambda values: values.get(column, ABSENT)


def _tags(value: Any) -> list[str]:
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return list(dict.fromkeys(tag.strip() for tag in value.split(",") if tag.strip()))
    tags = reader("json")(value)
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise BadValue("not_tags", 'Tags are texts: refunds, billing or ["refunds", "billing"].')
    return tags


def _scorers(value: Any) -> str | None:
    scorers = reader("json")(value)
    if scorers is ABSENT or scorers is None:
        return None
    if not isinstance(scorers, list):
        raise BadValue("not_scorers", 'Scorers are a JSON list, such as ["exact_match"].')
    return json.dumps(scorers)


def _split(value: Any) -> str:
    return _short(value, "A split", MAX_SPLIT).strip()


def _source(value: Any) -> str:
    return _short(value, "A source", MAX_SOURCE)


def _short(value: Any, what: str, limit: int) -> str:
    if not isinstance(value, str):
        raise BadValue("not_text", f"{what} is a text.")
    if len(value) > limit:
        raise BadValue("too_long", f"{what} has at most {limit} characters.")
    return value


def _external_id(value: Any) -> str | None:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadValue("not_text", "An external id is a text or a whole number.")
    text = str(value)
    if len(text) > MAX_EXTERNAL_ID:
        raise BadValue("too_long", f"An external id has at most {MAX_EXTERNAL_ID} characters.")
    return text if text.strip() else None


_READERS: dict[Destination, Callable[[Any], Any]] = {
    "tags": _tags,
    "split": _split,
    "scorers": _scorers,
    "external_id": _external_id,
    "source": _source,
}
