"""The API of a dataset's defaults for runs."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from datasets_app import public
from evalhub.access.api_auth import reader, writer
from evalhub.kit.api import StrictBody, answer
from runs_app.actions.defaults import set_defaults
from runs_app.defaults import Defaults, defaults_of

router = Router(tags=["runs"])


class DefaultsAnswer(Schema):
    """`target` is a reference, null for none; the first scorer is the primary one."""

    target: str | None
    scorers: list[dict[str, Any]]
    cluster_field: str | None


class DefaultsChanges(StrictBody):
    """What is left out stays; an empty text takes it away."""

    target: str | None = None
    scorers: list[Any] | None = None
    cluster_field: str | None = Field(None, description="a path such as metadata.customer")


@router.get("/datasets/{id}/defaults", response=DefaultsAnswer)
def get_defaults(request: HttpRequest, id: str) -> HttpResponse:
    """What a run of the dataset uses when it names no target or no scorers."""
    caller = reader(request)
    dataset = public.find_dataset(caller.user, caller.project, id)
    return answer(_payload(defaults_of(dataset.id)))


@router.put("/datasets/{id}/defaults", response=DefaultsAnswer)
def change_defaults(request: HttpRequest, id: str, body: DefaultsChanges) -> HttpResponse:
    """Change the defaults."""
    caller = writer(request)
    made = set_defaults(
        project=caller.project,
        dataset=public.find_dataset(caller.user, caller.project, id),
        by=caller.user,
        target=body.target,
        scorers=body.scorers,
        cluster_field=body.cluster_field,
    )
    return answer(_payload(made))


def _payload(defaults: Defaults) -> dict[str, Any]:
    return {
        "target": defaults.target or None,
        "scorers": list(defaults.scorers),
        "cluster_field": defaults.cluster_field or None,
    }
