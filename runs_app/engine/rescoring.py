"""The leased work of a rescore: the scores of new scorers, batch by batch, then one publication.

Scoring happens outside of any transaction. Each batch is one transaction of its scores and the
job's cursor, and only who holds the lease can commit it; the run shows nothing of it until a small
last one. So a worker may die at any moment: the next goes on at the cursor.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Length

from datasets_app import public
from datasets_app.public import ItemRow
from evalhub.kit import bulk
from evalhub.kit.dispatch import wake_now
from evalhub.kit.stopping import stopping
from runs_app import inline
from runs_app.engine import removing
from runs_app.engine.scoring import BoundScorer, ScoreRow, bind, score
from runs_app.engine.summary import summarise
from runs_app.engine.writing import SCORE_COLUMNS
from runs_app.models import Rescore, Result, Run, RunEvent, RunScorer, Score
from runs_app.models.work import RescoreState
from runs_app.scorers import SpecError

BUDGET_SECONDS = 300.0
BATCH = 500  # results
SLICE_CHARS = 8_000_000  # of outputs in memory at once, unless one alone is longer
MAX_ATTEMPTS = 5
"""Claims without a committed batch after which the job is given up."""

Place = tuple[int, int, int, int, int]
"""(item number, repetition, id, revision id, characters) of a result that can be scored."""


class _Lost(Exception):
    """The lease is somebody else's now, or the job is over."""


def work(rescore_id: int) -> None:
    """Go on with a rescore until it is done, another worker has it, or this one has to leave."""
    leave_at = time.monotonic() + BUDGET_SECONDS
    owner = f"{socket.gethostname()[:50]}:{os.getpid()}"
    job = Rescore.objects.filter(pk=rescore_id).claim(owner)
    if job is not None:
        try:
            if not _score_all(job, leave_at):
                if job.release(attempts=0):
                    wake_now("runs.rescore", rescore_id)
                return
        except _Lost:
            return
    _clear(rescore_id)


def _score_all(job: Rescore, leave_at: float) -> bool:
    """Score what is left and publish; False when it is time to leave."""
    if job.attempts > MAX_ATTEMPTS:
        _give_up(job, f"the worker stopped {MAX_ATTEMPTS} times after item {job.after_number:,}")
        return True
    new = list(RunScorer.objects.filter(rescore=job, run=None).order_by("position"))
    try:
        bound = [bind(scorer.pk, scorer.spec) for scorer in new]
    except SpecError as error:
        _give_up(job, f"a scorer could not be built: {error}")
        return True
    run = Run.objects.select_related("project").get(pk=job.run_id)
    while places := _next_places(job):
        if stopping() or time.monotonic() >= leave_at:
            return False
        _write(job, places, _scores(job, run, bound, places))
    _publish(job, run, new)
    return True


def _next_places(job: Rescore) -> list[Place]:
    """The next results without an error: whole items, because the cursor is an item's number."""
    found = list(
        Result.objects.filter(run=job.run_id, item_number__gt=job.after_number, error_type="")
        .order_by("item_number", "repetition")
        .values_list("item_number", "repetition", "pk", "revision_id", Length("output_json"))[
            :BATCH
        ]
    )
    if len(found) == BATCH and found[0][0] != found[-1][0]:
        found = [place for place in found if place[0] != found[-1][0]]
    return found


def _scores(
    job: Rescore, run: Run, scorers: Sequence[BoundScorer], places: Sequence[Place]
) -> list[ScoreRow]:
    rows: list[ScoreRow] = []
    extended = time.monotonic()
    for some in _slices(places):
        items = _items(run, some)
        outputs = dict(
            Result.objects.filter(pk__in=[place[2] for place in some]).values_list(
                "pk", "output_json"
            )
        )
        for _, repetition, pk, revision, _ in some:
            rows += score(scorers, items[revision], repetition, outputs[pk] or "null")
            if time.monotonic() - extended > settings.LEASE_SECONDS / 4:
                if not job.extend():
                    raise _Lost
                extended = time.monotonic()
    return rows


def _slices(places: Sequence[Place]) -> Iterator[list[Place]]:
    """The places in parts whose outputs together are no longer than SLICE_CHARS."""
    some: list[Place] = []
    chars = 0
    for place in places:
        if some and chars + place[4] > SLICE_CHARS:
            yield some
            some, chars = [], 0
        some.append(place)
        chars += place[4]
    if some:
        yield some


def _items(run: Run, places: Sequence[Place]) -> dict[int, ItemRow]:
    """The items of the places by revision id."""
    if run.inline_item is not None:
        return {inline.REVISION_ID: inline.item_row(run)}
    return public.revisions_by_id(sorted({place[3] for place in places}))


def _write(job: Rescore, places: Sequence[Place], rows: Sequence[ScoreRow]) -> None:
    """The batch and the cursor behind it, together or not at all. Raises _Lost."""
    with transaction.atomic():
        if not job.extend(after_number=places[-1][0], done=F("done") + len(places), attempts=0):
            raise _Lost
        bulk.insert(Score, SCORE_COLUMNS, rows, skip_existing=True)
    job.after_number, job.attempts = places[-1][0], 0


def _publish(job: Rescore, run: Run, new: Sequence[RunScorer]) -> None:
    """Give the new scorers to the run in place of those that go. Raises _Lost.

    Nothing of the run can change before: a rescore that is open holds off everything else, so the
    figures are counted without a lock.
    """
    kept = RunScorer.objects.filter(run=run).exclude(rescore=job)
    scorers = sorted([*kept, *new], key=lambda scorer: scorer.position)
    summary = summarise(run, scorers)
    names = ", ".join(scorer.name for scorer in new)
    with transaction.atomic():
        if (
            not job.held()
            .filter(state=RescoreState.OPEN)
            .update(state=RescoreState.DONE, lease_until=None, lease_owner="")
        ):
            raise _Lost
        RunScorer.objects.filter(run=run, rescore=job).update(run=None)
        RunScorer.objects.filter(pk__in=[scorer.pk for scorer in new]).update(run=run, rescore=None)
        Run.objects.filter(pk=run.pk).update(
            summary=summary, score_revision=F("score_revision") + 1
        )
        by = f" for {job.created_by.username}" if job.created_by else ""
        message = f"Scored again with {names}{by}."
        RunEvent.objects.create(run=run, kind="rescored", message=message[:300])


def _give_up(job: Rescore, reason: str) -> None:
    with transaction.atomic():
        if not job.release(state=RescoreState.CANCELLED):
            raise _Lost
        RunScorer.objects.filter(rescore=job).exclude(run=None).update(rescore=None)
        message = f"The rescore was given up: {reason}. The run keeps its scores."
        RunEvent.objects.create(run=job.run, kind="rescore_failed", message=message[:300])


def _clear(rescore_id: int) -> None:
    """Remove the scorers that a finished rescore has left without a run, with their scores."""
    leave_at = time.monotonic() + BUDGET_SECONDS
    for scorer_id in left_over().filter(rescore=rescore_id).values_list("pk", flat=True):
        if not removing.remove_scorer(scorer_id, leave_at):
            wake_now("runs.rescore", rescore_id)
            return


def left_over() -> QuerySet[RunScorer]:
    """Scorers of rescores that are over which belong to no run: nobody sees them any more."""
    return RunScorer.objects.filter(run=None, rescore__isnull=False).exclude(
        rescore__state=RescoreState.OPEN
    )
