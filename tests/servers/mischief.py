"""Everything that a provider can do wrong, each as a handler of one request."""

from __future__ import annotations

import asyncio
import functools
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any, Final

from tests.servers.http_loop import Connection, Request

GIGABYTE: Final = 1_000_000_000
_PIECE: Final = b"x" * 65_536
_HTML: Final = (
    b"<!doctype html><html><head><title>Bad gateway</title></head><body>nginx</body></html>"
)

Mischief = Callable[[Request, Connection], None]


def error(status: int, message: str, **headers: str) -> Mischief:
    """An error as providers word it."""
    body = json.dumps({"error": {"message": message, "type": "error", "code": status}}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _, connection: connection.send(status, body, headers=named)


def raw(body: bytes, content_type: str = "application/json", status: int = 200) -> Mischief:
    """These very bytes."""
    return lambda _, connection: connection.send(status, body, content_type=content_type)


def reply(message: dict[str, Any], finish_reason: str = "stop", **more: Any) -> Mischief:
    """A completion with one message of any shape."""
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    usage = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
    body = json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage} | more)
    return raw(body.encode())


def stall(_: Request, connection: Connection) -> None:
    """Never answer."""


def reset(_: Request, connection: Connection) -> None:
    connection.reset()


def reset_halfway(_: Request, connection: Connection) -> None:
    connection.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
    connection.transport.close()


def redirect_loop(request: Request, connection: Connection) -> None:
    connection.send(302, b"", headers={"Location": request.path})


def huge(_: Request, connection: Connection) -> None:
    """A body of 1 GB, announced by its length."""
    _head(connection, f"Content-Length: {GIGABYTE}\r\n")
    _pour(connection, _PIECE, GIGABYTE // len(_PIECE))


def huge_chunked(_: Request, connection: Connection) -> None:
    """A body of 1 GB that does not say how long it is."""
    _head(connection, "Transfer-Encoding: chunked\r\n")
    _pour(connection, b"%x\r\n%s\r\n" % (len(_PIECE), _PIECE), GIGABYTE // len(_PIECE))


def gzip_bomb(_: Request, connection: Connection) -> None:
    """About 1 MB that unpacks to 1 GB."""
    connection.send(200, _bomb(), headers={"Content-Encoding": "gzip"})


def drip(_: Request, connection: Connection) -> None:
    """A byte each 20 ms, for ever."""
    _head(connection, "Content-Length: 1000000\r\n")
    loop = asyncio.get_running_loop()

    def next_byte() -> None:
        if not connection.transport.is_closing():
            connection.transport.write(b" ")
            loop.call_later(0.02, next_byte)

    next_byte()


def _head(connection: Connection, headers: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{headers}\r\n"
    connection.transport.write(head.encode())


def _pour(connection: Connection, piece: bytes, left: int) -> None:
    """Write without holding more than a little in memory, until the client has had enough."""
    transport = connection.transport
    while left and not transport.is_closing() and transport.get_write_buffer_size() < 1_000_000:
        transport.write(piece)
        left -= 1
    if left and not transport.is_closing():
        asyncio.get_running_loop().call_later(0.002, _pour, connection, piece, left)


@functools.cache
def _bomb() -> bytes:
    """A gzip file of 1 GB of zeros; only its checksum is wrong, and nobody gets that far."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(10_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    return head + block * (GIGABYTE // 10_000_000) + b"\x03\x00" + bytes(8)


BY_NAME: Final[dict[str, Mischief]] = {
    "400": error(400, "Unknown parameter: 'temprature'."),
    "401": error(401, "Incorrect API key provided."),
    "404": error(404, "The model `nope` does not exist."),
    "408": error(408, "Request timed out."),
    "429": error(429, "Rate limit reached.", Retry_After="0.05"),
    "500": error(500, "The server had an error."),
    "503": error(503, "The engine is overloaded."),
    "stall": stall,
    "reset": reset,
    "reset_halfway": reset_halfway,
    "html": raw(_HTML, "text/html; charset=utf-8"),
    "truncated": raw(b'{"choices": [{"message": {"content": "Hel'),
    "wrong_type": raw(b'{"choices": []}', "application/octet-stream"),
    "binary": raw(gzip.compress(b"no JSON"), "application/json"),
    "error_200": raw(b'{"error": {"message": "No capacity.", "code": 502}}'),
    "no_choices": raw(b'{"choices": []}'),
    "null_content": reply({"role": "assistant", "content": None}),
    "filtered": reply({"role": "assistant", "content": ""}, "content_filter"),
    "redirect_loop": redirect_loop,
    "huge": huge,
    "huge_chunked": huge_chunked,
    "gzip_bomb": gzip_bomb,
    "drip": drip,
}
