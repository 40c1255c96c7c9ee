"""What an HTTP answer says when it is not what was hoped for: typed errors in plain words. Pure.

A key never gets into a message or a span: `mask` is applied to whatever a server said.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

import orjson

from evalhub.kit.json import JsonError, loads
from runs_app.targets.base import TargetFailure

MAX_MESSAGE: Final = 500
MIN_SECRET: Final = 4  # a shorter key ("x", "no") is a stand-in, and would blot out half a message
MIN_SECRET_IN_OUTPUT: Final = 16  # outputs are kept as they came, unless a real key is in them
_MASK: Final = "[key]"

_TITLE = re.compile(r"<title[^>]*>(.{0,500}?)</title>", re.IGNORECASE | re.DOTALL)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
_SPENT: Final = ("insufficient_quota", "billing_hard_limit_reached", "insufficient_credits")


def mask(text: str, key: str | None, *, least: int = MIN_SECRET) -> str:
    """`text` without the key; keys shorter than `least` characters are no secrets there."""
    if key is None or len(key) < least:
        return text
    return text.replace(key, _MASK)


def mask_body(body: bytes, key: str | None) -> bytes:
    """As `mask`; before anything is cut off, because half a key is still half a key."""
    if key is None or len(key) < MIN_SECRET:
        return body
    return body.replace(key.encode(), _MASK.encode())


def parse_json(body: bytes, headers: Mapping[str, str], *, key: str | None) -> Any:
    """The JSON value of an answer. Raises TargetFailure `not_json` or `bad_json`.

    Numbers beyond 64 bits come as floats, so this is for what is read out of the envelope; what
    becomes an output is read by `evalhub.kit.json`.
    """
    check_is_json(body, headers, key=key)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _bad_json(body, key, str(error)) from None


def parse_exact(body: bytes, headers: Mapping[str, str], *, key: str | None) -> Any:
    """The JSON value of an answer, numbers exact, as strict as what may be stored."""
    check_is_json(body, headers, key=key)
    try:
        return loads(body, what="The answer")
    except JsonError as error:
        raise _bad_json(body, key, error.message) from None


def check_is_json(body: bytes, headers: Mapping[str, str], *, key: str | None) -> None:
    """Raise `not_json` when the answer says that it is something else; saying nothing is fine."""
    content_type = headers.get("content-type", "")
    if "json" in content_type or (not content_type and body.lstrip()[:1] != b"<"):
        return
    if "html" in content_type or body.lstrip()[:1] == b"<":
        said = _html_title(mask_body(body, key))
        raise TargetFailure(
            "not_json",
            "The server answered with a web page"
            + (f" (“{said}”)" if said else "")
            + " instead of JSON. Check the address: that of an API often ends in /v1.",
        )
    raise TargetFailure(
        "not_json",
        f"The server answered with Content-Type {mask(_clean(content_type, 100), key)}, not with "
        f"JSON (application/json).{_beginning(body, key)}",
    )


def status_failure(
    status: int, body: bytes, headers: Mapping[str, str], *, where: str, key: str | None
) -> TargetFailure:
    """The failure that a status stands for. `where` names the address without its query."""
    said, code = said_in(mask_body(body, key))
    said = mask(said, key)  # once more: in JSON it may have been written with escapes
    quoted = f": {said}" if said else "."
    if said and said[-1] not in ".!?":
        quoted += "."
    tail = f"(status {status}){quoted}"
    if status in (401, 403):
        return TargetFailure(
            "unauthorized",
            f"The server refused the key {tail} Check the key of the target's connection, and what "
            "the key is allowed to do.",
        )
    if status == 402 or (status == 429 and code in _SPENT):
        return TargetFailure(
            "quota_exceeded",
            f"The account has nothing left to spend {tail} Waiting does not help: top it up.",
        )
    if status == 404:
        return TargetFailure(
            "not_found", f"Nothing was found at {where} {tail} Check the address and the model."
        )
    if status == 408:
        return TargetFailure("server_timeout", f"The server gave up waiting {tail}", transient=True)
    if status == 429:
        return TargetFailure(
            "rate_limited",
            f"The server asks for fewer calls {tail}",
            throttled=True,
            retry_after_s=_first(retry_after_s(headers), reset_s(headers)),
        )
    if status in (503, 529):
        return TargetFailure(
            "overloaded",
            f"The server is overloaded {tail}",
            throttled=True,
            retry_after_s=retry_after_s(headers),
        )
    if status >= 500:
        return TargetFailure(
            "server_error",
            f"The server failed {tail}",
            transient=True,
            retry_after_s=retry_after_s(headers),
        )
    if status in (400, 413, 422):
        return TargetFailure(
            "bad_request",
            f"The server refused the request {tail} Check the parameters and the templates.",
        )
    return TargetFailure(
        "bad_status", f"The server answered with a status that is no success {tail}"
    )


def retry_after_s(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Seconds to wait by Retry-After (seconds or a date) or retry-after-ms; None when the server
    does not say.
    """
    exact = _number(headers.get("retry-after-ms", ""))
    if exact is not None:
        return exact / 1000
    given = headers.get("retry-after", "").strip()
    seconds = _number(given)
    if seconds is not None or not given:
        return seconds
    try:
        at = parsedate_to_datetime(given).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, at - (time.time() if now is None else now))


def reset_s(headers: Mapping[str, str]) -> float | None:
    """Seconds until requests are allowed again, by x-ratelimit-reset-requests ("6m0s", "120ms")."""
    given = headers.get("x-ratelimit-reset-requests", "").strip()
    match = _DURATION.fullmatch(given)
    if not given or match is None:
        return _number(given)
    days, hours, minutes, seconds, ms = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds + ms / 1000


def said_in(body: bytes) -> tuple[str, str]:
    """The message in an error's body, on one line and bounded, and its code; "" for what is not
    there.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        title = _html_title(body)
        if title or body.lstrip()[:1] == b"<":
            return title, ""
        return _clean(body[:4_000].decode("utf-8", "replace"), MAX_MESSAGE), ""
    return said_by(value)


def said_by(value: Any) -> tuple[str, str]:
    """As `said_in`, of the JSON value of a body."""
    if isinstance(value, list) and value:  # Google wraps its errors in a list
        value = value[0]
    if not isinstance(value, dict):
        return _clean(str(value), MAX_MESSAGE) if value else "", ""
    error = value.get("error") or value.get("detail") or value.get("errors") or value
    if isinstance(error, list) and error:
        error = error[0]
    if isinstance(error, dict):
        message = error.get("message") or error.get("msg") or error.get("detail")
        code = error.get("code") or error.get("type")
        if message is None:
            message = orjson.dumps(error).decode()
        return _clean(str(message), MAX_MESSAGE), str(code or "")[:100]
    return _clean(str(error), MAX_MESSAGE), str(value.get("code") or "")[:100]


def _bad_json(body: bytes, key: str | None, problem: str) -> TargetFailure:
    if not body.strip():
        return TargetFailure(
            "empty_reply", "The server answered with an empty body.", transient=True
        )
    return TargetFailure(
        "bad_json",
        f"The answer is no complete JSON ({mask(problem, key)}).{_beginning(body, key)}",
        transient=True,
    )


def _beginning(body: bytes, key: str | None) -> str:
    text = _clean(mask_body(body, key)[:1_000].decode("utf-8", "replace"), 1_000)
    shown = text[:120] + ("…" if len(text) > 120 else "")
    return f" It begins with: {shown}" if shown else ""


def _html_title(body: bytes) -> str:
    match = _TITLE.search(body[:20_000].decode("utf-8", "replace"))
    return _clean(match.group(1), 200) if match else ""


def _clean(text: str, most: int) -> str:
    """On one line, without control characters, no half surrogates, and bounded."""
    text = " ".join(_UNPRINTABLE.sub(" ", text[: most * 4]).split())
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= most else f"{text[:most]}…"


def _first(one: float | None, other: float | None) -> float | None:
    return other if one is None else one


def _number(text: str) -> float | None:
    """A number of seconds, None for anything else (also for inf and nan)."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < 1e9 else None
