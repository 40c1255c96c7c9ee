"""What the dataset views share."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict

from datasets_app.items import ItemContent
from datasets_app.models import ItemRevision
from evalhub.access.models import User
from evalhub.kit.htmx import wants_fragment
from evalhub.kit.whole import whole


def actor(request: HttpRequest) -> User:
    """The signed-in user; `project_view` has seen to it that there is one."""
    assert isinstance(request.user, User)
    return request.user


def number_in(request: HttpRequest, name: str) -> int | None:
    """The whole number that the query string gives for `name`; None when it gives none."""
    return whole(request.GET.get(name, ""))


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form was sent with, empty as it may be; None when nothing was sent."""
    return request.POST if request.method == "POST" else None


def part_for(request: HttpRequest, **parts: str) -> str | None:
    """The partial to answer with, by the id of htmx's target: `part_for(request, detail="panel")`.

    None (the whole page) for every other request.
    """
    target: str | None = request.htmx.target if wants_fragment(request) else None  # type: ignore[attr-defined]
    return parts.get(target or "")


def query(**params: Any) -> str:
    """ "?a=1&b=2" without what is None or empty; "" when nothing is left."""
    kept = {name: value for name, value in params.items() if value not in (None, "")}
    return f"?{urlencode(kept)}" if kept else ""


def unsaved(content: ItemContent) -> ItemRevision:
    """The content as a revision that is in no dataset, to be shown like one."""
    return ItemRevision(
        input_json=content.input_json,
        expected_json=content.expected_json,
        metadata_json=content.metadata_json,
        context_json=content.context_json,
        tags_json=content.tags_json,
        scorers_json=content.scorers_json,
        split=content.split,
        external_id=content.external_id,
    )
