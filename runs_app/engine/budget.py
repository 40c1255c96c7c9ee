"""The caps of a run: tokens and dollars that its calls may use, over all workers.

Before each call the most that it may use is held on the run's row; after it, what it did use takes
the place of what it held. So a cap stops the run before the call that would pass it.
"""

from __future__ import annotations

import enum

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from runs_app.models import Run, Stay
from runs_app.targets.base import Estimate


class Answer(enum.Enum):
    GRANTED = "granted"
    WAIT = "wait"  # calls in flight may leave room
    CAPPED = "capped"


def reserve(run_id: int, owner: str, estimate: Estimate, *, alone: bool) -> tuple[Answer, str]:
    """Hold `estimate` for one call. With WAIT and CAPPED comes a sentence: which cap, how
    far it is used.

    `alone` says that the asking stay has no call in flight. When no other stay lives either, what
    is still held belonged to workers that died: their calls count as paid.
    """
    with transaction.atomic():
        run = (
            Run.objects.select_for_update(no_key=True)
            .only(
                "max_tokens",
                "max_cost_usd",
                "held_tokens",
                "used_tokens",
                "held_cost_usd",
                "used_cost_usd",
            )
            .get(pk=run_id)
        )
        text = _over(run, estimate)
        if text:
            others = Stay.objects.live().filter(run=run_id).exclude(owner=owner).exists()
            in_flight = run.held_tokens > 0 or run.held_cost_usd > 1e-9
            if not in_flight or (alone and not others):
                return Answer.CAPPED, text
            return Answer.WAIT, text
        Run.objects.filter(pk=run_id).update(
            held_tokens=F("held_tokens") + estimate.tokens,
            held_cost_usd=F("held_cost_usd") + (estimate.cost_usd or 0.0),
        )
    return Answer.GRANTED, ""


def settle(run_id: int, estimate: Estimate, *, tokens: int, cost_usd: float) -> None:
    """A call is over that held `estimate` and used this much."""
    Run.objects.filter(pk=run_id).update(
        held_tokens=Greatest(F("held_tokens") - estimate.tokens, 0),
        held_cost_usd=Greatest(F("held_cost_usd") - (estimate.cost_usd or 0.0), 0.0),
        used_tokens=F("used_tokens") + tokens,
        used_cost_usd=F("used_cost_usd") + cost_usd,
    )


def _over(run: Run, estimate: Estimate) -> str:
    """Which cap the call might pass, in a sentence; "" when none."""
    tokens = run.used_tokens + run.held_tokens + estimate.tokens
    if run.max_tokens is not None and tokens > run.max_tokens:
        return (
            f"The token cap: {run.used_tokens + run.held_tokens:,} of {run.max_tokens:,} tokens "
            f"are used, and the next call may use {estimate.tokens:,}."
        )
    cost = run.used_cost_usd + run.held_cost_usd + (estimate.cost_usd or 0.0)
    if run.max_cost_usd is not None and cost > run.max_cost_usd:
        return (
            f"The cost cap: ${run.used_cost_usd + run.held_cost_usd:,.4f} of "
            f"${run.max_cost_usd:,.4f} are spent, and the next call may cost "
            f"${estimate.cost_usd or 0.0:,.4f}."
        )
    return ""
