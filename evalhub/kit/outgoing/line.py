"""One connection to a server, and the exchanges on it: one request, one answer, and again."""

from __future__ import annotations

import asyncio
from typing import Final, cast

import httptools

from evalhub.kit.outgoing.decoding import Decoder, decoder_for
from evalhub.kit.outgoing.errors import OutgoingError

MAX_HEAD: Final = 64_000  # bytes of an answer's head
_NO_BODY: Final = frozenset({204, 304})


class Line(asyncio.Protocol):
    """An open connection. `exchange` may be called when the one before is over and `fit` says so.

    The parser calls `on_*`; they must not raise, so trouble is kept and told at the end.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._method = ""
        self.idle_since = 0.0
        self._begin("")

    def _begin(self, method: str) -> None:
        self._method = method
        self._head_size = 0
        self._head_done = self._over = False
        self._open_ended = False
        self._trouble: OutgoingError | None = None
        self._decoder: Decoder | None = None
        self._body: list[bytes] = []
        self._size = self._packed_size = 0
        self.status = 0
        self.headers: dict[str, str] = {}

    @property
    def fit(self) -> bool:
        """True when another exchange can go over it."""
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(self, method: str, head: bytes, body: bytes | None) -> bytes:
        """Send a request; the body of its answer, with `status` and `headers` set.

        Raises OutgoingError, and ConnectionError when the connection broke. Cancelling closes it.
        """
        if self._transport is None or not self.fit:
            raise ConnectionResetError("the connection was closed")
        self._begin(method)
        self._waiting = self._loop.create_future()
        if body is None:
            self._transport.write(head + b"\r\n")
        else:
            self._transport.write(b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body))
        try:
            await self._waiting
        except BaseException:
            self.close()
            raise
        finally:
            self._waiting = None
        return self._body[0] if len(self._body) == 1 else b"".join(self._body)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # --- asyncio ----------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass of it

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:  # nobody asked: what it is, must not answer the next request
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(OutgoingError("bad_response", "The server wants to speak another protocol."))
        except httptools.HttpParserError as error:
            self._fail(OutgoingError("bad_response", f"does not answer in HTTP: {error}"))
        if not self._head_done:
            self._count_head(len(data))

    def connection_lost(self, error: Exception | None) -> None:
        waiting = self._waiting
        if waiting is None or waiting.done():
            return
        if error is None and self._open_ended and self._head_done:
            self._complete()  # a body without a length ends with the connection
        else:
            waiting.set_exception(ConnectionResetError("the connection was lost"))

    # --- the parser -------------------------------------------------------------------------------
    def on_message_begin(self) -> None:
        if self._over:  # more than was asked for must not answer the next request
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._over:
            return
        self._count_head(len(name) + len(value))
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        if self._over:
            return
        self.status = self._parser.get_status_code()
        if self.status < 200:
            return
        self._head_done = True
        if self.status in _NO_BODY:
            return
        if self._method == "HEAD":  # the parser would wait for the body that it announces
            self._complete()
            self.close()
            return
        length = self.headers.get("content-length")
        self._open_ended = length is None and "transfer-encoding" not in self.headers
        if "content-encoding" in self.headers:
            try:
                self._decoder = decoder_for(self.headers["content-encoding"])
            except OutgoingError as error:
                self._fail(error)
                return
        most = self._limit if self._decoder is None else _packed(self._limit)
        if length is not None and length.isdecimal() and int(length) > most:
            self._fail(self._too_large())

    def on_body(self, chunk: bytes) -> None:
        if self._over or self._trouble is not None:
            return
        if self._decoder is not None:
            self._packed_size += len(chunk)
            try:
                chunk = self._decoder.feed(chunk, self._limit - self._size)
            except OutgoingError as error:
                self._fail(error)
                return
        self._size += len(chunk)
        if self._size > self._limit or self._packed_size > _packed(self._limit):
            self._fail(self._too_large())
            return
        self._body.append(chunk)

    def on_message_complete(self) -> None:
        if self._over:
            return
        if self.status < 200:  # "100 Continue": the answer comes after it
            self.headers = {}
            return
        self._complete()

    # --- ends -------------------------------------------------------------------------------------
    def _complete(self) -> None:
        self._over = True
        if self._decoder is not None and self._trouble is None:
            try:
                self._decoder.end()
            except OutgoingError as error:
                self._fail(error)
        if self._waiting is not None and not self._waiting.done() and self._trouble is None:
            self._waiting.set_result(None)
        if self._open_ended or not self._parser.should_keep_alive():
            self.close()

    def _fail(self, error: OutgoingError) -> None:
        if self._trouble is None:
            self._trouble = error
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_exception(error)
        self._body = []
        self.close()

    def _count_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > MAX_HEAD:
            self._fail(OutgoingError("bad_response", "does not answer in HTTP: an endless head"))

    def _too_large(self) -> OutgoingError:
        return OutgoingError(
            "too_large",
            f"The answer is larger than {self._limit / 1_000_000:g} MB, the most that is kept. "
            "Let the target return less.",
        )


def _packed(limit: int) -> int:
    """How large a packed body may be: what cannot be packed grows a little by being packed."""
    return limit + limit // 100 + 65_536
