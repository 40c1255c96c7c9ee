"""Unpacks the bodies of answers, and never more of them than may be kept. Pure."""

from __future__ import annotations

import zlib
from typing import Protocol

from evalhub.kit.outgoing.errors import OutgoingError

_GZIP, _DEFLATE, _RAW_DEFLATE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


class Decoder(Protocol):
    def feed(self, chunk: bytes, room: int) -> bytes:
        """What `chunk` unpacks to, of which at most `room` + 1 bytes are unpacked at all."""

    def end(self) -> None:
        """Raises OutgoingError when the body stopped in the middle."""


def decoder_for(encoding: str) -> Decoder | None:
    """A decoder for a Content-Encoding; None for none. Raises OutgoingError for an unknown one."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip", "deflate"):
        return _Zlib(gzip=name != "deflate")
    raise OutgoingError(
        "bad_encoding",
        f"The answer is packed as “{name[:40]}”. Only gzip and deflate can be unpacked.",
    )


class _Zlib:
    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._unpack = zlib.decompressobj(_GZIP) if gzip else None
        self._started = False

    def feed(self, chunk: bytes, room: int) -> bytes:
        if not chunk:
            return b""
        parts: list[bytes] = []
        rest = chunk
        try:
            while rest and room >= 0:
                unpack = self._next(rest)
                part = unpack.decompress(rest, room + 1)
                self._started = True
                parts.append(part)
                room -= len(part)
                rest = unpack.unused_data
        except zlib.error as error:
            raise OutgoingError(
                "bad_encoding",
                f"The answer says that it is packed, but cannot be unpacked: {error}.",
            ) from error
        return b"".join(parts)

    def end(self) -> None:
        if self._started and not (self._unpack and self._unpack.eof):
            raise OutgoingError("bad_encoding", "The packed answer stops in the middle.")

    def _next(self, rest: bytes) -> zlib._Decompress:
        """The unpacker for these bytes: gzip may be several files one after another."""
        if self._unpack is None:
            # Some servers send "deflate" bare, without the zlib head that the standard asks for.
            wrapped = rest[0] & 0x0F == 8
            self._unpack = zlib.decompressobj(_DEFLATE if wrapped else _RAW_DEFLATE)
        elif self._unpack.eof:
            if not self._gzip:
                raise zlib.error("there is more after its end")
            self._unpack = zlib.decompressobj(_GZIP)
        return self._unpack
