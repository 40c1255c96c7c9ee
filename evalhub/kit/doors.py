"""The browser's side of the one map from kit errors to answers (the API's is in kit/api.py)."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from evalhub.kit.errors import EvalhubError
from evalhub.kit.htmx import toast, wants_fragment


class ErrorPages:
    """Show a kit error as a page of its status, or as a toast when htmx asked for a fragment."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, EvalhubError):
            return None
        if wants_fragment(request):
            answer = HttpResponse(status=error.status)
            answer["HX-Reswap"] = "none"
            return toast(answer, error.detail, "bad")
        template = f"{error.status}.html" if error.status in (403, 404) else "error.html"
        return render(request, template, {"error": error}, status=error.status)
