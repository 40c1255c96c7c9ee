"""Checking the scorers that a run is to have, and the rows that keep them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evalhub.kit.errors import FieldError
from runs_app.models import RunScorer
from runs_app.scorers import ScorerSpec, SpecError, parse_spec

MAX_SCORERS = 20


def check_scorers(
    scorers: Sequence[str | dict[str, Any]], problems: list[FieldError]
) -> list[ScorerSpec]:
    """The scorers as they were meant; what is wrong goes to `problems`, under /scorers."""
    if len(scorers) > MAX_SCORERS:
        problems.append(FieldError("/scorers", f"A run takes at most {MAX_SCORERS} scorers."))
        return []
    specs: list[ScorerSpec] = []
    for index, given in enumerate(scorers):
        try:
            spec = parse_spec(given)
        except SpecError as error:
            problems.append(FieldError(f"/scorers/{index}{error.pointer}", error.message))
            continue
        if any(other.name == spec.name for other in specs):
            detail = f"Two scorers are named “{spec.name}”. Give one of them another name."
            problems.append(FieldError(f"/scorers/{index}/name", detail))
        specs.append(spec)
    return specs


def scorer_row(spec: ScorerSpec, position: int, **owner: Any) -> RunScorer:
    """The row of a scorer, not saved yet; `owner` is its run or its rescore."""
    return RunScorer(
        **owner,
        position=position,
        name=spec.name,
        spec=spec.as_dict(),
        kind=spec.kind,
        higher_is_better=spec.higher_is_better,
        threshold=spec.threshold,
        low=spec.low,
        high=spec.high,
    )
