"""The API of runs, results, comparisons and scorers."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from datasets_app import public
from evalhub.access.api_auth import Caller, reader, writer
from evalhub.access.idempotency import once
from evalhub.kit.api import answer
from evalhub.kit.api_lists import Listing, list_answer, page_down
from evalhub.kit.errors import FieldError, Invalid
from runs_app import actions, queries
from runs_app.models import Run
from runs_app.payloads import result_payload, run_payload, scorer_payload
from runs_app.schemas import (
    ListedRunAnswer,
    NewRun,
    ResultAnswer,
    ResultQuery,
    RunAnswer,
    RunQuery,
    ScorerAnswer,
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
            deadline_s=body.deadline,
            selection=_selection(body),
            repetitions=body.repetitions,
            context=body.context,
            tags=body.tags,
            metadata=body.metadata,
            stop_after_errors=body.stop_after_errors,
            stop_error_share=body.stop_error_share,
            max_tokens=body.max_tokens,
            max_cost_usd=body.max_cost_usd,
        )
        return answer(whole_run(run), 201)

    return once(request, caller, start)


@router.get("/datasets/runs/{run}", response=RunAnswer)
def get_run(request: HttpRequest, run: str) -> HttpResponse:
    """A run by number or uuid, with its progress, and its summary once it is over."""
    return answer(whole_run(find_run(reader(request), run)))


@router.delete("/datasets/runs/{run}", response={204: None})
def delete_run(request: HttpRequest, run: str) -> HttpResponse:
    """Delete a run that is over, with its results and scores."""
    caller = writer(request)
    actions.delete_run(run=find_run(caller, run), by=caller.user)
    return HttpResponse(status=204)


@router.get("/datasets/runs/{run}/results", response=Listing[ResultAnswer])
def list_results(request: HttpRequest, run: str, query: Query[ResultQuery]) -> HttpResponse:
    """The results of a run, in item order, repetition after repetition."""
    page = queries.results_page(
        find_run(reader(request), run),
        show=query.show,
        scorer=query.scorer,
        q=query.q,
        after=query.after,
        size=query.limit,
        spans=query.spans,
    )
    return list_answer(
        [result_payload(row, spans=query.spans) for row in page.rows],
        next_key=page.after,
        total=page.total,
    )


@router.post("/datasets/runs/{run}/cancel", response=RunAnswer)
def cancel_run(request: HttpRequest, run: str) -> HttpResponse:
    """Ask a run to stop; its workers leave within a second or so. 409 when it is over already."""
    caller = writer(request)
    return answer(whole_run(actions.cancel_run(run=find_run(caller, run), by=caller.user)))


@router.get("/scorers", response=Listing[ScorerAnswer])
def list_scorers(request: HttpRequest) -> HttpResponse:
    """The built-in scorers, with their parameters and defaults."""
    found = catalogue()
    return list_answer([scorer_payload(scorer) for scorer in found], total=len(found))


def find_run(caller: Caller, ref: str) -> Run:
    """A run of the caller's project. Raises NotFound."""
    return queries.find_run(caller.user, caller.project, ref)


def _listed(caller: Caller, query: RunQuery, *, dataset_id: int | None = None) -> HttpResponse:
    found = queries.runs(
        caller.user, caller.project, dataset_id=dataset_id, status=query.status, q=query.q
    )
    rows, next_key = page_down(found, "number", query)
    datasets, progress = queries.datasets_of(rows), queries.progress_of(rows)
    return list_answer(
        [
            run_payload(run, dataset_slug=datasets[run.pk].slug, progress=progress[run.pk])
            for run in rows
        ],
        next_key=next_key,
        total=None if query.status or query.q else found.count(),
    )


def whole_run(run: Run) -> dict[str, Any]:
    """A run with all that is known of it. Its summary is null until it is over: before that, every
    call would count all results again."""
    payload = run_payload(
        run,
        dataset_slug=queries.datasets_of([run])[run.pk].slug,
        progress=queries.progress(run),
    )
    rescore = queries.rescoring(run)
    return payload | {
        "summary": None if run.active else queries.summary(run),
        "rescore": rescore and asdict(rescore),
        "events": run.events.count(),
    }


def _selection(body: NewRun) -> dict[str, Any] | None:
    """The selection with the limit that stands beside it."""
    if body.limit is None:
        return body.selection
    if body.selection and "limit" in body.selection:
        detail = "The limit is there twice. Leave it to the selection."
        raise Invalid(detail, errors=[FieldError("/limit", detail)])
    return {**(body.selection or {}), "limit": body.limit}
