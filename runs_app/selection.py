"""Which items of a version a run takes: {"split", "where", "limit", "sample", "seed", "failed_of"}.

The parts narrow one after the other: the split and the filter, the items that failed in another
run, a sample, and at last the first n. The rules are pure; only `choose` reads.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from datasets_app import public
from datasets_app.public import DatasetRow
from evalhub.access.models import Project
from evalhub.kit.errors import FieldError, Invalid
from evalhub.kit.whole import LARGEST_NUMBER
from runs_app.models import Result, Run

MAX_SPLIT_CHARS = 60
MAX_SAMPLE = 1_000_000  # their numbers are kept with the run
_NUMBERS = {
    "limit": (1, LARGEST_NUMBER, "The number of items to run is at least 1."),
    "sample": (1, MAX_SAMPLE, f"A sample has 1 to {MAX_SAMPLE:,} items."),
    "seed": (0, LARGEST_NUMBER, f"A seed is a whole number from 0 to {LARGEST_NUMBER:,}."),
    "failed_of": (1, LARGEST_NUMBER, "Name the other run by its number."),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """The items that were asked for; nothing set means all of them.

    `where` is a filter as the items page has it; `failed_of` is the number of a run of the same
    project and dataset.
    """

    split: str = ""
    limit: int | None = None
    sample: int | None = None
    seed: int | None = None
    failed_of: int | None = None
    where: str = ""

    @property
    def listed(self) -> bool:
        """Whether the item numbers have to be listed, because no order of reading gives them."""
        return self.sample is not None or self.failed_of is not None or bool(self.where)

    def as_dict(self) -> dict[str, Any]:
        """What a run keeps: the parts that are set."""
        parts = {name: getattr(self, name) for name in ("split", "where", *_NUMBERS)}
        return {name: value for name, value in parts.items() if value not in (None, "")}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a selection came to. `numbers` is None when the items can be read lazily, in order."""

    selection: Selection
    total: int
    numbers: list[int] | None


def parse(given: Mapping[str, Any] | None) -> Selection:
    """The selection that `given` asks for. Raises Invalid with pointers under /selection."""
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise _invalid([FieldError("/selection", "A selection is an object.")])
    problems = [
        FieldError(f"/selection/{name}", f"A selection knows no “{name}”.")
        for name in given
        if name not in ("split", "where") and name not in _NUMBERS
    ]
    split = given.get("split") or ""
    if not isinstance(split, str) or len(split) > MAX_SPLIT_CHARS:
        detail = f"A split is a text of at most {MAX_SPLIT_CHARS} characters."
        problems.append(FieldError("/selection/split", detail))
    where = given.get("where") or ""
    if not isinstance(where, str):
        problems.append(FieldError("/selection/where", "A filter is a text."))
    elif where:
        try:
            public.check_filter(where)
        except Invalid as error:
            problems.append(FieldError("/selection/where", error.detail))
    numbers: dict[str, int | None] = {}
    for name, (low, high, detail) in _NUMBERS.items():
        value = numbers[name] = given.get(name)
        if value is not None and (type(value) is not int or not low <= value <= high):
            problems.append(FieldError(f"/selection/{name}", detail))
    if numbers["seed"] is not None and numbers["sample"] is None:
        detail = "A seed belongs to a sample. Say how many items the sample has."
        problems.append(FieldError("/selection/seed", detail))
    if problems:
        raise _invalid(problems)
    return Selection(split=split, where=where, **numbers)


def choose(project: Project, dataset: DatasetRow, version: int, selection: Selection) -> Chosen:
    """The items at `version` that `selection` comes to; a sample gets a seed when it has none.

    Raises Invalid with a pointer when there is not one.
    """
    if not selection.listed:
        total = public.count_items(dataset.id, version, selection.split)
        _require(total, "split", f"{_where(dataset, version, selection.split)} has no items.")
        return Chosen(selection, first_n(total, selection.limit), None)
    numbers = public.item_numbers(dataset.id, version, selection.split, selection.where)
    there = _where(dataset, version, selection.split)
    if selection.where:
        _require(len(numbers), "where", f"{there} has no item that matches the filter.")
    _require(len(numbers), "split", f"{there} has no items.")
    if selection.failed_of is not None:
        failed = _failed_in(project, dataset, selection.failed_of)
        numbers = [number for number in numbers if number in failed]
        detail = f"None of the errors in run {selection.failed_of} is an item of "
        detail += f"{_where(dataset, version, selection.split)}."
        _require(len(numbers), "failed_of", detail)
    if selection.sample is not None:
        seed = random.randrange(LARGEST_NUMBER) if selection.seed is None else selection.seed
        selection = replace(selection, seed=seed)
        numbers = draw(numbers, selection.sample, seed)
    numbers = numbers[: first_n(len(numbers), selection.limit)]
    return Chosen(selection, len(numbers), numbers)


def expect(
    project: Project, dataset: DatasetRow, version: int, selection: Selection
) -> tuple[int, bool]:
    """How many items `choose` would come to, told in bounded time: the matches of a filter are
    counted only so far, and when the second is False there may be more.

    Raises what `choose` does.
    """
    if selection.failed_of is not None:
        return choose(project, dataset, version, selection).total, True
    split, where = selection.split, selection.where
    if where:
        found, exact = public.count_matching(dataset.id, version, split, where)
    elif split:
        found, exact = public.count_items(dataset.id, version, split), True
    else:
        found, exact = public.version_item_count(dataset.id, version) or 0, True
    there = _where(dataset, version, split)
    if where and exact:
        _require(found, "where", f"{there} has no item that matches the filter.")
    elif exact:
        _require(found, "split", f"{there} has no items.")
    total = first_n(first_n(found, selection.sample), selection.limit)
    return total, exact or total in (selection.sample, selection.limit)


def draw(numbers: list[int], size: int | None, seed: int) -> list[int]:
    """`size` of the numbers by chance, in order; all of them when there are no more. The same seed
    draws the same ones."""
    if size is None or size >= len(numbers):
        return numbers
    return sorted(random.Random(seed).sample(numbers, size))


def first_n(total: int, limit: int | None) -> int:
    """How many of `total` items are left under a limit."""
    return total if limit is None else min(total, limit)


def _failed_in(project: Project, dataset: DatasetRow, number: int) -> set[int]:
    """The items with at least one error in the run of that number."""
    run = Run.objects.listed().filter(project=project, number=number).first()
    if run is None:
        _require(0, "failed_of", f"There is no run {number} in the project {project.name}.")
    elif run.dataset_id != dataset.id:
        _require(0, "failed_of", f"Run {number} is of another dataset than {dataset.name}.")
    errors = Result.objects.filter(run=run).exclude(error_type="").order_by()
    found = set(errors.values_list("item_number", flat=True).distinct())
    _require(len(found), "failed_of", f"Run {number} has no errors.")
    return found


def _where(dataset: DatasetRow, version: int, split: str) -> str:
    return f"the split “{split}” of {dataset.name} v{version}" if split else f"v{version}"


def _require(count: int, part: str, detail: str) -> None:
    if not count:
        detail = detail[0].upper() + detail[1:]
        raise _invalid([FieldError(f"/selection/{part}", detail)])


def _invalid(problems: list[FieldError]) -> Invalid:
    return Invalid(problems[0].detail, errors=problems)
