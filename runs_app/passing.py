"""When a score passes. The one rule for rows, filters, counts and summaries."""

from __future__ import annotations

from django.db.models import Q

from runs_app.models import RunScorer

BINARY_MARK = 0.5  # a binary score is 0 or 1, so any mark between them says the same


def pass_mark(scorer: RunScorer) -> float | None:
    """The value from which a score passes (up to which, when lower is better); None: no such
    thing."""
    if scorer.threshold is not None:
        return scorer.threshold
    return BINARY_MARK if scorer.kind == "binary" else None


def passes(scorer: RunScorer, value: float | None) -> bool | None:
    """Whether a value passes; None without a value or a mark."""
    mark = pass_mark(scorer)
    if value is None or mark is None:
        return None
    return value >= mark if scorer.higher_is_better else value <= mark


def failing(scorer: RunScorer) -> Q | None:
    """The condition on `Score` rows that do not pass; None when the scorer has no mark."""
    mark = pass_mark(scorer)
    if mark is None:
        return None
    mine = Q(run_scorer=scorer, state="scored")
    if scorer.kind == "binary":
        # An equality lets the index on (run_scorer, value, item_number) give item order at once.
        return mine & Q(value=0.0 if scorer.higher_is_better else 1.0)
    return mine & (Q(value__lt=mark) if scorer.higher_is_better else Q(value__gt=mark))


def not_scored(scorer: RunScorer) -> Q:
    """The condition on `Score` rows without a value: the scorer did not apply, or failed itself."""
    return Q(run_scorer=scorer) & ~Q(state="scored")
