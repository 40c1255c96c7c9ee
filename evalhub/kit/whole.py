"""Whole numbers in addresses and forms, where anybody may write anything."""

from __future__ import annotations

LARGEST_NUMBER = 2_147_483_647  # of an integer column
LARGEST_ID = 2**63 - 1
_MOST_DIGITS = 19  # of that; int() reads no text of thousands


def whole(text: str, most: int = LARGEST_NUMBER) -> int | None:
    """The whole number of a text; None for what is none, or is larger than `most`."""
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        return None
    return number if (number := int(text)) <= most else None
