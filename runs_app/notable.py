"""The results of a run that one looks at first: the slowest, and the worst by its first scorer."""

from __future__ import annotations

from dataclasses import dataclass

from runs_app.models import Result, Run, RunScorer, Score

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Notable:
    """A result by its item and repetition (the first is 0), with a latency in ms or a score."""

    number: int
    repetition: int
    value: float


def slowest(run: Run) -> list[Notable]:
    """The results that took longest, errors left out."""
    found = Result.objects.filter(run=run, error_type="").order_by("-latency_ms", "item_number")
    rows = found.values_list("item_number", "repetition", "latency_ms")[:SHOWN]
    return [Notable(*row) for row in rows]


def worst(scorer: RunScorer) -> list[Notable]:
    """The results with the worst scores; along the index of values."""
    found = Score.objects.filter(run_scorer=scorer, state="scored")
    if scorer.higher_is_better:
        found = found.order_by("value", "item_number")
    else:
        found = found.order_by("-value", "-item_number")
    rows = found.values_list("item_number", "repetition", "value")[:SHOWN]
    return [Notable(number, place, value) for number, place, value in rows if value is not None]
