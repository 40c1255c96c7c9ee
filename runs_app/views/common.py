"""What the views of runs share: who asks, which run, the address, and what htmx wants."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from django.http import HttpRequest

from evalhub.access.models import Project, User
from evalhub.kit.htmx import wants_fragment
from evalhub.kit.whole import whole
from runs_app import queries
from runs_app.models import Run


def actor(request: HttpRequest) -> User:
    """The signed-in user; the door has made sure that there is one."""
    assert isinstance(request.user, User)
    return request.user


def find_run(
    request: HttpRequest, project: Project, ref: str | int, *, scorers: bool = True
) -> Run:
    """A run of the project, which it brings along, with its scorers unless told otherwise. Raises
    NotFound."""
    run = queries.find_run(actor(request), project, ref, scorers=scorers)
    run.project = project
    return run


def number_in(request: HttpRequest, name: str) -> int | None:
    """A number of 0 or more in the query string; None when it is missing or none."""
    return whole(request.GET.get(name, ""))


def part_for(request: HttpRequest, **parts: str) -> str | None:
    """The partial for the element that htmx will swap (its id = the partial); None for the page."""
    if not wants_fragment(request):
        return None
    return parts.get(request.htmx.target or "")  # type: ignore[attr-defined]


def query(parameters: Mapping[str, object], **more: object) -> str:
    """ "?a=1&b=2" of what is not empty, or ""."""
    given = {name: value for name, value in {**parameters, **more}.items() if value}
    return f"?{urlencode(given)}" if given else ""
