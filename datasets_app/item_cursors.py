"""Cursors of item lists: where a page ends, as one word for an address."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from datasets_app.item_sorts import SORTS
from evalhub.kit.errors import Invalid

_LARGEST = 2**31 - 1
_TEXTS = ("external_id", "split")


@dataclass(frozen=True, slots=True)
class Place:
    """A key in one of the stretches of a sort."""

    stretch: int
    key: tuple[Any, ...]


def encode(sort: str, place: Place) -> str:
    """The cursor; by number it is the number itself."""
    if len(SORTS[sort].stretches) == 1 and len(place.key) == 1:
        return str(place.key[0])
    text = json.dumps([place.stretch, *place.key], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(sort: str, cursor: str) -> Place | None:
    """Where the cursor points; None for an empty one. Raises Invalid when it is not of this
    sort."""
    if not cursor:
        return None
    stretches = SORTS[sort].stretches if sort in SORTS else ()
    if not stretches:
        return None  # the query says so itself
    try:
        if len(stretches) == 1 and len(stretches[0].fields) == 1:
            stretch, key = 0, (int(cursor),)
        else:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
            stretch, *rest = json.loads(text)
            key = tuple(rest)
        fields = stretches[stretch].fields
    except (ValueError, TypeError, IndexError, binascii.Error) as error:
        raise _wrong() from error
    if stretch < 0 or len(key) != len(fields):
        raise _wrong()
    for name, value in zip(fields, key, strict=True):
        if name in _TEXTS:
            right = isinstance(value, str) and "\0" not in value
        else:
            right = type(value) is int and 0 <= value <= _LARGEST
        if not right:
            raise _wrong()
    return Place(stretch, key)


def _wrong() -> Invalid:
    return Invalid("This page of the list is not there in this order. Start from the first one.")
