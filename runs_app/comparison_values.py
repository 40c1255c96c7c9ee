"""What goes into a comparison of two runs, and what comes out. All values are frozen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from runs_app.statistics.difference import CiMethod, Difference, PMethod
from runs_app.statistics.judging import Kind as Kind
from runs_app.statistics.repetitions import RepeatedSide, Repetitions
from runs_app.statistics.values import Interval, SecondOpinion, Target
from runs_app.statistics.verdict import Code, LeftOut, Tone, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Pairing:
    """How the items of two runs meet. ``paired`` counts all pairs, and the last three count
    pairs among them; ``not_scored`` are pairs without an error that lack a score."""

    paired: int
    only_a: int
    only_b: int
    content_changed: int
    errored_a: int
    errored_b: int
    not_scored: int

    def to_json(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Codes (0 and up) of the clusters that the values of a ``ScorerInput`` stand in, aligned with
    its arrays: ``pairs`` with ``a`` and ``b``, ``zeros`` with ``zero_a``."""

    pairs: NDArray[np.int64]
    a_all: NDArray[np.int64]
    b_all: NDArray[np.int64]
    zeros: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ScorerInput:
    """The values of one scorer in both runs.

    ``a_all`` and ``b_all`` are every scored value of each run, for its own mean. ``a`` and ``b``
    are the pairs that both runs scored, aligned. ``excluded`` counts pairs with an error in either
    run, ``not_scored`` the other pairs without both values. ``zero_a`` and ``zero_b`` are the
    excluded pairs with 0 for the run that failed and the score of the other; pairs whose other
    result is not scored stay out. ``low`` and ``high`` are the declared range of a continuous
    scorer, both None without one. Binary values are 0 and 1. No array holds NaN.

    ``errored`` counts the pairs in error in A and in B when they are not those of the pairing.
    ``repeated`` is there when items ran more than once in either run.
    """

    name: str
    kind: Kind
    higher_is_better: bool
    low: float | None
    high: float | None
    primary: bool
    margin_points: float
    tie_tolerance: float
    a_all: NDArray[np.float64]
    b_all: NDArray[np.float64]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    not_scored: int
    excluded: int
    zero_a: NDArray[np.float64] | None = None
    zero_b: NDArray[np.float64] | None = None
    errored: tuple[int, int] | None = None
    clusters: Clusters | None = None
    repeated: tuple[RepeatedSide, RepeatedSide] | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One run's own mean (a pass rate for a binary scorer) with its Wilson or t interval."""

    n: int
    mean: float | None
    ci95: Interval | None

    def to_json(self) -> dict[str, Any]:
        return {"n": self.n, "mean": self.mean, "ci95": _json(self.ci95)}


@dataclass(frozen=True, slots=True)
class ErrorsAsZero:
    """The paired figures if a failed result had scored 0."""

    n: int
    delta: float
    ci95: Interval | None
    improved: int
    regressed: int
    unchanged: int

    def to_json(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "delta": self.delta,
            "ci95": _json(self.ci95),
            "improved": self.improved,
            "regressed": self.regressed,
            "unchanged": self.unchanged,
        }


@dataclass(frozen=True, slots=True)
class ScorerComparison:
    """What the comparison says of one scorer.

    ``difference`` and every p are None while a run is in progress (means only) and below 10 pairs
    (counts only). ``q`` is None for the primary scorer, whose p stands alone. ``both_pass`` and
    ``both_fail`` are for binary scorers. ``errors_as_zero`` is None without errors, and when lower
    is better, where 0 would reward them. ``point`` is a hundredth of the range, None without one.
    ``target`` is the next difference worth looking for, with the items that it needs.
    """

    name: str
    kind: Kind
    primary: bool
    higher_is_better: bool
    margin_points: float
    point: float | None
    a: Side
    b: Side
    pairs: int
    left_out: LeftOut
    difference: Difference | None
    second_opinion: SecondOpinion | None
    p: float | None
    p_method: PMethod | None
    q: float | None
    improved: int
    regressed: int
    unchanged: int
    both_pass: int | None
    both_fail: int | None
    errors_as_zero: ErrorsAsZero | None
    notes: tuple[str, ...]
    verdict: Verdict
    target: Target | None = None
    repetitions: Repetitions | None = None

    @property
    def delta(self) -> float | None:
        """The mean of B - A over the pairs."""
        return None if self.difference is None else self.difference.delta

    @property
    def ci95(self) -> Interval | None:
        return None if self.difference is None else self.difference.ci95

    @property
    def ci_method(self) -> CiMethod | None:
        return None if self.difference is None else self.difference.ci_method

    @property
    def code(self) -> Code:
        return self.verdict.code

    @property
    def badge(self) -> str:
        return self.verdict.badge

    @property
    def sentence(self) -> str:
        return self.verdict.sentence

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "primary": self.primary,
            "a": self.a.to_json(),
            "b": self.b.to_json(),
            "delta": self.delta,
            "ci95": _json(self.ci95),
            "ci_method": self.ci_method,
            "p": self.p,
            "p_method": self.p_method,
            "q": self.q,
            "improved": self.improved,
            "regressed": self.regressed,
            "unchanged": self.unchanged,
            "verdict": self.verdict.code,
            "sentence": self.verdict.sentence,
            "margin": self.margin_points,
            "point": self.point,
            "pairs": self.pairs,
            "left_out": self.left_out.pairs,
            "both_pass": self.both_pass,
            "both_fail": self.both_fail,
            **self._more_json(),
        }

    def _more_json(self) -> dict[str, Any]:
        """The figures behind the verdict, each None where it does not apply."""
        found, second, target = self.difference, self.second_opinion, self.target
        zero, repeated = self.errors_as_zero, self.repetitions
        clusters = None
        if found is not None and found.clusters is not None:
            naive = found.naive_standard_error
            clusters = {
                "count": found.clusters,
                "naive_standard_error": naive,
                "ratio": found.standard_error / naive if naive else None,
            }
        return {
            "ci90": None if found is None else _json(found.ci90),
            "standard_error": None if found is None else found.standard_error,
            "exact_p": None if found is None else found.exact_p,
            "correlation": None if found is None else found.correlation,
            "detectable": None if found is None else found.detectable,
            "required": target and {"points": target.points, "items": target.items},
            "second_opinion": second
            and {
                "reason": second.reason,
                "sign_flip_p": second.sign_flip_p,
                "bca95": second.bca95.to_json(),
            },
            "errors_as_zero": None if zero is None else zero.to_json(),
            "clusters": clusters,
            "repetitions": None if repeated is None else repeated.to_json(),
        }


@dataclass(frozen=True, slots=True)
class HeadlineLine:
    """One line of the box at the top: what happened, and the figures behind it."""

    tone: Tone
    text: str
    detail: str


def _json(interval: Interval | None) -> list[float] | None:
    return None if interval is None else interval.to_json()
