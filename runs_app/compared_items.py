"""The items of a comparison, one filter at a time: what regressed, what improved, what fell out.

Order and counts come from the joined arrays; only the rows of the page are fetched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datasets_app.public import ItemRow
from evalhub.kit.errors import NotFound
from runs_app.joining import Joined, SharedScorer, join, shared_scorers
from runs_app.models import Result, Run
from runs_app.results import ResultRow, matching, rows_of
from runs_app.statistics.difference import ROUNDING
from runs_app.vectors import MEMORY, key_of, label_stamp, labels_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.intp]

Slice = tuple[str, str]
"""A field of the items and one of its values, as `labels.Labels` names it."""

Repeated = Sequence[ResultRow]  # one item's results, a row for each repetition

PAGE_SIZE = 20
GROUPS = (
    "regressed",
    "improved",
    "unchanged",
    "only_a",
    "only_b",
    "errors",
    "not_scored",
    "changed",
)


@dataclass(frozen=True, slots=True)
class ComparedItem:
    """One item of a comparison, in one of GROUPS. "changed" means that its content did.

    `number` is the item's number in A, or in B when it is there only; `item` is what A saw, else B.
    `a` and `b` are the first repetitions without an error, if any; the values are means over all
    that scored. `change` is B - A, None unless both values exist.
    """

    number: int
    group: str
    item: ItemRow
    a: ResultRow | None
    b: ResultRow | None
    value_a: float | None
    value_b: float | None
    change: float | None


@dataclass(frozen=True, slots=True)
class ComparedItems:
    """A page of compared items. `after` and `before` are the offsets of the next and previous page,
    None at the ends; `first` is the offset of this one. `counts` has every group, whatever `q`;
    `total` is how many match group and `q`."""

    rows: Sequence[ComparedItem]
    counts: Mapping[str, int]
    first: int
    after: int | None
    before: int | None
    total: int


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Places in A and B, -1 where the other run has nothing; `size` orders the group, largest
    first."""

    a: Places
    b: Places
    size: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.a)


def items_page(
    run_a: Run,
    run_b: Run,
    *,
    scorer: str = "",
    show: str = "regressed",
    after: int | None = None,
    size: int = PAGE_SIZE,
    q: str = "",
    within: Slice | None = None,
) -> ComparedItems:
    """A page of one group from offset `after`, largest change first, then by number.

    `scorer` is the name of a scorer of both runs, empty for the primary one. `q` is looked for in
    the outputs and error messages of both runs. With `within` only items of that slice are shown
    and counted. Raises NotFound for a group or scorer that is not there.
    """
    if show not in GROUPS:
        raise NotFound(f"There is no filter “{show}”. There are: {', '.join(GROUPS)}.")
    chosen = choose_scorer(run_a, run_b, scorer)
    order = _order(run_a, run_b, chosen, show, within)
    numbers_a, numbers_b = order.a, order.b
    if q:
        numbers_a, numbers_b = _search((run_a, run_b), numbers_a, numbers_b, q)
    first, total = min(max(after or 0, 0), len(numbers_a)), len(numbers_a)
    page = slice(first, first + size)
    runs = run_a, run_b
    rows = _rows(runs, chosen, show, numbers_a[page].tolist(), numbers_b[page].tolist())
    return ComparedItems(
        rows=rows,
        counts=order.counts,
        first=first,
        after=first + size if first + size < total else None,
        before=max(0, first - size) if first else None,
        total=total,
    )


def find_pair(
    run_a: Run, run_b: Run, number: int, scorer: str = "", *, show: str = ""
) -> ComparedItem:
    """The item `number` in both runs, or in the one that has it.

    The number is A's. Across two datasets an item of B alone may share it with another of A: `show`
    "only_b" says that B's is meant. Raises NotFound.
    """
    import numpy as np

    chosen = choose_scorer(run_a, run_b, scorer)
    joined = join(run_a, run_b)
    groups = _groups(joined, chosen)
    sides = [("b", joined.b.numbers)] if show == "only_b" else []
    sides += [("a", joined.a.numbers), ("b", joined.b.numbers)]
    for side, numbers in sides:
        place = int(np.searchsorted(numbers, number))
        if place == len(numbers) or numbers[place] != number:
            continue
        for name, group in groups.items():
            found = np.flatnonzero((group.a if side == "a" else group.b) == place)
            if len(found):
                one = _Group(group.a[found[:1]], group.b[found[:1]])
                numbers_a, numbers_b = _ordered(joined, one)
                runs = run_a, run_b
                return _rows(runs, chosen, name, numbers_a.tolist(), numbers_b.tolist())[0]
    raise NotFound(f"Neither run #{run_a.number} nor run #{run_b.number} has item #{number}.")


def choose_scorer(run_a: Run, run_b: Run, name: str) -> SharedScorer | None:
    """The scorer of both runs called `name`; the primary for "", None when they share none.

    Raises NotFound for another name."""
    shared = shared_scorers(run_a, run_b)
    if not name:
        return shared[0] if shared else None
    for scorer in shared:
        if scorer.name == name:
            return scorer
    raise NotFound(f"Runs #{run_a.number} and #{run_b.number} share no scorer “{name}”.")


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """Item numbers of one group in A and in B, in the order to show, 0 where a run has nothing;
    `counts` has every group."""

    counts: dict[str, int]
    a: NDArray[np.int64]
    b: NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        return self.a.nbytes + self.b.nbytes + 1_000


def _order(
    run_a: Run, run_b: Run, scorer: SharedScorer | None, show: str, within: Slice | None
) -> _Order:
    """The order of one group, kept in memory for runs that are over; that of a slice only as long
    as its packed field is there, for it shows what the items say."""

    def make() -> _Order:
        joined = join(run_a, run_b)
        groups = _groups(joined, scorer)
        if within is not None:
            groups = _within(joined, groups, within)
        counts = {name: len(group) for name, group in groups.items()}
        return _Order(counts, *_ordered(joined, groups[show]))

    runs = (run_a, run_b)
    stamps = tuple(label_stamp(run, within[0]) for run in runs) if within else ()
    if run_a.active or run_b.active or None in stamps:
        return make()
    key = ("items", key_of(run_a), key_of(run_b), scorer and scorer.name, show, within, stamps)
    return MEMORY.get(key, make, lambda order: order.nbytes)


def _groups(joined: Joined, scorer: SharedScorer | None) -> dict[str, _Group]:
    """Every result of both runs in exactly one group."""
    import numpy as np

    pairs = joined.pairs
    errored = joined.errored_a() | joined.errored_b()
    change = np.full(len(pairs.a), np.nan)
    better = 1.0
    if scorer is not None:
        scores = joined.scores(joined.values(scorer))
        change[scores.scored] = (scores.b - scores.a)[scores.scored]
        better = 1.0 if scorer.a.higher_is_better else -1.0
    gain = change * better
    masks = {  # comparisons with NaN are False
        "regressed": gain < -ROUNDING,
        "improved": gain > ROUNDING,
        "unchanged": np.abs(gain) <= ROUNDING,
        "errors": errored,
        "not_scored": ~errored & np.isnan(gain),
    }
    found = {
        name: _Group(pairs.a[mask], pairs.b[mask], np.abs(change[mask]))
        for name, mask in masks.items()
    }
    found["errors"] = _Group(found["errors"].a, found["errors"].b)
    found["not_scored"] = _Group(found["not_scored"].a, found["not_scored"].b)
    found["only_a"] = _Group(pairs.only_a, np.full_like(pairs.only_a, -1))
    found["only_b"] = _Group(np.full_like(pairs.only_b, -1), pairs.only_b)
    found["changed"] = _Group(pairs.changed_a, pairs.changed_b)
    return {name: found[name] for name in GROUPS}


def _within(joined: Joined, groups: dict[str, _Group], within: Slice) -> dict[str, _Group]:
    """The groups with the items of one slice: A's item says which, B's where A has none."""
    import numpy as np

    field, value = within
    sides = []
    for run, vectors in ((joined.run_a, joined.a), (joined.run_b, joined.b)):
        labels = labels_of(run, vectors, field)
        code = labels.names.index(value) if value in labels.names else -2
        sides.append(np.concatenate([labels.codes == code, [False]]))  # place -1: none
    found = {}
    for name, group in groups.items():
        keep = np.where(group.a >= 0, sides[0][group.a], sides[1][group.b])
        size = None if group.size is None else group.size[keep]
        found[name] = _Group(group.a[keep], group.b[keep], size)
    return found


def _ordered(joined: Joined, group: _Group) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Item numbers in A and in B, in the order to show; 0 where the run has nothing."""
    import numpy as np

    # A zero before the numbers makes place -1 the number 0, which no item has.
    a = np.concatenate([joined.a.numbers, [0]])[group.a]
    b = np.concatenate([joined.b.numbers, [0]])[group.b]
    number = np.where(a > 0, a, b)
    keys = (number,) if group.size is None else (number, -group.size)
    order = np.lexsort(keys)
    return a[order], b[order]


def _search(
    runs: tuple[Run, Run], numbers_a: NDArray[np.int64], numbers_b: NDArray[np.int64], q: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Only the items whose output or error in either run holds `q`."""
    import numpy as np

    hit = np.zeros(len(numbers_a), dtype=bool)
    for run, numbers in zip(runs, (numbers_a, numbers_b), strict=True):
        found = Result.objects.filter(matching(q), run=run).values_list("item_number", flat=True)
        hit |= np.isin(numbers, np.fromiter(found.iterator(chunk_size=5_000), dtype=np.int64))
    return numbers_a[hit], numbers_b[hit]


def _rows(
    runs: tuple[Run, Run],
    scorer: SharedScorer | None,
    group: str,
    numbers_a: Sequence[int],
    numbers_b: Sequence[int],
) -> list[ComparedItem]:
    ours = rows_of(runs[0], [number for number in numbers_a if number])
    theirs = rows_of(runs[1], [number for number in numbers_b if number])
    name = scorer.name if scorer else None
    return [
        _row(name, group, ours.get(a, ()), theirs.get(b, ()))
        for a, b in zip(numbers_a, numbers_b, strict=True)
    ]


def _row(scorer: str | None, group: str, all_a: Repeated, all_b: Repeated) -> ComparedItem:
    a, b = _first(all_a), _first(all_b)
    shown = a or b
    if shown is None:
        raise NotFound("This item has no result any more. Load the comparison again.")
    value_a, value_b = _value(all_a, scorer), _value(all_b, scorer)
    change = None if value_a is None or value_b is None else value_b - value_a
    return ComparedItem(
        number=shown.number,
        group=group,
        item=shown.item,
        a=a,
        b=b,
        value_a=value_a,
        value_b=value_b,
        change=change,
    )


def _first(rows: Repeated) -> ResultRow | None:
    return next((row for row in rows if row.status == "ok"), next(iter(rows), None))


def _value(rows: Repeated, scorer: str | None) -> float | None:
    found = [row.scores[scorer].value for row in rows if scorer in row.scores]
    values = [value for value in found if value is not None]
    return sum(values) / len(values) if values else None
