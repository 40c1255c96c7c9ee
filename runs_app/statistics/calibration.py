"""How well a scorer agrees with people: agreement, Cohen's kappa, correlation, mean error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runs_app.statistics.classification import Classification, classify, coded, label
from runs_app.statistics.intervals import mean_within
from runs_app.statistics.paired import correlation
from runs_app.statistics.values import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a scorer said of items beside what people said, as classes. ``figures.accuracy`` is the
    share of items on which both say the same; ``kappa`` that share beyond chance: 1 is full
    agreement, 0 what guessing gives, None when both always say one same thing."""

    figures: Classification
    kappa: float | None

    def to_json(self) -> dict[str, Any]:
        return {**self.figures.to_json(), "kappa": self.kappa}


@dataclass(frozen=True, slots=True)
class Closeness:
    """Scores beside people's numbers for the same ``n`` items. ``pearson`` and ``spearman`` are
    None when one of the two never varies. ``mean_error`` is score minus label,
    ``mean_absolute_error`` its size; the interval is None for one item and for equal errors."""

    n: int
    pearson: float | None
    spearman: float | None
    mean_error: float
    mean_error_ci95: Interval | None
    mean_absolute_error: float

    def to_json(self) -> dict[str, Any]:
        error = self.mean_error_ci95
        return {
            "n": self.n,
            "pearson": self.pearson,
            "spearman": self.spearman,
            "mean_error": self.mean_error,
            "mean_error_ci95": None if error is None else error.to_json(),
            "mean_absolute_error": self.mean_absolute_error,
        }


def agreement(labels: Sequence[str], given: Sequence[str]) -> Agreement:
    """People's labels and what the scorer gave, aligned by item. Raises ValueError without items
    and for columns that are not aligned."""
    figures = classify(label(labels, given))
    return Agreement(figures, cohens_kappa(labels, given))


def closeness(scores: NDArray[np.float64], labels: NDArray[np.float64]) -> Closeness:
    """Scores and people's numbers, aligned by item. Raises ValueError without items and for arrays
    that are not aligned."""
    import numpy as np

    if len(scores) == 0 or len(scores) != len(labels):
        raise ValueError("scores and labels must be there, and aligned by item")
    errors = scores - labels
    return Closeness(
        n=len(scores),
        pearson=correlation(scores, labels),
        spearman=correlation(ranks(scores), ranks(labels)),
        mean_error=float(errors.mean()),
        mean_error_ci95=mean_within(errors, None).interval,
        mean_absolute_error=float(np.abs(errors).mean()),
    )


def cohens_kappa(a: Sequence[str], b: Sequence[str]) -> float | None:
    """Agreement beyond chance of two aligned raters; None when both always say one same thing."""
    import numpy as np

    n = len(a)
    names, (ours, theirs) = coded(a, b)
    size = len(names)
    seen = np.count_nonzero(ours == theirs) / n
    shares = np.bincount(ours, minlength=size) / n * (np.bincount(theirs, minlength=size) / n)
    chance = float(shares.sum())
    return None if size == 1 else float((seen - chance) / (1 - chance))


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1; equal values share the mean of theirs."""
    import numpy as np

    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle: NDArray[np.float64] = ends - (counts - 1) / 2
    return middle[places]
