"""Targets as a team would name them, for the pictures and for the walk over every page."""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import evalhub
from evalhub.demo.triage_v1 import triage_v1
from evalhub.demo.workflows import read_ticket
from runs_app.targets import TargetFailure

_dice = random.Random(7)


@evalhub.target(id="support.small-agent", kind="agent", name="Small support agent")
async def small_agent(ticket: Mapping[str, Any]) -> Any:
    """Refuse some calls as a provider under load does; answer the others with a trace."""
    if _dice.random() < 0.06:
        raise TargetFailure(
            "rate_limited", "HTTP 429: too many requests.", throttled=True, retry_after_s=0.2
        )
    thinking, looking = 60 + 120 * _dice.random(), 20 + 40 * _dice.random()
    await asyncio.sleep((2 * thinking + looking) / 1000)
    subject, body = read_ticket(ticket)
    question = {"model": "small-1", "messages": [{"role": "user", "content": body}]}
    spans = [
        {"name": "chat, small-1", "kind": "model", "start_ms": 2, "ms": thinking, "data": question},
        {"name": "search", "kind": "tool", "start_ms": 4 + thinking, "ms": looking},
        {"name": "chat, small-1", "kind": "model", "start_ms": 6 + thinking + looking}
        | {"ms": thinking, "data": question},
    ]
    reply = triage_v1(subject, body)
    return evalhub.Output(reply, spans=spans, input_tokens=120, output_tokens=45, cost_usd=0.0004)


@evalhub.target(id="support.reply-writer", kind="processor", name="Reply writer")
def reply_writer(ticket: Mapping[str, Any]) -> str:
    """The reply alone, as text."""
    return triage_v1(*read_ticket(ticket))["reply"]
