"""Reading runs. Everything begins at `for_user`; the results of a run are in `results.py`."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from datasets_app import public
from datasets_app.public import DatasetRow
from evalhub.access.models import Project, User
from evalhub.kit.errors import NotFound
from evalhub.kit.whole import whole
from runs_app import states
from runs_app.engine.summary import summarise
from runs_app.models import Run, RunScorer
from runs_app.models.work import RescoreState
from runs_app.progress import Progress, progress, progress_of
from runs_app.results import (
    FILTERS,
    FilterCounts,
    Neighbours,
    ResultRow,
    ScoreRow,
    filter_counts,
    find_result,
    result_neighbours,
    results_page,
)

__all__ = [
    "FILTERS",
    "FilterCounts",
    "Neighbours",
    "Progress",
    "Rescoring",
    "ResultRow",
    "ScoreRow",
    "datasets_of",
    "filter_counts",
    "find_result",
    "find_run",
    "progress",
    "progress_of",
    "rescoring",
    "result_neighbours",
    "results_page",
    "runs",
    "summary",
]

TAGGED = 5_000  # runs among which a tag is looked for
_NOT_MEASURED = {"tokens": None, "cost_usd": None, "retries": 0}


def runs(
    user: User,
    project: Project,
    *,
    dataset_id: int | None = None,
    status: str = "",
    q: str = "",
    target: str = "",
    tag: str = "",
) -> QuerySet[Run]:
    """The project's runs that lists show, newest first, with their scorers and authors.

    `status` is one state, or "active" for all that are not over; `q` is looked for in the name and
    the target, and may be a run's number (with or without #). `target` is a reference, `tag` one of
    the tags of a dataset's newest TAGGED runs.
    """
    found = (
        Run.objects.for_user(user)
        .listed()
        .filter(project=project)
        .select_related("created_by")
        .prefetch_related("scorers")
        .defer("selected")
        .order_by("-number")
    )
    if dataset_id is not None:
        found = found.filter(dataset=dataset_id)
    if status == "active":
        found = found.active()
    elif status:
        found = found.filter(status=status) if status in states.ALL else found.none()
    if target:
        found = found.filter(target_ref=target)
    if tag:
        # In Python: neither database can look into a list of texts in a way the other can.
        newest = found.prefetch_related(None).values_list("pk", "tags")[:TAGGED]
        found = found.filter(pk__in=[pk for pk, tags in newest if tag in tags])
    if q := q.strip():
        wanted = Q(name__icontains=q) | Q(target_ref__icontains=q)
        number = _number(q)
        if number is not None:
            wanted |= Q(number=number)
        found = found.filter(wanted)
    return found


def find_run(user: User, project: Project, ref: str | int, *, scorers: bool = True) -> Run:
    """A run that lists show, by its number (with or without #) or uuid. Raises NotFound.

    Without `scorers` they are read when they are asked for.
    """
    found = runs(user, project)
    if not scorers:
        found = found.prefetch_related(None)
    number = _number(str(ref))
    if number is not None:
        run = found.filter(number=number).first()
    else:
        try:
            run = found.filter(uuid=uuid.UUID(str(ref))).first()
        except ValueError:
            run = None
    if run is None:
        raise NotFound(f"There is no run “{ref}” in the project {project.name}.")
    return run


def summary(run: Run) -> dict[str, Any]:
    """What the run came to (see `summarise`): stored when it has ended, computed before that.

    The scores are in the order of the run's scorers and the errors most frequent first: orders that
    the database does not keep.
    """
    stored: dict[str, Any] | None = None if run.active else run.summary
    if stored is None:
        return summarise(run)
    scores = stored["scores"]
    ordered = {scorer.name: scores[scorer.name] for scorer in run.scorers.all()}
    # Runs that ended before there were repetitions do not count their results apart.
    ordered = {name: {"scored": figures["n"], **figures} for name, figures in ordered.items()}
    errors = dict(sorted(stored["errors"].items(), key=lambda error: (-error[1], error[0])))
    return {**_NOT_MEASURED, **stored, "scores": ordered, "errors": errors}


def datasets_of(found: Iterable[Run]) -> dict[int, DatasetRow]:
    """{run id: its dataset}, deleted ones too; runs without one are left out."""
    ids = {run.pk: run.dataset_id for run in found if run.dataset_id is not None}
    datasets = public.datasets_by_id(ids.values())
    return {pk: datasets[dataset_id] for pk, dataset_id in ids.items()}


@dataclass(frozen=True, slots=True)
class Rescoring:
    """A rescore under way: the names of its scorers, and how many of the `total` results have their
    scores.
    """

    scorers: list[str]
    done: int
    total: int


def rescoring(run: Run) -> Rescoring | None:
    """The run's rescore under way; None without one."""
    job = run.rescores.filter(state=RescoreState.OPEN).first()
    if job is None:
        return None
    new = RunScorer.objects.filter(rescore=job, run=None).order_by("position")
    return Rescoring(list(new.values_list("name", flat=True)), job.done, run.succeeded)


def _number(text: str) -> int | None:
    return whole(text.removeprefix("#"))
