"""One item against the target: tries, timeouts, backoff; and what came of it."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from runs_app.targets import ItemCall, Target, TargetFailure
from runs_app.targets.threads import CallableExited

BACKOFF_FIRST_S = 0.5
BACKOFF_MOST_S = 30.0
MESSAGE_CHARS = 2000
TYPE_CHARS = 40


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the target gave for an item. `output_json` is None exactly when `error_type` is set.

    `latency_ms` is that of the last try alone; the times span all tries.
    """

    output_json: str | None
    error_type: str
    error_message: str
    started_at: datetime
    completed_at: datetime
    latency_ms: float
    retries: int


async def attempt(target: Target, item: ItemCall, *, timeout_s: float, retries: int) -> Outcome:
    """Call the target until it answers, fails for good, or the retries are used up.

    Every try has its own clock of `timeout_s`. Never raises, except for cancellation.
    """
    started_at = datetime.now(UTC)
    tried = 0
    while True:
        begin = time.perf_counter()
        output: str | None = None
        failure: TargetFailure | None = None
        try:
            if target.instant:
                output = await target.call(item)
            else:
                output = await _call(target, item, timeout_s)
        except TargetFailure as error:
            failure = error
        except Exception as error:  # noqa: BLE001 (whatever a target raises is data)
            failure = _own_error(error)
        latency_ms = (time.perf_counter() - begin) * 1000
        if failure is None or not failure.transient or tried >= retries:
            return Outcome(
                output_json=output,
                error_type=_type_of(failure) if failure else "",
                error_message=storable(_text(failure.message)) if failure else "",
                started_at=started_at,
                completed_at=datetime.now(UTC),
                latency_ms=latency_ms,
                retries=tried,
            )
        tried += 1
        await asyncio.sleep(backoff(tried))


async def _call(target: Target, item: ItemCall, timeout_s: float) -> str:
    """One try, in a task of its own: a target that swallows its cancellation is left behind."""
    call = asyncio.ensure_future(_contained(target, item))
    try:
        await asyncio.wait({call}, timeout=timeout_s)
    finally:
        if not call.done():
            call.cancel()
            _left_behind.add(call)
            call.add_done_callback(_forget)
    if not call.done():
        raise TargetFailure("timeout", f"No answer within {timeout_s:g} s.", transient=True)
    if call.cancelled():
        raise TargetFailure("exception", "CancelledError: the target cancelled its own call.")
    return call.result()


_left_behind: set[asyncio.Task[str]] = set()  # an event loop alone would let them be collected


async def _contained(target: Target, item: ItemCall) -> str:
    try:
        return await target.call(item)
    except (SystemExit, KeyboardInterrupt) as error:  # would end the event loop
        raise CallableExited(error) from error


def _forget(call: asyncio.Task[str]) -> None:
    _left_behind.discard(call)
    if not call.cancelled():
        call.exception()  # seen: nobody waits for it, so asyncio need not log it


def backoff(tried: int) -> float:
    """Seconds to wait before try `tried` + 1: exponential with full jitter."""
    return random.uniform(0, min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2.0**tried))


def storable(text: str) -> str:
    """`text` as every database takes it: no NUL, no half of a surrogate pair, of bounded length."""
    text = text[:MESSAGE_CHARS].replace("\x00", "\ufffd")
    return text.encode("utf-8", "replace").decode("utf-8")


def _own_error(error: Exception) -> TargetFailure:
    """A failure for an exception of the target's own code; network trouble is worth another try."""
    return TargetFailure(
        "exception",
        f"{type(error).__name__}: {_text(error)}",
        transient=isinstance(error, OSError),
    )


def _type_of(failure: TargetFailure) -> str:
    """The failure's word as the column takes it: never empty, which would mean no error."""
    return storable(_text(failure.type))[:TYPE_CHARS] or "exception"


def _text(value: object) -> str:
    """`str(value)`, also for an object of a target that fails at that."""
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 (a target's own __str__)
        return f"(its text raised {type(error).__name__})"
