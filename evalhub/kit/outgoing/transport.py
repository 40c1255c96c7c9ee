"""Calls other machines: guarded, bounded, and with errors that say what to do.

HTTP/1.1 over kept connections, with httptools as the parser. A client library does more than this
for every call, and costs more than all the rest of a run's bookkeeping.
"""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

import aiohappyeyeballs
from django.conf import settings
from yarl import URL

from evalhub.kit.outgoing.addresses import literal, parse_allowed
from evalhub.kit.outgoing.errors import OutgoingError
from evalhub.kit.outgoing.heads import request_head
from evalhub.kit.outgoing.line import Line
from evalhub.kit.outgoing.resolver import CheckedResolver
from evalhub.kit.outgoing.urls import parse_url

LIMIT_BYTES = 8_000_000
IDLE_SECONDS = 15.0  # then a connection is not used again: the server may be about to close it
NEXT_ADDRESS_SECONDS = 0.25
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_URLS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: names of headers are lower-case, the body is unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Place = tuple[str, str, int]
"""Scheme, host and port."""


class Outgoing:
    """A set of connections to the outside. Made and used inside one running event loop.

    It has no clock: the caller cancels a call that takes too long, which closes its connection.
    """

    def __init__(self, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._resolver = CheckedResolver(parse_allowed(settings.ALLOWED_ADDRESSES))
        self._urls: dict[str, tuple[URL, Place]] = {}
        self._idle: dict[Place, list[Line]] = {}
        self._lines: set[Line] = set()
        self._tls: ssl.SSLContext | None = None
        self._last: tuple[str, str, Mapping[str, str], bytes] | None = None

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """The answer, whatever its status, but for redirects. Raises OutgoingError."""
        target, place = self._urls.get(url) or self._checked(url)
        head = self._head(method, url, target, headers)
        line = self._idle_line(place)
        try:
            if line is None:
                line = await self._open(target, place)
            answered = await line.exchange(method, head, body)
        except OutgoingError as error:
            raise _placed(error, target) from error
        except OSError as error:
            raise _explained(error, target) from error
        finally:
            if line is not None:
                self._put_back(line, place)
        if line.status in _REDIRECTS and "location" in line.headers:
            raise _redirected(line.status, line.headers["location"], target)
        return Answer(line.status, line.headers, answered)

    async def close(self) -> None:
        for line in self._lines:
            line.close()
        self._lines.clear()
        self._idle.clear()

    def _head(self, method: str, url: str, target: URL, headers: Mapping[str, str]) -> bytes:
        """The request's head; a target that sends the same ones with every call pays once."""
        last = self._last
        if last is not None and last[2] is headers and last[0] == method and last[1] == url:
            return last[3]
        head = request_head(method, target, headers)
        self._last = (method, url, headers, head)
        return head

    def _checked(self, url: str) -> tuple[URL, Place]:
        target = parse_url(url)
        host, port = target.raw_host, target.port
        assert host is not None
        assert port is not None
        address = literal(host)
        if address is not None:
            self._resolver.check(str(address), host)
        if len(self._urls) >= _URLS_KEPT:
            self._urls.clear()
        self._urls[url] = (target, (target.scheme, host, port))
        return self._urls[url]

    def _idle_line(self, place: Place) -> Line | None:
        """A connection that can be used again, the one used last first."""
        idle = self._idle.get(place)
        oldest = time.monotonic() - IDLE_SECONDS
        while idle:
            line = idle.pop()
            if line.fit and line.idle_since >= oldest:
                return line
            line.close()
            self._lines.discard(line)
        return None

    def _put_back(self, line: Line, place: Place) -> None:
        if line.fit:
            line.idle_since = time.monotonic()
            self._idle.setdefault(place, []).append(line)
        else:
            self._lines.discard(line)

    async def _open(self, target: URL, place: Place) -> Line:
        scheme, host, port = place
        loop = asyncio.get_running_loop()
        socket = await aiohappyeyeballs.start_connection(
            await self._resolver.resolve(host, port), happy_eyeballs_delay=NEXT_ADDRESS_SECONDS
        )
        if scheme == "https" and self._tls is None:
            self._tls = ssl.create_default_context()
        try:
            _, line = await loop.create_connection(
                lambda: Line(self._limit),
                sock=socket,
                ssl=self._tls if scheme == "https" else None,
                server_hostname=host.rstrip(".") if scheme == "https" else None,
            )
        except BaseException:
            socket.close()
            raise
        self._lines.add(line)
        return line


def _redirected(status: int, location: str, url: URL) -> OutgoingError:
    try:
        aim = url.join(URL(location)).with_query(None).with_fragment(None).with_user(None)
        where = str(aim)[:300]
    except ValueError:
        where = "an address that cannot be read"
    return OutgoingError(
        "redirect",
        f"The target redirects to {where} (status {status}), and redirects are not followed. "
        "Use that address if it is the right one.",
    )


def _placed(error: OutgoingError, url: URL) -> OutgoingError:
    """The error with where it happened, for those that begin in the middle of a sentence."""
    if error.type != "bad_response" or error.message[0].isupper():
        return error
    return OutgoingError(error.type, f"{url.host}:{url.port} {error.message[:300].rstrip('.')}.")


def _explained(error: OSError, url: URL) -> OutgoingError:
    """The error in words. They name host and port only: a path or query may hold what is secret."""
    at = f"{url.host}:{url.port}"
    match error:
        case ssl.SSLError():
            reason = getattr(error, "verify_message", "") or error.reason or str(error)
            return OutgoingError("tls", f"No secure connection to {at}: {reason}.")
        case ConnectionRefusedError():
            return OutgoingError(
                "connect", f"No connection to {at}: nothing listens there.", transient=True
            )
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return OutgoingError(
                "connection_lost",
                f"The connection to {at} was lost before the whole answer was here.",
                transient=True,
            )
    return OutgoingError("connect", f"No connection to {at}: {_reason(error)}.", transient=True)


def _reason(error: OSError) -> str:
    if error.errno == errno.ECONNREFUSED:
        return "nothing listens there"
    return os.strerror(error.errno).lower() if error.errno else str(error)
