"""An id for every request: in the answer, on error pages and in the log, so that they meet."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"

_current: ContextVar[str] = ContextVar("request_id", default="")


class RequestIds:
    """Gives `request.request_id`, and the same in the answer's X-Request-ID. The outermost
    middleware, so that what the others log carries it too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex[:12]
        request.request_id = request_id  # type: ignore[attr-defined]
        token = _current.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            _current.reset(token)
        response[HEADER] = request_id
        return response


def current() -> str:
    """The id of the request in hand; empty outside of one."""
    return _current.get()


class InLogs(logging.Filter):
    """Adds `in_request` to log records: " [id]" while a request is in hand, else nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.in_request = f" [{current()}]" if current() else ""
        return True
