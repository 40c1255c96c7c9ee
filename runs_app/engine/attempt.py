"""One item against the target: tries, timeouts, backoff; and what came of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from runs_app.engine.clock import CallClock
from runs_app.engine.gate import Gate
from runs_app.targets import ItemCall, Target, TargetFailure
from runs_app.targets.threads import CallableExited
from runs_app.targets.trace import Trace

BACKOFF_FIRST_S = 0.5
BACKOFF_MOST_S = 30.0
THROTTLED_TRIES = 10  # that cost no retry, because the calls came too fast
MESSAGE_CHARS = 2000
TYPE_CHARS = 40


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the target gave for an item. `output_json` is None exactly when `error_type` is set.

    `latency_ms` is that of the last try alone, without waiting; the times span all tries.
    `retries` counts the tries after the first.
    """

    output_json: str | None
    error_type: str
    error_message: str
    started_at: datetime
    completed_at: datetime
    latency_ms: float
    retries: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Time and tries of one result. `deadline_s` spans tries and backing off, but not the waiting
    for a turn under the connection's rate limit or the run's caps.
    """

    timeout_s: float
    retries: int
    deadline_s: float


Throttled = Callable[[TargetFailure, float], None]
"""Told of a 429 or 503, and when the call began (time.monotonic)."""
Troubled = Callable[[], None]
"""Told of any other failure that another try may mend."""


async def attempt(
    target: Target,
    item: ItemCall,
    trace: Trace,
    limits: Limits,
    gate: Gate,
    clock: CallClock,
    *,
    throttled: Throttled,
    troubled: Troubled,
) -> Outcome:
    """Call the target until it answers, fails for good, or retries or time are used up.

    Every try has its own clock. Raises Capped when the run's caps do not allow the next call, and
    nothing else except cancellation.
    """
    started_at = datetime.now(UTC)
    give_up = time.monotonic() + limits.deadline_s
    tries = throttles = 0
    while True:
        if not gate.open:
            give_up += await gate.enter(item, trace)
        began = time.monotonic()
        try_ms = trace.now_ms()
        timeout_s = min(limits.timeout_s, max(0.0, give_up - began))
        output, failure = await _try(target, item, trace, timeout_s, clock)
        latency_ms = trace.now_ms() - try_ms
        if not gate.open:
            gate.leave(item, trace)
        tries += 1
        trace.add(
            f"try {tries}",
            "try",
            try_ms,
            ms=latency_ms,
            depth=0,
            error="" if failure is None else _type_of(failure),
        )
        if failure is None:
            break
        throttles += failure.throttled
        if failure.throttled:
            throttled(failure, began)
        elif failure.transient:
            troubled()
        if not _again(failure, tries - throttles, throttles, limits.retries):
            break
        wait_s = backoff(tries)
        if failure.retry_after_s is not None:
            wait_s = max(failure.retry_after_s, random.uniform(0, BACKOFF_FIRST_S))
        if time.monotonic() + wait_s >= give_up:
            failure = _out_of_time(failure, wait_s, limits.deadline_s)
            break
        await asyncio.sleep(wait_s)
    return Outcome(
        output_json=output,
        error_type="" if failure is None else _type_of(failure),
        error_message="" if failure is None else storable(_text(failure.message)),
        started_at=started_at,
        completed_at=datetime.now(UTC),
        latency_ms=latency_ms,
        retries=tries - 1,
    )


def _again(failure: TargetFailure, tried: int, throttles: int, retries: int) -> bool:
    """Whether another try is due after `tried` tries that count and `throttles` that do not."""
    if failure.throttled:
        return throttles <= THROTTLED_TRIES + retries
    return failure.transient and tried <= retries


def _out_of_time(failure: TargetFailure, wait_s: float, deadline_s: float) -> TargetFailure:
    """The last failure, with why it is not tried again."""
    return TargetFailure(
        failure.type,
        f"{_text(failure.message)} Not tried again: the next try would come {wait_s:.1f} s later, "
        f"after the deadline of {deadline_s:g} s for one result.",
    )


async def _try(
    target: Target, item: ItemCall, trace: Trace, timeout_s: float, clock: CallClock
) -> tuple[str | None, TargetFailure | None]:
    """One try: the output, or the failure."""
    try:
        if target.instant:
            return await target.call(item, trace), None
        if not target.cooperative:
            return await _call(target, item, trace, timeout_s), None
        return await _timed(target, item, trace, timeout_s, clock), None
    except TargetFailure as error:
        return None, error
    except Exception as error:  # noqa: BLE001 (whatever a target raises is data)
        return None, _own_error(error)


async def _timed(
    target: Target, item: ItemCall, trace: Trace, timeout_s: float, clock: CallClock
) -> str:
    """One try of a target that ends as soon as it is cancelled."""
    alarm = clock.set(timeout_s)
    try:
        return await target.call(item, trace)
    except asyncio.CancelledError:
        if not alarm.rung or alarm.task.uncancel() > 0:
            raise
        raise _timed_out(timeout_s) from None
    finally:
        clock.stop(alarm)


async def _call(target: Target, item: ItemCall, trace: Trace, timeout_s: float) -> str:
    """One try, in a task of its own: a target that swallows its cancellation is left behind."""
    call = asyncio.ensure_future(_contained(target, item, trace))
    try:
        await asyncio.wait({call}, timeout=timeout_s)
    finally:
        if not call.done():
            call.cancel()
            _left_behind.add(call)
            call.add_done_callback(_forget)
    if not call.done():
        raise _timed_out(timeout_s)
    if call.cancelled():
        raise TargetFailure("exception", "CancelledError: the target cancelled its own call.")
    return call.result()


_left_behind: set[asyncio.Task[str]] = set()  # an event loop alone would let them be collected


async def _contained(target: Target, item: ItemCall, trace: Trace) -> str:
    try:
        return await target.call(item, trace)
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
    if len(text) < MESSAGE_CHARS and text.isascii() and "\x00" not in text:
        return text
    text = text[:MESSAGE_CHARS].replace("\x00", "\ufffd")
    return text.encode("utf-8", "replace").decode("utf-8")


def _timed_out(timeout_s: float) -> TargetFailure:
    return TargetFailure("timeout", f"No answer within {timeout_s:.4g} s.", transient=True)


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
