"""A call that is cancelled closes its connection at once and hurts no other."""

from __future__ import annotations

import asyncio
import time

import pytest

from evalhub.kit.outgoing import Outgoing
from tests.kit.outgoing.calling import Answerer, run
from tests.servers.raw import Call, RawServer, head


async def silent(call: Call) -> None:
    await asyncio.sleep(60)


async def stalled_in_the_body(call: Call) -> None:
    await call.send(head(content_length="100"), b"half")
    await asyncio.sleep(60)


async def drip(call: Call) -> None:
    await call.send(head(transfer_encoding="chunked"))
    while True:
        await call.send(b"1\r\nx\r\n")
        await asyncio.sleep(0.005)


async def drip_of_headers(call: Call) -> None:
    await call.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        await call.send(b"X: y\r\n")
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("answerer", [silent, stalled_in_the_body, drip, drip_of_headers])
def test_a_cancelled_call_leaves_at_once_and_closes_its_connection(answerer: Answerer) -> None:
    async def use(outgoing: Outgoing, server: RawServer) -> None:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await outgoing.request("POST", server.url, headers={}, body=b"{}")
        assert time.monotonic() - started < 1
        await server.until_open(0)

    run(answerer, use)


def test_a_cancelled_call_hurts_no_other() -> None:
    async def answerer(call: Call) -> None:
        await asyncio.sleep(60 if call.path == "/stalls" else 0.05)
        await call.answer(call.path.encode())

    async def use(outgoing: Outgoing, server: RawServer) -> None:
        stalled = [
            asyncio.create_task(outgoing.request("GET", server.url + "/stalls", headers={}))
            for _ in range(10)
        ]
        good = [
            asyncio.create_task(outgoing.request("GET", f"{server.url}/{n}", headers={}))
            for n in range(10)
        ]
        await asyncio.sleep(0.02)
        for task in stalled:
            task.cancel()
        assert [answer.body for answer in await asyncio.gather(*good)] == [
            b"/%d" % n for n in range(10)
        ]
        await server.until_open(10)  # those that are kept for the next calls

    run(answerer, use)


def test_hundreds_of_calls_go_out_at_once() -> None:
    async def answerer(call: Call) -> None:
        await asyncio.sleep(0.3)
        await call.answer(call.body)

    async def use(outgoing: Outgoing, server: RawServer) -> None:
        bodies = [str(n).encode() for n in range(300)]
        answers = await asyncio.gather(
            *(outgoing.request("POST", server.url, headers={}, body=body) for body in bodies)
        )
        assert [answer.body for answer in answers] == bodies
        assert server.open == 300  # no queue inside the client

    run(answerer, use)
