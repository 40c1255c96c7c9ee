"""The API of a dataset's baseline, and of what a run changed against it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from datasets_app import public
from evalhub.access.api_auth import Caller, reader, writer
from evalhub.kit.api import StrictBody, answer
from runs_app import changes, queries
from runs_app.actions.baseline import set_baseline
from runs_app.models import Run

router = Router(tags=["runs"])


class BaselineAnswer(Schema):
    """`run` is the baseline's number, null without one."""

    dataset: str
    run: int | None
    id: str | None
    name: str | None


class BaselineBody(StrictBody):
    run: int | str | None = Field(description="a run's number or id; null for no baseline")


class ChangeAnswer(Schema):
    """`scorers` is {name: {delta, ci95, code, badge, sentence, pairs, kind, higher_is_better}}, run
    minus baseline in the scorer's unit; empty for the baseline itself and before the end."""

    baseline: int | None
    scorers: dict[str, Any]


@router.get("/datasets/runs/{run}/change", response=ChangeAnswer)
def get_change(request: HttpRequest, run: str) -> HttpResponse:
    """What a run changed against its dataset's baseline."""
    caller = reader(request)
    found = queries.find_run(caller.user, caller.project, run)
    base = changes.baseline_of(found.dataset_id)
    scorers = changes.change_of(found, base)
    return answer(
        {
            "baseline": base.number if base else None,
            "scorers": {name: change.to_json() for name, change in scorers.items()},
        }
    )


@router.get("/datasets/{id}/baseline", response=BaselineAnswer)
def get_baseline(request: HttpRequest, id: str) -> HttpResponse:
    """The run that the dataset's other runs are compared with."""
    caller = reader(request)
    return answer(_payload(public.find_dataset(caller.user, caller.project, id)))


@router.put("/datasets/{id}/baseline", response=BaselineAnswer)
def pin_baseline(request: HttpRequest, id: str, body: BaselineBody) -> HttpResponse:
    """Pin a run as the baseline, or unpin the one there is."""
    caller = writer(request)
    dataset = public.find_dataset(caller.user, caller.project, id)
    run = None if body.run is None else _run(caller, body.run)
    set_baseline(project=caller.project, dataset=dataset, run=run, by=caller.user)
    return answer(_payload(dataset))


def _run(caller: Caller, ref: int | str) -> Run:
    return queries.find_run(caller.user, caller.project, ref)


def _payload(dataset: public.DatasetRow) -> dict[str, Any]:
    run = changes.baseline_of(dataset.id)
    return {
        "dataset": dataset.slug,
        "run": run.number if run else None,
        "id": str(run.uuid) if run else None,
        "name": run.name if run else None,
    }
