"""Requests and answers: JSON in and out, pages, and problems as exceptions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from evalhub_client.errors import ApiError, FieldError, ServerNotReached

PREFIX = "/api/v1"
PAGE_SIZE = 200
CONNECT_S = 10.0
COPIED_A_SECOND = 10_000_000  # bytes, on a slow disk

Json = dict[str, Any]


class Connection:
    """One server (or one application in this process), one token. For one thread."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        transport: httpx.BaseTransport | None,
        project: str | None,
        timeout: float,
    ) -> None:
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if project is not None:
            headers["X-Evalhub-Project"] = project
        self.base_url = base_url.rstrip("/")
        try:
            self._http = httpx.Client(
                base_url=self.base_url,
                headers=headers,
                transport=transport,
                timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_S)),
            )
        except httpx.InvalidURL as error:
            raise ServerNotReached(f"{base_url} is no address: {_plain(error)}.") from error

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The answer's JSON, or None for one without a body. Raises ApiError, ServerNotReached."""
        with self._reached():
            response = self._http.request(method, PREFIX + path, **options)
        _require_success(response)
        if response.status_code == httpx.codes.NO_CONTENT:
            return None
        return _json(response)

    def patience(self, size: int) -> httpx.Timeout:
        """For a request with a file of `size` bytes: the server copies it before it answers."""
        usual = self._http.timeout
        read = None if usual.read is None else usual.read + size / COPIED_A_SECOND
        return httpx.Timeout(connect=usual.connect, read=read, write=usual.write, pool=usual.pool)

    def object(self, method: str, path: str, **options: Any) -> Json:
        """Like `call`, for an answer that is an object."""
        answer = self.call(method, path, **options)
        if not isinstance(answer, dict):
            raise _not_evalhub(method, path)
        return answer

    def pages(self, path: str, *, params: Mapping[str, Any] | None = None) -> Iterator[Json]:
        """The entries of a list; a page is asked for when the one before is used up."""
        query = {name: value for name, value in (params or {}).items() if value not in (None, "")}
        query["limit"] = PAGE_SIZE
        while True:
            page = self.object("GET", path, params=query)
            if not isinstance(page.get("items"), list):
                raise _not_evalhub("GET", path)
            yield from page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return
            query["cursor"] = cursor

    def lines(self, path: str) -> Iterator[str]:
        """The lines of a text answer as they come, without their ends."""
        with self._reached(), self._http.stream("GET", PREFIX + path) as response:
            if not response.is_success:
                response.read()
            _require_success(response)
            yield from response.iter_lines()

    def pieces(self, path: str, *, params: Mapping[str, Any]) -> Iterator[bytes]:
        """The bytes of a file as they come. Parameters that are None or empty are left out."""
        query = {name: value for name, value in params.items() if value not in (None, "")}
        with (
            self._reached(),
            self._http.stream("GET", PREFIX + path, params=query) as response,
        ):
            if not response.is_success:
                response.read()
            _require_success(response)
            yield from response.iter_bytes()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise ServerNotReached(f"{self.base_url} did not answer in time.") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise ServerNotReached(f"Cannot reach {self.base_url}: {_plain(error)}.") from error


def segment(value: str | int) -> str:
    """A value as one part of a path. Raises ValueError for what cannot be one."""
    text = str(value)
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} names nothing.")
    return quote(text, safe="")


def _require_success(response: httpx.Response) -> None:
    if response.is_success:
        return
    status = f"{response.status_code} {response.reason_phrase}".strip()
    if response.is_redirect:
        place = response.headers.get("Location", "another address")
        raise ApiError(
            response.status_code,
            response.reason_phrase,
            f"The server answered {status} and points to {place}. Use its new address.",
        )
    problem = _problem(response)
    if problem is None:
        request = response.request
        detail = f"The server answered {status} to {request.method} {request.url.path}."
        raise ApiError(response.status_code, response.reason_phrase, detail)
    title = str(problem.pop("title", response.reason_phrase))
    detail = str(problem.pop("detail", "") or title or f"The server answered {status}.")
    errors = [
        FieldError(str(one.get("pointer", "")), str(one.get("detail", "")))
        for one in problem.pop("errors", None) or ()
        if isinstance(one, dict)
    ]
    extra = {name: value for name, value in problem.items() if name not in ("type", "status")}
    raise ApiError(response.status_code, title, detail, errors, extra)


def _problem(response: httpx.Response) -> Json | None:
    """The body when it is a JSON object, as problem+json is; None when it is something else."""
    if "json" not in response.headers.get("Content-Type", ""):
        return None
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _json(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except ValueError as error:
        request = response.request
        raise _not_evalhub(request.method, request.url.path) from error


def _not_evalhub(method: str, path: str) -> ApiError:
    return ApiError(
        200,
        "Unexpected answer",
        f"The answer to {method} {path} is not one of evalhub's. "
        "Is this the address of an evalhub server?",
    )


def _plain(error: Exception) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__
