"""Slugs made of names: what stands in addresses for a thing that people named."""

from __future__ import annotations

from collections.abc import Container

from django.utils.text import slugify

MAX_SLUG = 80
_ROOM = 10  # for the number after a taken one


def free_slug(name: str, word: str, *, taken: Container[str], reserved: Container[str] = ()) -> str:
    """A slug that is neither `taken` nor `reserved`.

    `word` (such as "target") is the slug when no letter is left of the name, and follows a reserved
    one.
    """
    plain = slugify(name)[:MAX_SLUG] or word
    if plain in reserved:
        plain = f"{plain}-{word}"
    slug, number = plain, 2
    while slug in taken:
        slug = f"{plain[: MAX_SLUG - _ROOM]}-{number}"
        number += 1
    return slug
