"""Makes calls through the way out to a server of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.test import override_settings

from evalhub.kit.outgoing import Answer, Outgoing, OutgoingError
from tests.servers.raw import Call, RawServer, raw_server

LOOPBACK = ["127.0.0.0/8", "::1/128"]
Answerer = Callable[[Call], Awaitable[None]]


def run(
    answerer: Answerer,
    use: Callable[[Outgoing, RawServer], Awaitable[Any]],
    *,
    allowed: list[str] = LOOPBACK,
    **options: Any,
) -> Any:
    """What `use` gives, with a way out and a server that answers with `answerer`."""

    async def main() -> Any:
        with override_settings(ALLOWED_ADDRESSES=allowed):
            outgoing = Outgoing(**options)
        try:
            async with raw_server(answerer) as server:
                return await asyncio.wait_for(use(outgoing, server), 30)
        finally:
            await outgoing.close()

    return asyncio.run(main())


def fetch(answerer: Answerer, *, method: str = "GET", path: str = "/", **options: Any) -> Answer:
    async def use(outgoing: Outgoing, server: RawServer) -> Answer:
        return await outgoing.request(method, server.url + path, headers={})

    answer: Answer = run(answerer, use, **options)
    return answer


def failure(answerer: Answerer, *, left: int = 0, **options: Any) -> OutgoingError:
    """The error of a call, after which `left` connections stay open."""

    async def use(outgoing: Outgoing, server: RawServer) -> OutgoingError:
        with pytest.raises(OutgoingError) as caught:
            await outgoing.request("GET", server.url, headers={})
        await server.until_open(left)
        return caught.value

    error: OutgoingError = run(answerer, use, **options)
    assert error.message.endswith(".")
    return error


async def ok(call: Call) -> None:
    await call.answer(b'{"a": 1}', content_type="application/json")
