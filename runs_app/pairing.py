"""Which results of two runs are about the same item with the same content. Pure: arrays and ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells an item revision apart beyond its number."""

    external_id: str | None
    content_hash: str


Identify = Callable[[Sequence[int]], Sequence[Identity]]
"""Gives the identities of item revisions, in the order of their ids."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Places in the arrays of run A and run B. `a[i]` and `b[i]` are a pair; `changed_a[i]` and
    `changed_b[i]` the same item with other content; the rest stands in one run only."""

    a: Places
    b: Places
    changed_a: Places
    changed_b: Places
    only_a: Places
    only_b: Places


def pair_by_number(
    numbers: tuple[NDArray[np.int64], NDArray[np.int64]],
    revisions: tuple[NDArray[np.int64], NDArray[np.int64]],
    identify: Identify,
) -> Pairs:
    """Runs of one dataset: by item number, then by revision, or content when the revision differs.

    Both `numbers` are sorted and hold no number twice. `identify` is asked for revisions that
    differ.
    """
    import numpy as np

    if np.array_equal(*numbers):  # the common case, which need not sort a million numbers
        a = b = np.arange(len(numbers[0]))
    else:
        _, a, b = np.intersect1d(*numbers, assume_unique=True, return_indices=True)
    same = revisions[0][a] == revisions[1][b]
    differ = np.flatnonzero(~same)
    if len(differ):
        ours = identify(revisions[0][a[differ]].tolist())
        theirs = identify(revisions[1][b[differ]].tolist())
        same[differ] = [
            one.content_hash == other.content_hash for one, other in zip(ours, theirs, strict=True)
        ]
    return Pairs(
        a=a[same],
        b=b[same],
        changed_a=a[~same],
        changed_b=b[~same],
        only_a=_rest(len(numbers[0]), a),
        only_b=_rest(len(numbers[1]), b),
    )


def pair_by_identity(ours: Sequence[Identity], theirs: Sequence[Identity]) -> Pairs:
    """Runs of two datasets, whose numbers mean nothing to each other: by external id; what is left
    by content, where that content stands once in each run."""
    partner = {
        item.external_id: place for place, item in enumerate(theirs) if item.external_id is not None
    }
    met = [
        (place, partner[item.external_id])
        for place, item in enumerate(ours)
        if item.external_id is not None and item.external_id in partner
    ]
    same = [(a, b) for a, b in met if ours[a].content_hash == theirs[b].content_hash]
    changed = [(a, b) for a, b in met if ours[a].content_hash != theirs[b].content_hash]
    left_a = _once(ours, {a for a, _ in met})
    left_b = _once(theirs, {b for _, b in met})
    same += [(place, left_b[key]) for key, place in left_a.items() if key in left_b]
    same.sort()
    a, b = _places(a for a, _ in same), _places(b for _, b in same)
    changed_a, changed_b = _places(a for a, _ in changed), _places(b for _, b in changed)
    return Pairs(
        a=a,
        b=b,
        changed_a=changed_a,
        changed_b=changed_b,
        only_a=_rest(len(ours), a, changed_a),
        only_b=_rest(len(theirs), b, changed_b),
    )


def _once(items: Sequence[Identity], met: set[int]) -> dict[str, int]:
    """{content hash: place} of the items that are not met yet and whose content stands once."""
    left = [place for place in range(len(items)) if place not in met]
    counts = Counter(items[place].content_hash for place in left)
    return {
        items[place].content_hash: place for place in left if counts[items[place].content_hash] == 1
    }


def _places(places: Iterable[int]) -> Places:
    import numpy as np

    return np.fromiter(places, dtype=np.intp)


def _rest(count: int, *used: Places) -> Places:
    import numpy as np

    free = np.ones(count, dtype=bool)
    for places in used:
        free[places] = False
    return np.flatnonzero(free)
