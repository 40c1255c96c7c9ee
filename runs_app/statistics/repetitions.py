"""Items that ran several times: how much of what differs is chance inside the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Advice = Literal["repetitions", "items"]


@dataclass(frozen=True, slots=True, eq=False)
class ItemMoments:
    """One run's items with their repetitions, aligned: the mean, the variance within the item
    (n - 1; NaN for a single repetition), and how many repetitions scored."""

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    count: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RepeatedSide:
    """One run: ``repetitions`` is the mean count by item. ``flaky`` items neither always passed nor
    always failed, None for a continuous scorer. ``within`` is the mean variance inside an item and
    ``noise`` what it adds to the variance of an item's mean; None when nothing ran twice.

    ``pass_at_k`` is the chance that at least one of ``k`` tries passes, ``pass_hat_k`` that all do:
    means over items with k tries or more, for a binary scorer.
    """

    repetitions: float
    flaky: int | None
    within: float | None
    noise: float | None
    k: int | None
    pass_at_k: float | None
    pass_hat_k: float | None

    def to_json(self) -> dict[str, Any]:
        return {
            "repetitions": self.repetitions,
            "flaky": self.flaky,
            "within_variance": self.within,
            "k": self.k,
            "pass_at_k": self.pass_at_k,
            "pass_hat_k": self.pass_hat_k,
        }


@dataclass(frozen=True, slots=True)
class Repetitions:
    """Both runs. ``noise_share`` is the part of the variance of the differences that comes from
    inside the items, None when unknown; ``advice`` is what would narrow the interval more."""

    a: RepeatedSide
    b: RepeatedSide
    noise_share: float | None
    advice: Advice | None

    def to_json(self) -> dict[str, Any]:
        return {
            "a": self.a.to_json(),
            "b": self.b.to_json(),
            "noise_share": self.noise_share,
            "advice": self.advice,
        }


def item_moments(codes: NDArray[np.int64], values: NDArray[np.float64], items: int) -> ItemMoments:
    """The moments of ``items`` items from one value for each repetition; ``codes`` are the places
    of their items. The mean of an item without a value is NaN."""
    import numpy as np

    count = np.bincount(codes, minlength=items)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(codes, weights=values, minlength=items) / count
        deviations = values - mean[codes]
        squares = np.bincount(codes, weights=deviations * deviations, minlength=items)
        variance = np.where(count > 1, squares / (count - 1), np.nan)
    return ItemMoments(mean, variance, count)


def repeated_side(moments: ItemMoments, *, binary: bool) -> RepeatedSide:
    """The figures of one run over the items that have a value."""
    import numpy as np

    known = moments.count > 0
    mean, variance, count = moments.mean[known], moments.variance[known], moments.count[known]
    if not len(mean):
        return RepeatedSide(0.0, 0 if binary else None, None, None, None, None, None)
    several = count > 1
    within = float(variance[several].mean()) if several.any() else None
    noise = float((variance[several] / count[several]).mean()) if several.any() else None
    flaky, k, at, hat = None, None, None, None
    if binary:
        flaky = int(np.count_nonzero((mean > 0) & (mean < 1)))
        k = int(count.max())
        full = count >= k
        passed = np.rint(mean * count).astype(np.int64)
        at = float(pass_at_k(count[full], passed[full], k).mean())
        hat = float(pass_hat_k(count[full], passed[full], k).mean())
    return RepeatedSide(float(count.mean()), flaky, within, noise, k, at, hat)


def weigh(a: RepeatedSide, b: RepeatedSide, omega2: float | None) -> Repetitions:
    """Both runs, with the advice that E[within-item variance] / K against the variance of the
    differences (``omega2``) gives.

    A run whose items ran once hides its noise. What is known is then the least share: it may call
    for repetitions, but not speak against them.
    """
    known = [side.noise for side in (a, b) if side.noise is not None]
    if not known or not omega2:
        return Repetitions(a, b, None, None)
    share = min(1.0, sum(known) / omega2)
    if share > 0.5:
        return Repetitions(a, b, share, "repetitions")
    return Repetitions(a, b, share, "items" if len(known) == 2 else None)


def pass_at_k(tries: NDArray[np.int64], passed: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """By item, the chance that at least one of k tries passes, without bias: 1 - C(n-c, k)/C(n, k).

    Raises ValueError when an item has fewer than k tries.
    """
    return 1.0 - pass_hat_k(tries, tries - passed, k)


def pass_hat_k(tries: NDArray[np.int64], passed: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """By item, the chance that all of k tries pass, without bias: C(c, k) / C(n, k).

    Raises ValueError when an item has fewer than k tries.
    """
    import numpy as np

    if k < 1 or (len(tries) and int(tries.min()) < k):
        raise ValueError(f"{k} of fewer tries cannot be drawn")
    share = np.ones(len(tries))
    for drawn in range(k):
        share *= np.maximum(passed - drawn, 0) / (tries - drawn)
    return share
