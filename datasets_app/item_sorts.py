"""The orders in which items are listed, as keys to page by.

An order is one or two stretches, each with a key that an index has in this order. The second one
holds the items that have nothing to be sorted by; they come last, by number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import F, OrderBy, Q


@dataclass(frozen=True, slots=True)
class Stretch:
    """`fields` is the key, all rising or all falling; it tells any two items apart."""

    fields: tuple[str, ...]
    falling: bool = False
    only: Q = Q()  # noqa: RUF009

    def order(self, *, backwards: bool = False) -> list[str]:
        """For `order_by`."""
        sign = "-" if self.falling != backwards else ""
        return [sign + name for name in self.fields]

    def after(self, key: tuple[Any, ...], *, backwards: bool = False, inclusive: bool = False) -> Q:
        """The rows past `key`.

        The bound on the first field alone is what an index goes to: without it SQLite reads from
        the start, because Django writes a comparison of keys as an OR.
        """
        word = "lt" if self.falling != backwards else "gt"
        first, *rest = self.fields
        if not rest:
            return Q(**{f"{first}__{word}{'e' if inclusive else ''}": key[0]})
        second = rest[0]
        tail = Q(**{first: key[0], f"{second}__{word}{'e' if inclusive else ''}": key[1]})
        return Q(**{f"{first}__{word}e": key[0]}) & (Q(**{f"{first}__{word}": key[0]}) | tail)


@dataclass(frozen=True, slots=True)
class Sort:
    """One order: how it is called in a menu, its stretches, and all of it for `order_by`."""

    label: str
    stretches: tuple[Stretch, ...]
    everything: tuple[str | OrderBy, ...]


_BY_NUMBER: Final = ("number",)
SORTS: Final[dict[str, Sort]] = {
    "number": Sort("Number", (Stretch(_BY_NUMBER),), _BY_NUMBER),
    "-number": Sort("Number, newest first", (Stretch(_BY_NUMBER, falling=True),), ("-number",)),
    "changed": Sort(
        "Last changed",
        (Stretch(("version_from", "number"), falling=True),),
        ("-version_from", "-number"),
    ),
    "external_id": Sort(
        "External ID",
        (
            Stretch(("external_id",), only=Q(external_id__isnull=False)),
            Stretch(_BY_NUMBER, only=Q(external_id__isnull=True)),
        ),
        (F("external_id").asc(nulls_last=True), "number"),
    ),
    "split": Sort(
        "Split",
        (
            Stretch(("split", "number"), only=~Q(split="")),
            Stretch(_BY_NUMBER, only=Q(split="")),
        ),
        (OrderBy(Q(split="")), "split", "number"),  # type: ignore[arg-type]
    ),
}
