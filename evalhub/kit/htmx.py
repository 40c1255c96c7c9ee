"""What htmx needs from every answer, and helpers that build fragments."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


class HtmxAnswers:
    """Vary by HX-Request, and turn a redirect that htmx could not show into a full page load."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request"])
        if wants_fragment(request) and response.status_code in (301, 302, 303, 307, 308):
            location = response["Location"]
            answer = HttpResponse(status=200)
            answer["HX-Redirect"] = location
            answer.cookies = response.cookies
            return answer
        return response


def wants_fragment(request: HttpRequest) -> bool:
    """True when htmx asks for a part of the page (no boost, no return through history)."""
    htmx = getattr(request, "htmx", None)
    if not htmx:
        return False
    return not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    part: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the page, or only its partial `part` (`{% partialdef part inline %}`) for htmx."""
    if wants_fragment(request) and part:
        template = f"{template}#{part}"
    return render(request, template, context, status=status)


def toast(response: HttpResponse, text: str, tone: str = "good") -> HttpResponse:
    """Show `text` as a toast when htmx swaps this answer in."""
    response["HX-Trigger"] = json.dumps({"toast": {"text": text, "tone": tone}})
    return response
