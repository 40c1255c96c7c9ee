"""The errors that actions and queries raise. Doors turn them into pages, JSON or exit codes.

Pure. `detail` is a sentence for the person at the door: what is wrong, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one part of the input; `pointer` is a JSON pointer such as
    /items/3/input.
    """

    pointer: str
    detail: str

    def to_json(self) -> dict[str, str]:
        return {"pointer": self.pointer, "detail": self.detail}


class EvalhubError(Exception):
    """Base of all errors that are somebody's to mend, and no bug."""

    status = 400
    title = "Bad request"

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = (), **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)
        self.extra = extra

    def to_json(self) -> dict[str, Any]:
        """The error as application/problem+json (RFC 9457)."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = [error.to_json() for error in self.errors]
        return body | self.extra


class Unauthorized(EvalhubError):
    status, title = 401, "Sign in first"


class Forbidden(EvalhubError):
    status, title = 403, "Not allowed"


class NotFound(EvalhubError):
    status, title = 404, "Not found"


class Conflict(EvalhubError):
    status, title = 409, "Conflict"


class StaleRevision(Conflict):
    """An edit that states an older revision than the current one. Carries what is there now."""

    title = "Changed meanwhile"


class Invalid(EvalhubError):
    status, title = 422, "Invalid input"


class Unavailable(EvalhubError):
    status, title = 503, "Not available right now"


class DiskFull(EvalhubError):
    status, title = 507, "The server's disk is full"
