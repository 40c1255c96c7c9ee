"""The API of runs, results, comparisons, targets and scorers."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from datasets_app import public
from evalhub.access.api_auth import Caller, reader, writer
from evalhub.access.idempotency import once
from evalhub.kit.api import answer
from evalhub.kit.api_lists import Listing, list_answer, page_down
from runs_app import actions, comparing, queries, targets
from runs_app.models import Run
from runs_app.payloads import result_payload, run_payload, scorer_payload, target_payload
from runs_app.schemas import (
    ComparisonAnswer,
    ListedRunAnswer,
    NewRun,
    ResultAnswer,
    ResultQuery,
    RunAnswer,
    RunPair,
    RunQuery,
    ScorerAnswer,
    TargetAnswer,
)
from runs_app.scorers import catalogue

router = Router(tags=["runs"])


@router.get("/runs", response=Listing[ListedRunAnswer])
def list_project_runs(request: HttpRequest, query: Query[RunQuery]) -> HttpResponse:
    """The project's runs, newest first."""
    return _listed(reader(request), query)


@router.get("/datasets/{id}/runs", response=Listing[ListedRunAnswer])
def list_runs(request: HttpRequest, id: str, query: Query[RunQuery]) -> HttpResponse:
    """The runs of a dataset, newest first."""
    caller = reader(request)
    dataset = public.find_dataset(caller.user, caller.project, id)
    return _listed(caller, query, dataset_id=dataset.id)


@router.post("/datasets/{id}/runs", response={201: RunAnswer})
def start_run(request: HttpRequest, id: str, body: NewRun) -> HttpResponse:
    """Start a run; it goes on in the background. Takes an Idempotency-Key."""
    caller = writer(request)
    dataset = public.find_dataset(caller.user, caller.project, id)

    def start() -> HttpResponse:
        run = actions.start_run(
            project=caller.project,
            dataset=dataset,
            target=body.target,
            scorers=body.scorers,
            by=caller.user,
            version=body.version,
            name=body.name,
            concurrency=body.concurrency,
            timeout_s=body.timeout,
            retries=body.retries,
            limit=body.limit,
        )
        return answer(_whole(run), 201)

    return once(request, caller, start)


@router.get("/datasets/runs/{run}", response=RunAnswer)
def get_run(request: HttpRequest, run: str) -> HttpResponse:
    """A run by number or uuid, with its progress, and its summary once it is over."""
    return answer(_whole(_find(reader(request), run)))


@router.get("/datasets/runs/{run}/results", response=Listing[ResultAnswer])
def list_results(request: HttpRequest, run: str, query: Query[ResultQuery]) -> HttpResponse:
    """The results of a run, in item order."""
    page = queries.results_page(
        _find(reader(request), run),
        show=query.show,
        scorer=query.scorer,
        q=query.q,
        after=query.after,
        size=query.limit,
    )
    return list_answer(
        [result_payload(row) for row in page.rows], next_key=page.after, total=page.total
    )


@router.post("/datasets/runs/{run}/cancel", response=RunAnswer)
def cancel_run(request: HttpRequest, run: str) -> HttpResponse:
    """Ask a run to stop; its workers leave within a second or so. 409 when it is over already."""
    caller = writer(request)
    return answer(_whole(actions.cancel_run(run=_find(caller, run), by=caller.user)))


@router.post("/datasets/compare", response=ComparisonAnswer)
def compare_runs(request: HttpRequest, body: RunPair) -> HttpResponse:
    """Compare two runs item by item; the first is the baseline. Changes nothing."""
    caller = reader(request)
    baseline, other = (_find(caller, ref) for ref in body.runs)
    return answer(comparing.compare(baseline, other, margin=body.margin).to_json())


@router.get("/targets", response=Listing[TargetAnswer])
def list_targets(request: HttpRequest) -> HttpResponse:
    """The registered targets that the project may use, by name."""
    found = targets.available(reader(request).project.slug)
    return list_answer([target_payload(target) for target in found], total=len(found))


@router.get("/scorers", response=Listing[ScorerAnswer])
def list_scorers(request: HttpRequest) -> HttpResponse:
    """The built-in scorers, with their parameters and defaults."""
    found = catalogue()
    return list_answer([scorer_payload(scorer) for scorer in found], total=len(found))


def _find(caller: Caller, ref: str) -> Run:
    return queries.find_run(caller.user, caller.project, ref)


def _listed(caller: Caller, query: RunQuery, *, dataset_id: int | None = None) -> HttpResponse:
    found = queries.runs(
        caller.user, caller.project, dataset_id=dataset_id, status=query.status, q=query.q
    )
    rows, next_key = page_down(found, "number", query)
    datasets = public.datasets_by_id(run.dataset_id for run in rows)
    return list_answer(
        [run_payload(run, dataset_slug=datasets[run.dataset_id].slug) for run in rows],
        next_key=next_key,
        total=None if query.status or query.q else found.count(),
    )


def _whole(run: Run) -> dict[str, Any]:
    """A run with all that is known of it. Its summary is null until it is over: before that, every
    call would count all results again."""
    payload = run_payload(
        run,
        dataset_slug=public.datasets_by_id([run.dataset_id])[run.dataset_id].slug,
        progress=queries.progress(run),
    )
    return payload | {"summary": None if run.active else queries.summary(run)}
