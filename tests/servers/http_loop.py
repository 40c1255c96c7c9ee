"""A small HTTP server for tests and measurements: fast, and free to break every rule.

Requests with Content-Length bodies alone; connections are kept open. What to answer is decided by a
handler, which gets the request and the connection and may write what it likes, whenever it likes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

REASONS = {200: "OK", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}


@dataclass(slots=True)
class Request:
    """One request as it came; names of headers are lower-case."""

    method: str
    path: str
    head: bytes
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines if line)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}


Handler = Callable[[Request, "Connection"], None]


class Connection(asyncio.Protocol):
    """One client. Answers go out in the order in which `send` is called."""

    __slots__ = ("_buffer", "_handler", "_open", "transport")

    def __init__(self, handler: Handler, open_connections: set[Connection]) -> None:
        self._handler = handler
        self._open = open_connections
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._open.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._open.discard(self)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        while True:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                break
            length = _content_length(buffer[:end])
            start = end + 4
            if len(buffer) < start + length:
                break
            method, path, _ = buffer[: buffer.find(b"\r\n")].decode("latin-1").split(" ", 2)
            request = Request(method, path, buffer[:end], buffer[start : start + length])
            buffer = buffer[start + length :]
            self._handler(request, self)
        self._buffer = buffer

    def send(
        self,
        status: int,
        body: bytes,
        *,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None:
        """Write a whole answer, unless the client is gone."""
        if self.transport.is_closing():
            return
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = (
            f"HTTP/1.1 {status} {REASONS.get(status, 'Whatever')}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        )
        self.transport.write(head.encode("latin-1") + body)

    def reset(self) -> None:
        """Drop the connection with a RST where the system allows it."""
        self.transport.abort()


def _content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    if at < 0:
        return 0
    end = lower.find(b"\r\n", at)
    return int(lower[at + 15 : end if end >= 0 else len(lower)])


async def serve(handler: Handler, port: int = 0) -> tuple[asyncio.Server, set[Connection]]:
    """A listening server on loopback, and the set of its open connections."""
    loop = asyncio.get_running_loop()
    opened: set[Connection] = set()
    server = await loop.create_server(
        lambda: Connection(handler, opened), "127.0.0.1", port, backlog=2_000
    )
    return server, opened


class ThreadedServer:
    """The server in a thread of its own, as a context manager; `url` is its address."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server, opened = await serve(self._handler)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for connection in list(opened):
            connection.transport.abort()
        await asyncio.sleep(0)
