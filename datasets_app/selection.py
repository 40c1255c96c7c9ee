"""Which items somebody means: named by their numbers, or all that match a query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from datasets_app.item_query import ItemQuery
from evalhub.kit.errors import FieldError, Invalid
from evalhub.kit.whole import LARGEST_NUMBER

MAX_NUMBERS = 10_000
_NAMES = ("version", "where", "q", "split", "numbers", "except", "all")


@dataclass(frozen=True, slots=True)
class Selection:
    """Items as they were at `version`: those of `numbers`, or, with `everything`, all that match
    the query but those of `except_numbers`. Both lists are in order.
    """

    version: int
    query: ItemQuery = field(default_factory=ItemQuery)
    everything: bool = False
    numbers: tuple[int, ...] = ()
    except_numbers: tuple[int, ...] = ()

    def to_params(self) -> dict[str, Any]:
        """As JSON, for a job; `from_params` reads it."""
        return {
            "version": self.version,
            "q": self.query.q,
            "where": self.query.where,
            "split": self.query.split,
            "everything": self.everything,
            "numbers": list(self.numbers),
            "except": list(self.except_numbers),
        }

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Selection:
        return cls(
            version=params["version"],
            query=ItemQuery(q=params["q"], where=params["where"], split=params["split"]),
            everything=params["everything"],
            numbers=tuple(params["numbers"]),
            except_numbers=tuple(params["except"]),
        )

    @property
    def is_empty(self) -> bool:
        """Whether it names nothing; a query may still match nothing."""
        return not self.everything and not self.numbers


def written(numbers: Iterable[int]) -> str:
    """Item numbers as text, such as "1-50,60"; `exports.parse_numbers` reads it."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)


def parse_selection(given: object, version: int, *, pointer: str = "") -> Selection:
    """The selection in a JSON body: `{where, q, split, numbers, except, all, version}`.

    A query, or `"all": true`, selects all that match; without either, `numbers` name the items.
    `version` holds where the body names none. Raises Invalid with a pointer: nothing selected at
    all is refused, so that a forgotten filter never means the whole dataset.
    """

    def refuse(name: str, detail: str) -> NoReturn:
        raise Invalid(detail, errors=[FieldError(f"{pointer}{name}", detail)])

    if not isinstance(given, Mapping):
        refuse("", 'A selection is an object, such as {"where": "split = \\"test\\""}.')
    for name in given:
        if name not in _NAMES:
            refuse(f"/{name}", f"A selection has no “{name}”. It has: {', '.join(_NAMES)}.")
    texts: dict[str, str] = {}
    for name in ("where", "q", "split"):
        text = given.get(name, "")
        if not isinstance(text, str):
            refuse(f"/{name}", f"“{name}” is a text.")
        texts[name] = text.strip()
    everything = given.get("all", False)
    if not isinstance(everything, bool):
        refuse("/all", "“all” is true or false.")
    at = given.get("version", version)
    if type(at) is not int:
        refuse("/version", "A version is a whole number.")
    lists: dict[str, tuple[int, ...]] = {}
    for name in ("numbers", "except"):
        numbers = given.get(name, [])
        if not isinstance(numbers, list) or not all(type(one) is int for one in numbers):
            refuse(f"/{name}", f"“{name}” is a list of item numbers.")
        lists[name] = in_order(numbers, f"{pointer}/{name}")
    everything = everything or any(texts.values())
    if everything and lists["numbers"]:
        refuse("/numbers", "Select by numbers or by a query, not by both.")
    if not everything and lists["except"]:
        refuse("/except", "“except” narrows a query. Leave the numbers out instead.")
    if not everything and not lists["numbers"]:
        refuse("", "Nothing is selected. Give numbers, a query, or “all”: true.")
    return Selection(at, ItemQuery(**texts), everything, lists["numbers"], lists["except"])


def in_order(numbers: Iterable[int], pointer: str) -> tuple[int, ...]:
    """The numbers once each. Raises Invalid for too many, and for what is no item's number."""
    found = tuple(sorted(set(numbers)))
    if len(found) > MAX_NUMBERS:
        detail = f"Name at most {MAX_NUMBERS:,} items by number. Use a query for more."
        raise Invalid(detail, errors=[FieldError(pointer, detail)])
    if found and not 0 < found[0] <= found[-1] <= LARGEST_NUMBER:
        detail = "Item numbers begin at 1."
        raise Invalid(detail, errors=[FieldError(pointer, detail)])
    return found
