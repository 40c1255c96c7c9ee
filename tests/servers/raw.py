"""A server on loopback that says exactly what a test tells it to, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Answerer = Callable[["Call"], Awaitable[None]]


@dataclass
class Call:
    """One request, and the way back to who sent it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    writer: asyncio.StreamWriter = field(repr=False)

    async def send(self, *parts: bytes) -> None:
        """Send bytes as they are. Raises ConnectionError when the other side is gone."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def answer(self, body: bytes = b"", status: str = "200 OK", **headers: str) -> None:
        """A whole answer with its length."""
        await self.send(head(status, content_length=str(len(body)), **headers) + body)

    def reset(self) -> None:
        """Break the connection off in the roughest way."""
        self.writer.transport.abort()


@dataclass
class RawServer:
    """`calls` are the requests so far, `open` how many connections there are right now."""

    url: str
    calls: list[Call] = field(default_factory=list)
    open: int = 0

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def until_open(self, wanted: int, seconds: float = 5) -> None:
        """Wait until that many connections are open. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while self.open != wanted:
                await asyncio.sleep(0.005)


def head(status: str = "200 OK", **headers: str) -> bytes:
    """The start of an answer; `content_type` becomes Content-Type and so on."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


class _Connection(asyncio.StreamReaderProtocol):
    """Counts itself, and ends its task as soon as the other side has left."""

    def __init__(self, server: RawServer, answerer: Answerer) -> None:
        self.server, self.answerer = server, answerer
        self.task: asyncio.Task[None] | None = None
        super().__init__(asyncio.StreamReader(), self.serve)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.server.open += 1
        super().connection_made(transport)

    def eof_received(self) -> bool:
        super().eof_received()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.server.open -= 1
        super().connection_lost(error)
        if self.task:
            self.task.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.task = asyncio.current_task()
        try:
            while call := await _read(reader, writer):
                self.server.calls.append(call)
                await self.answerer(call)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the test is over, or the other side has left
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def raw_server(answerer: Answerer) -> AsyncIterator[RawServer]:
    """A server whose every request is answered by `answerer`; it keeps connections open."""
    server = RawServer("")
    connections: list[_Connection] = []

    def connect() -> _Connection:
        connections.append(_Connection(server, answerer))
        return connections[-1]

    listening = await asyncio.get_running_loop().create_server(connect, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        tasks = [connection.task for connection in connections if connection.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Call | None:
    """The next request; None when there is no more."""
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        pairs = (line.partition(":") for line in lines[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    except asyncio.IncompleteReadError:
        return None
    return Call(method, path, headers, body, writer)
