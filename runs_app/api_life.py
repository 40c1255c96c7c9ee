"""The API of what becomes of a run after its start: pause, retry, rescore, events."""

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from evalhub.access.api_auth import reader, writer
from evalhub.kit.api import answer
from evalhub.kit.api_lists import Listing, Paging, list_answer, page_down
from runs_app import actions
from runs_app.api import find_run, whole_run
from runs_app.models import RunEvent
from runs_app.payloads import event_payload
from runs_app.schemas import EventAnswer, NewRescore, RunAnswer

router = Router(tags=["runs"])


@router.post("/datasets/runs/{run}/pause", response=RunAnswer)
def pause_run(request: HttpRequest, run: str) -> HttpResponse:
    """Let no new call begin; those in flight end. 409 when the run is over."""
    caller = writer(request)
    return answer(whole_run(actions.pause_run(run=find_run(caller, run), by=caller.user)))


@router.post("/datasets/runs/{run}/resume", response=RunAnswer)
def resume_run(request: HttpRequest, run: str) -> HttpResponse:
    """Go on with a paused run. 409 when it is over."""
    caller = writer(request)
    return answer(whole_run(actions.resume_run(run=find_run(caller, run), by=caller.user)))


@router.post("/datasets/runs/{run}/retry", response=RunAnswer)
def retry_run(request: HttpRequest, run: str) -> HttpResponse:
    """Open a run that is over for its errors and for what it skipped; good results stay. 409 when
    there is nothing to retry."""
    caller = writer(request)
    return answer(whole_run(actions.retry_run(run=find_run(caller, run), by=caller.user)))


@router.post("/datasets/runs/{run}/rescore", response=RunAnswer)
def rescore_run(request: HttpRequest, run: str, body: NewRescore) -> HttpResponse:
    """Score the results of a run that is over again, in the background, without its target."""
    caller = writer(request)
    found = find_run(caller, run)
    actions.rescore_run(run=found, scorers=body.scorers, by=caller.user, mode=body.mode)
    return answer(whole_run(found))


@router.get("/datasets/runs/{run}/events", response=Listing[EventAnswer])
def list_events(request: HttpRequest, run: str, query: Query[Paging]) -> HttpResponse:
    """What happened to a run, newest first: seats taken and given back, pauses, retries."""
    found = RunEvent.objects.filter(run=find_run(reader(request), run))
    rows, next_key = page_down(found, "pk", query)
    return list_answer([event_payload(row) for row in rows], next_key=next_key, total=found.count())
