"""What each kind of target gives back, and what that means. Pure.

An agent's output is taken as it is. A workflow's says how it ended, a processor's whether it let
the messages through, a scorer's is a number.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Final

from evalhub.kit.json import JsonError, dumps
from runs_app.targets.base import TargetFailure

SUCCESS: Final = ("success", "succeeded", "completed", "ok")
_NOT_WORD = re.compile(r"[^a-z0-9]+")


def interpret(kind: str, value: Any) -> Any:
    """The output that a target of `kind` means by `value`. Raises TargetFailure."""
    if kind == "workflow":
        return _workflow(value)
    if kind == "processor":
        return _processor(value)
    if kind == "scorer":
        return _score(value)
    return value


def messages_of(value: Any) -> list[Any] | None:
    """The messages of a list, or of an object with `messages`; None when it holds none.

    A message is an object with a text `role`.
    """
    found = value.get("messages") if isinstance(value, dict) else value
    if not isinstance(found, list):
        return None
    for message in found:
        if not (isinstance(message, dict) and isinstance(message.get("role"), str)):
            return None
    return found


def _workflow(value: Any) -> Any:
    """The result of a workflow that succeeded; one without a status is its own result."""
    status = value.get("status") if isinstance(value, dict) else None
    if not isinstance(status, str):
        return value
    word = status.strip().lower()
    if word in SUCCESS:
        return value.get("result", value.get("output", value))
    details = _error_text(value)
    raise TargetFailure(
        _NOT_WORD.sub("_", word).strip("_")[:40] or "failed",
        f"The workflow ended with the status “{status[:100]}”"
        + (f": {details}" if details else "."),
    )


def _processor(value: Any) -> dict[str, Any]:
    """`{"blocked": false, "messages"}` or `{"blocked": true, "reason"}`."""
    if isinstance(value, dict):
        for flag, reason in (("blocked", "reason"), ("tripwire", "tripwireReason")):
            if value.get(flag) is True:
                return {"blocked": True, "reason": _text(value.get(reason))}
    messages = messages_of(value)
    if messages is None:
        raise TargetFailure(
            "invalid_output",
            f"A processor gives back messages (a list, or an object with “messages”), or an object "
            f"with “blocked”: true and a “reason”. This one gave {_shown(value)}.",
        )
    return {"blocked": False, "messages": messages}


def _score(value: Any) -> float | int | bool:
    score = value
    if isinstance(value, dict):
        score = value.get("score", value.get("value"))
    if not isinstance(score, int | float) or not abs(score) <= sys.float_info.max:  # NaN neither
        raise TargetFailure(
            "invalid_output",
            "A scorer gives back a number, true or false, or an object with a “score” of that sort."
            f" This one gave {_shown(value)}.",
        )
    return score


def _error_text(value: dict[str, Any]) -> str:
    """What an unsuccessful workflow says about itself, on one line and bounded."""
    for name in ("error", "message", "reason", "tripwireReason", "tripwire", "suspended"):
        found = value.get(name)
        if isinstance(found, dict):
            found = found.get("message", found.get("reason", found))
        if found:
            return " ".join(_text(found).split())[:1_000]
    return ""


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    try:
        return dumps(value)
    except JsonError:  # a Python target may return anything
        return type(value).__name__


def _shown(value: Any) -> str:
    text = _json(value)
    return text if len(text) <= 200 else f"{text[:200]} …"
