"""The demo's three workflows, as a plug-in would register them: sort a ticket, draft a reply.

The rules are in `triage_v1` to `triage_v3`, small enough to read in a minute. They see what a
support agent would see, subject and body, and nothing of what the dataset expects.

Each workflow sleeps 40 to 120 ms per ticket in the place where a real one would call a model, so
that a run takes long enough to watch. The time depends on the text alone: it repeats.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import evalhub
from evalhub.demo.triage_v1 import triage_v1
from evalhub.demo.triage_v2 import triage_v2
from evalhub.demo.triage_v3 import triage_v3


def thinking_seconds(text: str, least: float) -> float:
    """The pretended model call in seconds: `least`, and longer for a longer text, up to 0.12."""
    return min(0.12, least + len(text) * 0.0002)


def read_ticket(ticket: Mapping[str, Any]) -> tuple[str, str]:
    """Subject and body of a ticket; a missing part is an empty string."""
    return str(ticket.get("subject") or ""), str(ticket.get("body") or "")


@evalhub.target(
    kind="workflow",
    id="demo.triage-v1",
    name="Ticket triage v1",
    project="demo",
    version="1",
)
async def ticket_triage_v1(ticket: Mapping[str, Any]) -> dict[str, str]:
    """Category, priority and reply for {"subject", "body", "channel"}: the first keyword wins."""
    return await _answer(ticket, triage_v1, least_s=0.04)


@evalhub.target(
    kind="workflow",
    id="demo.triage-v2",
    name="Ticket triage v2",
    project="demo",
    version="2",
)
async def ticket_triage_v2(ticket: Mapping[str, Any]) -> dict[str, str]:
    """Category, priority and reply for {"subject", "body", "channel"}: all evidence, weighed."""
    return await _answer(ticket, triage_v2, least_s=0.05)


@evalhub.target(
    kind="workflow",
    id="demo.triage-v3",
    name="Ticket triage v3",
    project="demo",
    version="3",
)
async def ticket_triage_v3(ticket: Mapping[str, Any]) -> dict[str, str]:
    """Category, priority and reply for {"subject", "body", "channel"}: more clues than v2."""
    return await _answer(ticket, triage_v3, least_s=0.05)


async def _answer(
    ticket: Mapping[str, Any], triage: Callable[[str, str], dict[str, str]], *, least_s: float
) -> dict[str, str]:
    """What `triage` says of the ticket, after the time of a pretended model call."""
    subject, body = read_ticket(ticket)
    await asyncio.sleep(thinking_seconds(subject + body, least=least_s))
    return triage(subject, body)
