"""How well a scorer agrees with people: agreement, Cohen's kappa, correlation, mean error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runs_app.statistics.intervals import mean_t, wilson
from runs_app.statistics.paired import correlation
from runs_app.statistics.values import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Calibration:
    """A scorer against the labels of the same ``n`` items.

    ``agreement`` is the share of items on which both say the same, ``kappa`` that share beyond
    chance: 1 is full agreement, 0 what guessing gives, None when both always say one same thing.
    ``pearson`` and ``spearman`` are None when one of the two never varies. ``mean_error`` is score
    minus label, ``mean_absolute_error`` its size.
    """

    n: int
    agreement: float
    agreement_ci95: Interval
    kappa: float | None
    pearson: float | None
    spearman: float | None
    mean_error: float
    mean_error_ci95: Interval | None
    mean_absolute_error: float

    def to_json(self) -> dict[str, Any]:
        error = self.mean_error_ci95
        return {
            "n": self.n,
            "agreement": self.agreement,
            "agreement_ci95": self.agreement_ci95.to_json(),
            "kappa": self.kappa,
            "pearson": self.pearson,
            "spearman": self.spearman,
            "mean_error": self.mean_error,
            "mean_error_ci95": None if error is None else error.to_json(),
            "mean_absolute_error": self.mean_absolute_error,
        }


def calibrate(
    scores: NDArray[np.float64],
    labels: NDArray[np.float64],
    *,
    pass_mark: float | None = None,
    tolerance: float = 0.0,
) -> Calibration:
    """Aligned scores and labels, both numbers.

    With ``pass_mark`` both agree when both reach it, or neither does; else when they lie within
    ``tolerance`` of each other, and kappa compares the values as they are. Raises ValueError
    without items.
    """
    import numpy as np

    if len(scores) == 0 or len(scores) != len(labels):
        raise ValueError("scores and labels must be there, and aligned by item")
    n = len(scores)
    if pass_mark is not None:
        ours, theirs = (scores >= pass_mark).astype(float), (labels >= pass_mark).astype(float)
        agree = int(np.count_nonzero(ours == theirs))
    else:
        ours, theirs = scores, labels
        agree = int(np.count_nonzero(np.abs(scores - labels) <= tolerance))
    errors = mean_t(scores - labels)
    return Calibration(
        n=n,
        agreement=agree / n,
        agreement_ci95=wilson(agree, n),
        kappa=cohens_kappa(ours, theirs),
        pearson=correlation(scores, labels),
        spearman=correlation(ranks(scores), ranks(labels)),
        mean_error=float((scores - labels).mean()),
        mean_error_ci95=errors.interval,
        mean_absolute_error=float(np.abs(scores - labels).mean()),
    )


def cohens_kappa(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Agreement beyond chance of two aligned raters; None when both always say one same thing."""
    import numpy as np

    n = len(a)
    names, codes = np.unique(np.concatenate([a, b]), return_inverse=True)
    ours, theirs = codes[:n], codes[n:]
    size = len(names)
    seen = np.count_nonzero(ours == theirs) / n
    shares = np.bincount(ours, minlength=size) / n * (np.bincount(theirs, minlength=size) / n)
    chance = float(shares.sum())
    return None if chance >= 1 else float((seen - chance) / (1 - chance))


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1; equal values share the mean of theirs."""
    import numpy as np

    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle: NDArray[np.float64] = ends - (counts - 1) / 2
    return middle[places]
