"""One call of a target against a server on loopback."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from runs_app.connections import Reach
from runs_app.targets.base import ItemCall, TargetFailure
from runs_app.targets.chat import ChatTarget
from runs_app.targets.chat import check_config as check_chat
from runs_app.targets.http import HttpTarget
from runs_app.targets.http import check_config as check_http
from runs_app.targets.trace import Trace

KEY = "sk-canary-0123456789abcdef"


def item(
    input: Any = "1 + 1",
    metadata: Any | None = None,
    context: Any | None = None,
    external_id: str | None = None,
) -> ItemCall:
    """An item as a target sees it."""
    return ItemCall(
        number=7,
        external_id=external_id,
        input_json=json.dumps(input, ensure_ascii=False),
        metadata_json=json.dumps(metadata or {}),
        context_json=None if context is None else json.dumps(context),
    )


def chat(base_url: str, *, kind: str = "agent", key: str | None = KEY, **config: Any) -> ChatTarget:
    """A chat target over a connection with a key."""
    checked = check_chat({"connection": "provider", "model": "m"} | config)
    return ChatTarget(checked, Reach(1, "Provider", base_url, key), kind)


def http(
    url: str, *, kind: str = "agent", base_url: str = "", key: str | None = KEY, **config: Any
) -> HttpTarget:
    """An HTTP target, over a connection where `base_url` is given."""
    if base_url:
        config["connection"] = "provider"
    reach = Reach(1, "Provider", base_url, key) if base_url else None
    return HttpTarget(check_http({"url": url} | config), reach, kind)


def call(
    target: ChatTarget | HttpTarget,
    given: ItemCall | None = None,
    *,
    trace: Trace | None = None,
    timeout_s: float = 10,
) -> Any:
    """The output's value. Raises TargetFailure, and TimeoutError as the engine's clock would."""

    async def once() -> str:
        try:
            async with asyncio.timeout(timeout_s):
                return await target.call(given or item(), trace or Trace())
        finally:
            await target.close()

    return json.loads(asyncio.run(once()))


def failure(
    target: ChatTarget | HttpTarget, given: ItemCall | None = None, *, trace: Trace | None = None
) -> TargetFailure:
    """The failure in which a call ends."""
    try:
        output = call(target, given, trace=trace)
    except TargetFailure as error:
        return error
    raise AssertionError(f"The call did not fail; it gave {output!r}.")
