"""What a python target may give beside a plain JSON value: more to say, or a block. Pure.

import evalhub

def agent(input):
    reply = ask_model(input)
    return evalhub.Output(reply.text, input_tokens=reply.tokens_in, output_tokens=reply.tokens)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Output:
    """A target's output with what is known of how it came about.

    `value` is the output, any JSON value. `trace_id` is the id of the call in the caller's own
    tracing tool, up to 64 characters. `spans` are mappings with `name`, `start_ms` (since the call
    began) and `ms`, and optionally `kind` ("model", "tool", "http" or "step"), `depth` (0 for the
    outermost), `error` and `data` (a JSON object). Tokens and cost are those of this call, None
    where they are not known; cost is in US dollars.
    """

    value: Any
    trace_id: str = ""
    spans: Sequence[Mapping[str, Any]] = ()
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None


class Blocked(Exception):
    """Raised by a processor that lets its messages not pass. A block is an outcome, not an error:
    the output is `{"blocked": true, "reason": ...}`.
    """

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
