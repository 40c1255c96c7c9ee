"""How results and scores are shown: values out of their JSON, diffs, figures as tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from datasets_app.diffing import Diff, diff_json, diff_text
from evalhub.kit.figures import decimal, duration_ms, integer, percent
from evalhub.kit.highlight import SHOWN, as_text
from evalhub.kit.json import loads
from evalhub.kit.plots import LatencyProfile
from runs_app import passing
from runs_app.changes import Change
from runs_app.models import Run, RunScorer
from runs_app.queries import ResultRow, ScoreRow

VIEWS = (("diff", "Diff"), ("sides", "Side by side"), ("raw", "Raw"))


@dataclass(frozen=True, slots=True)
class Shown:
    """One result with its values, and the address of its page. `expected` means nothing unless
    `has_expected`, `output` nothing in an error. `mark` is a name that `score_mark` knows, or "ok"
    when no score says more."""

    row: ResultRow
    url: str
    input: Any
    output: Any
    has_expected: bool
    expected: Any
    mark: str
    scores: tuple[ScoreRow | None, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """Two values beside each other; `cut` when only their first SHOWN characters are compared."""

    diff: Diff
    cut: bool

    @property
    def before(self) -> Sequence[Any]:
        return self.diff.sides()[0]

    @property
    def after(self) -> Sequence[Any]:
        return self.diff.sides()[1]


@dataclass(frozen=True, slots=True)
class Tile:
    """One scorer's figures for the summary strip. `change` is that against the baseline, None
    without one."""

    scorer: RunScorer
    binary: bool
    value: str
    interval: str
    note: str
    passed: int
    failed: int
    bins: tuple[int, ...]
    low: float
    high: float
    threshold: float | None
    label: str
    change: Change | None = None


def shown(row: ResultRow, scorers: Sequence[RunScorer], url: str = "") -> Shown:
    """The row with its values; scores in the order of the run's scorers, None where one lacks."""
    expected = row.item.expected_json
    return Shown(
        row=row,
        url=url,
        input=loads(row.item.input_json),
        output=None if row.output_json is None else loads(row.output_json),
        has_expected=expected is not None,
        expected=None if expected is None else loads(expected),
        mark=mark_of(row),
        scores=tuple(row.scores.get(scorer.name) for scorer in scorers),
    )


def compared(a: Any, b: Any) -> Compared:
    """The word-level difference of two values, of their beginnings when they are long."""
    one, other = as_text(a), as_text(b)
    if max(len(one), len(other)) > SHOWN:
        return Compared(diff_text(one[:SHOWN], other[:SHOWN]), True)
    return Compared(diff_json(a, b), False)


def tiles(
    scorers: Sequence[RunScorer], summary: dict[str, Any], repetitions: int = 1
) -> list[Tile]:
    """One tile for each scorer of a summary."""
    scores, shapes = summary["scores"], summary["distribution"]
    return [
        _tile(scorer, scores[scorer.name], shapes[scorer.name], repetitions) for scorer in scorers
    ]


def with_changes(found: Sequence[Tile], changes: dict[str, Change]) -> list[Tile]:
    """The tiles with what each scorer changed against the baseline."""
    return [
        replace(tile, change=change) if change else tile
        for tile in found
        for change in [changes.get(tile.scorer.name)]
    ]


def latency_profile(summary: dict[str, Any]) -> LatencyProfile | None:
    """The summary's latencies for the strip chart; None when no result succeeded."""
    bins, at = summary["latency_bins"], summary["latency_ms"]
    if not bins:
        return None
    return LatencyProfile(tuple(bins["counts"]), bins["max_ms"], at["p50"], at["p95"], at["p99"])


def latency_label(profile: LatencyProfile | None) -> str:
    """What the latency strip shows, in words; empty without one."""
    if profile is None:
        return ""
    p50, p95, p99 = (duration_ms(ms) for ms in (profile.p50, profile.p95, profile.p99))
    return f"latency: p50 {p50}, p95 {p95}, p99 {p99}"


def mean_text(binary: bool, mean: float | None) -> str:
    """A mean as lists and tables write it: a share in %, any other with three decimals."""
    return percent(mean) if binary else decimal(mean, 3)


def interval_text(binary: bool, ci95: Sequence[float] | None) -> str:
    """ "89.6 to 92.7", in the unit of `mean_text`; empty without an interval."""
    if not ci95:
        return ""
    factor, digits = (100, 1) if binary else (1, 3)
    return f"{decimal(ci95[0] * factor, digits)} to {decimal(ci95[1] * factor, digits)}"


def took(run: Run) -> float | None:
    """Seconds from start to end; None for a run that never started or is not over."""
    if run.started_at is None or run.finished_at is None:
        return None
    return max(0.0, (run.finished_at - run.started_at).total_seconds())


def _tile(
    scorer: RunScorer, figures: dict[str, Any], shape: dict[str, Any], repetitions: int
) -> Tile:
    binary = scorer.kind == "binary"
    notes = [f"n = {integer(figures['n'])}" + (" items" if repetitions > 1 else "")]
    notes += [f"{integer(figures['not_scored'])} not scored"] if figures["not_scored"] else []
    notes += [f"{integer(figures['errors'])} errors"] if figures["errors"] else []
    threshold = passing.pass_mark(scorer) if not binary else None
    value = mean_text(binary, figures["mean"])
    below = ""
    if figures["passed"] is not None and not binary:
        below = f", {integer(figures['scored'] - figures['passed'])} do not pass {threshold:g}"
    return Tile(
        scorer=scorer,
        binary=binary,
        value=value,
        interval=interval_text(binary, figures["ci95"]),
        note=", ".join(notes),
        passed=shape.get("passed", 0),
        failed=shape.get("failed", 0),
        bins=tuple(shape.get("bins", ())),
        low=shape.get("low", 0.0),
        high=shape.get("high", 1.0),
        threshold=threshold,
        label=f"{scorer.name}: mean {value}{below}",
    )


def mark_of(row: ResultRow) -> str:
    """error, fail, not_scored, pass, or ok: what the row's scores say together."""
    if row.status == "error":
        return "error"
    said = [score.passed for score in row.scores.values()]
    if False in said:
        return "fail"
    if any(score.state != "scored" for score in row.scores.values()):
        return "not_scored"
    return "pass" if True in said else "ok"
