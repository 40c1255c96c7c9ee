"""The configuration of an HTTP target, checked and complete. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

from evalhub.kit.errors import FieldError, Invalid
from evalhub.kit.outgoing import OutgoingError
from evalhub.kit.outgoing.urls import parse_url
from runs_app.targets import templates
from runs_app.targets.config_checks import MAX_PATH_CHARS, Checks, step
from runs_app.targets.json_bodies import JsonTemplate

FIELDS: Final = (
    "connection",
    "method",
    "url",
    "headers",
    "body",
    "output",
    "usage",
    "trace_id",
    "spans",
    "ok_statuses",
    "context_headers",
)
METHODS: Final = ("POST", "GET", "PUT", "PATCH", "DELETE")
WITH_BODY: Final = ("POST", "PUT", "PATCH")
USAGE: Final = ("input_tokens", "output_tokens", "cost_usd")
HEADER_ROOTS: Final = (*templates.ROOTS, "key")
MAX_HEADERS: Final = 50

# The transport's own: another length or host would be a second request smuggled into the first.
REFUSED_HEADERS: Final = frozenset(
    (
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "expect",
        "upgrade",
        "te",
        "trailer",
        "traceparent",
        "accept-encoding",
    )
)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_STATUSES = re.compile(r"([1-5][0-9]{2})(?:\s*-\s*([1-5][0-9]{2}))?")


def check_config(config: dict[str, Any]) -> dict[str, Any]:
    """All fields, with their defaults. Raises Invalid with a pointer for each problem."""
    checks = Checks(config, FIELDS)
    connection = checks.text("connection", most=80) or None
    method = checks.text("method", most=10, default="POST").upper() or "POST"
    if method not in METHODS:
        checks.fail("/method", f"The method is one of {', '.join(METHODS)}.")
    checked = {
        "connection": connection,
        "method": method,
        "url": _url(checks, connection),
        "headers": _headers(checks, connection),
        "body": _body(checks, method),
        "output": checks.path("output"),
        "usage": _usage(checks),
        "trace_id": checks.path("trace_id"),
        "spans": checks.path("spans"),
        "ok_statuses": _statuses(checks),
        "context_headers": _context_headers(checks),
    }
    checks.done()
    return checked


def statuses(texts: list[str]) -> frozenset[int]:
    """The statuses that texts such as "200-299" and "404" stand for. Raises ValueError."""
    found: set[int] = set()
    for text in texts:
        match = _STATUSES.fullmatch(text.strip())
        if match is None:
            raise ValueError(text)
        first, last = int(match.group(1)), int(match.group(2) or match.group(1))
        if last < first:
            raise ValueError(text)
        found.update(range(first, last + 1))
    return frozenset(found)


def _url(checks: Checks, connection: str | None) -> str:
    url = checks.text(
        "url",
        most=2_000,
        needed="" if connection else "Give the address to call, such as https://example.com/run.",
    )
    if any(char.isspace() or char == "\\" for char in url):
        checks.fail("/url", "An address holds no spaces and no backslashes.")
    elif connection:
        # An absolute address could carry the connection's key to another server.
        if url and not url.startswith(("/", "?")):
            checks.fail(
                "/url",
                "With a connection, give only the path after its address, such as /run, so that "
                "its key goes nowhere else.",
            )
    elif url:
        try:
            parse_url(url)
        except OutgoingError as error:
            checks.fail("/url", error.message)
    return url


def _headers(checks: Checks, connection: str | None) -> dict[str, str]:
    headers = checks.mapping("headers")
    inner = Checks(headers, tuple(headers), "/config/headers")
    _check_names(inner, headers)
    for name, value in headers.items():
        below = f"/{step(name)}"
        if not isinstance(value, str):
            inner.fail(below, "This must be a text.")
            continue
        if any(ord(char) < 32 or ord(char) == 127 for char in value):
            inner.fail(below, "A line break or another control character cannot stand here.")
        try:
            template = templates.Template(value, HEADER_ROOTS)
        except Invalid as error:
            inner.errors += [FieldError(inner.pointer + below, error.detail)]
            continue
        if connection is None and any(path.root == "key" for path in template.paths):
            inner.fail(below, "{{ key }} is the key of a connection. Choose one.")
    checks.errors += inner.errors
    return headers


def _check_names(checks: Checks, headers: dict[str, Any]) -> None:
    if len(headers) > MAX_HEADERS:
        checks.fail("", f"At most {MAX_HEADERS} headers; these are {len(headers)}.")
    seen: set[str] = set()
    for name in headers:
        below = f"/{step(name)}"
        if not _HEADER_NAME.fullmatch(name):
            checks.fail(below, "A header's name has letters, digits and hyphens only.")
        elif name.lower() in REFUSED_HEADERS:
            checks.fail(below, f"The header {name} is set by evalhub itself. Leave it out.")
        elif name.lower() in seen:
            checks.fail(below, f"The header {name} is there twice.")
        seen.add(name.lower())


def _body(checks: Checks, method: str) -> Any:
    body = checks.given.get("body")
    if body is None:
        return None
    if method not in WITH_BODY:
        checks.fail("/body", f"{method} is sent without a body. Leave it out, or use POST.")
    checks.size("body")
    try:
        JsonTemplate(body, pointer="/config/body")
    except Invalid as error:
        checks.take(error)
    except (RecursionError, ValueError):  # its size or depth has been refused above
        pass
    return body


def _usage(checks: Checks) -> dict[str, str]:
    inner = Checks(checks.mapping("usage"), USAGE, "/config/usage")
    paths = {name: inner.path(name) for name in USAGE}
    checks.errors += inner.errors
    return {name: path for name, path in paths.items() if path}


def _statuses(checks: Checks) -> list[str]:
    given = checks.given.get("ok_statuses")
    if given is None or given == []:
        return ["200-299"]
    if not isinstance(given, list) or len(given) > 50:
        checks.fail("/ok_statuses", "This must be a list such as [“200-299”, “404”].")
        return []
    texts = [str(one) if isinstance(one, int) else one for one in given]
    for at, text in enumerate(texts):
        try:
            statuses([text])
        except (ValueError, TypeError, AttributeError):
            checks.fail(
                f"/ok_statuses/{at}", "A status such as 404, or a range such as 200-299, is needed."
            )
    return texts


def _context_headers(checks: Checks) -> dict[str, str]:
    given = checks.mapping("context_headers")
    inner = Checks(given, tuple(given), "/config/context_headers")
    _check_names(inner, given)
    paths = {}
    for name, path in given.items():
        if not isinstance(path, str) or not path.strip() or len(path) > MAX_PATH_CHARS:
            inner.fail(f"/{step(name)}", "This must be a path into the context, such as user.id.")
            continue
        try:
            templates.check(f"{{{{ context.{path.strip()} }}}}")
        except Invalid as error:
            inner.fail(f"/{step(name)}", error.detail)
        paths[name] = path.strip()
    checks.errors += inner.errors
    return paths
