"""Pinning a run as its dataset's baseline, from its page or a list."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import EvalhubError, NotFound
from runs_app import queries
from runs_app.actions.baseline import set_baseline
from runs_app.views.common import actor, find_run


@require_POST
@project_view(needs=Role.EDITOR)
def pin(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Pin the run; with `unpin` the dataset has no baseline any more."""
    run = find_run(request, project, number, scorers=False)
    dataset = queries.datasets_of([run]).get(run.pk)
    if dataset is None or dataset.deleted:
        raise NotFound("The dataset of this run is deleted.")
    unpin = "unpin" in request.POST
    try:
        set_baseline(
            project=project, dataset=dataset, run=None if unpin else run, by=actor(request)
        )
    except EvalhubError as error:
        messages.error(request, error.detail)
    else:
        said = (
            f"{dataset.name} has no baseline any more."
            if unpin
            else f"Run {run.number} is the baseline of {dataset.name}. Its runs show their change."
        )
        messages.success(request, said)
    back = request.POST.get("back", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None) or not back.startswith("/"):
        back = reverse("runs:detail", args=[project.slug, run.number])
    return redirect(back)
