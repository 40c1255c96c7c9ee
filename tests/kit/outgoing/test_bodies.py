"""Bodies that are packed, broken, endless or bombs: bounded memory and an error in words."""

from __future__ import annotations

import asyncio
import gzip
import os
import zlib
from collections.abc import Callable

import pytest

from evalhub.kit.outgoing import Outgoing, OutgoingError
from tests.kit.outgoing.calling import Answerer, failure, fetch, run
from tests.servers.raw import Call, RawServer, head


@pytest.mark.parametrize("size", [0, 1, 999_999, 1_000_000])
@pytest.mark.parametrize("coding", ["length", "chunked", "gzip", "deflate", "raw deflate"])
def test_a_body_up_to_the_limit_comes_home_whole(size: int, coding: str) -> None:
    body = os.urandom(max(size // 10, 1)) * 10
    body = body[:size]

    async def answerer(call: Call) -> None:
        if coding == "length":
            await call.answer(body)
        elif coding == "chunked":
            parts = [body[at : at + 70_000] for at in range(0, size, 70_000)]
            sent = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts]
            await call.send(head(transfer_encoding="chunked"), *sent, b"0\r\n\r\n")
        elif coding == "gzip":  # two files in one, as some servers send
            packed = gzip.compress(body[:100]) + gzip.compress(body[100:])
            await call.answer(packed, content_encoding="GZip")
        else:
            window = -15 if coding == "raw deflate" else 15
            pack = zlib.compressobj(wbits=window)
            await call.answer(pack.compress(body) + pack.flush(), content_encoding="deflate")

    assert fetch(answerer, limit_bytes=1_000_000).body == body


def peak_growth_mb(act: Callable[[], object]) -> float:
    """By how much the process has grown at its largest while `act` ran."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # forget the largest size so far
    before = resident_mb("VmRSS")
    act()
    return resident_mb("VmHWM") - before


def resident_mb(line: str) -> float:
    with open("/proc/self/status") as status:
        found = next(text for text in status if text.startswith(line))
    return int(found.split()[1]) / 1024


async def endless(call: Call) -> None:
    """Says nothing of its length and never ends."""
    await call.send(head(transfer_encoding="chunked"))
    part = b"%x\r\n%s\r\n" % (65_536, bytes(65_536))
    while True:
        await call.send(part)


async def gigabyte(call: Call) -> None:
    await call.send(head(content_length="1000000000"))
    part = bytes(65_536)
    for _ in range(1_000_000_000 // len(part)):
        await call.send(part)


def bomb() -> bytes:
    """300 MB of zeros, packed to some 300 KB."""
    pack = zlib.compressobj(9, wbits=31)
    block = bytes(1_000_000)
    return b"".join([*(pack.compress(block) for _ in range(300)), pack.flush()])


BOMB = bomb()


async def gzip_bomb(call: Call) -> None:
    await call.answer(BOMB, content_encoding="gzip")


@pytest.mark.parametrize("answerer", [endless, gigabyte, gzip_bomb])
def test_a_body_over_the_limit_is_dropped_in_flat_memory(answerer: Answerer) -> None:
    assert len(BOMB) < 400_000
    errors: list[OutgoingError] = []
    grown = peak_growth_mb(lambda: errors.append(failure(answerer)))
    assert (errors[0].type, errors[0].transient) == ("too_large", False)
    assert "8 MB" in errors[0].message
    assert grown < 40, f"{grown:.0f} MB"


def test_many_bombs_at_once_stay_in_bounds() -> None:
    async def use(outgoing: Outgoing, server: RawServer) -> None:
        found = await asyncio.gather(
            *(outgoing.request("GET", server.url, headers={}) for _ in range(20)),
            return_exceptions=True,
        )
        assert {getattr(one, "type", one) for one in found} == {"too_large"}

    assert peak_growth_mb(lambda: run(gzip_bomb, use)) < 150  # not 20 x 300


@pytest.mark.parametrize("extra", [1, 100_000])
@pytest.mark.parametrize("packed", [False, True])
def test_the_limit_is_exact(extra: int, packed: bool) -> None:
    body = bytes(100_000 + extra)

    async def answerer(call: Call) -> None:
        if packed:
            await call.answer(gzip.compress(body), content_encoding="gzip")
        else:
            await call.send(head(connection="close"), body)
            call.writer.close()

    # A packed body was here in whole, so that its connection is good for the next call.
    assert failure(answerer, left=int(packed), limit_bytes=100_000).type == "too_large"


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x" * 200])
def test_an_unknown_encoding_is_an_error(encoding: str) -> None:
    async def answerer(call: Call) -> None:
        await call.answer(b"abc", content_encoding=encoding)

    error = failure(answerer, left=1)
    assert error.type == "bad_encoding"
    assert encoding[:40] in error.message
    assert len(error.message) < 150


@pytest.mark.parametrize(
    "body", [b"not packed at all", gzip.compress(b"whole", mtime=0)[:-3], gzip.compress(b"a", mtime=0) + b"rest",
             b"\x1f\x8b" + bytes(20)]
)  # fmt: skip
def test_a_body_that_does_not_unpack_is_an_error(body: bytes) -> None:
    async def answerer(call: Call) -> None:
        await call.answer(body, content_encoding="gzip")

    assert failure(answerer, left=1).type == "bad_encoding"


async def truncated(call: Call) -> None:
    await call.send(head(content_length="100"), b"only this")
    call.writer.close()


async def truncated_chunks(call: Call) -> None:
    await call.send(head(transfer_encoding="chunked"), b"5\r\nab")
    call.writer.close()


async def reset_at_once(call: Call) -> None:
    call.reset()


async def reset_in_the_body(call: Call) -> None:
    await call.send(head(content_length="100"), b"only this")
    await asyncio.sleep(0.02)
    call.reset()


async def hung_up(call: Call) -> None:
    call.writer.close()


@pytest.mark.parametrize(
    "answerer", [truncated, truncated_chunks, reset_at_once, reset_in_the_body, hung_up]
)
def test_a_connection_that_breaks_is_told_and_worth_another_try(answerer: Answerer) -> None:
    error = failure(answerer)
    assert (error.type, error.transient) == ("connection_lost", True)


@pytest.mark.parametrize(
    "raw", [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 OK\r\n\r\n",
            head(x="y" * 100_000), b"HTTP/1.1 200 OK\r\n" + b"A: 1\r\n" * 100_000 + b"\r\n"]
)  # fmt: skip
def test_what_is_no_http_is_told(raw: bytes) -> None:
    async def answerer(call: Call) -> None:
        await call.send(raw)

    assert failure(answerer).type == "bad_response"
