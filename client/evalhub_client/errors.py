"""What the client raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one part of a request; `pointer` is such as /items/3/input."""

    pointer: str
    detail: str


class EvalhubClientError(Exception):
    """Base of all errors of this package; `str` is one sentence for people."""


class ServerNotReached(EvalhubClientError):
    """No answer: nothing listens there, the connection broke, or it took too long."""


class WaitTimeout(EvalhubClientError):
    """What was waited for had not ended in time. It goes on by itself."""


class ApiError(EvalhubClientError):
    """An answer that is a refusal or a fault.

    `status` is the HTTP status, `title` the kind of problem in a few words, `detail` a sentence
    that says what is wrong and what to do, `errors` the parts of the request at fault (often
    empty), and `extra` what else the answer's body carried (the current item, when an edit was
    stale).
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        errors: Sequence[FieldError] = (),
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.extra = extra or {}
