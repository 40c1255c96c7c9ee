"""Paging by key: a page starts after (or before) a number, never at an offset."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from evalhub.kit.errors import Invalid

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of rows. `after`/`before` are the keys for the next and previous page, or None."""

    rows: Sequence[T]
    after: int | None
    before: int | None
    total: int | None = None


def encode_cursor(key: int) -> str:
    """An opaque cursor for the API."""
    return base64.urlsafe_b64encode(f"k{key}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """The key in a cursor; raises Invalid when it is not one of ours."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        if not text.startswith("k"):
            raise ValueError(text)
        return int(text[1:])
    except (ValueError, binascii.Error) as error:
        raise Invalid("This cursor is not valid. Start again without it.") from error
