"""The orders in which items are listed, as keys to page by.

An order is one or two stretches, each with a key that an index has in this order. The second one
holds the items that have nothing to be sorted by; they come last, by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F, OrderBy, Q
from django.db.models.sql.compiler import SQLCompiler


class KeyCompare(Expression):
    """`(version_from, number) > (2, 17)`, which both databases answer from an index.

    Django would write an OR on SQLite, for which it reads from the start, and PostgreSQL reads all
    that shares the first column.
    """

    output_field = BooleanField()

    def __init__(self, fields: tuple[str, ...], op: str, key: tuple[Any, ...]) -> None:
        super().__init__()
        self.columns: list[Any] = [F(name) for name in fields]
        self.op, self.key = op, key

    def get_source_expressions(self) -> list[Any]:
        return self.columns

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.columns = list(exprs)

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        names = ", ".join(compiler.compile(column)[0] for column in self.columns)
        marks = ", ".join(["%s"] * len(self.key))
        if len(self.key) == 1:
            return f"{names} {self.op} {marks}", self.key
        return f"({names}) {self.op} ({marks})", self.key


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

    def after(
        self, key: tuple[Any, ...], *, backwards: bool = False, inclusive: bool = False
    ) -> KeyCompare:
        """The rows past `key`, for `filter`."""
        sign = "<" if self.falling != backwards else ">"
        return KeyCompare(self.fields, sign + ("=" if inclusive else ""), key)


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
