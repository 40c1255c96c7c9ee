"""Tries, clocks and backing off of one item, without a database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from runs_app.engine import attempt as attempts
from runs_app.engine.attempt import Limits, Outcome, attempt
from runs_app.engine.clock import CallClock
from runs_app.engine.gate import Gate
from runs_app.targets import ItemCall, TargetFailure
from runs_app.targets.base import PlainTarget
from runs_app.targets.trace import Trace

ITEM = ItemCall(1, None, '"x"', "{}", None)


class Scripted(PlainTarget):
    """Does one thing after the other; the last one for ever."""

    cooperative = True

    def __init__(self, *steps: str | Exception | float) -> None:
        self.steps = list(steps)
        self.calls = 0

    async def call(self, item: ItemCall, trace: Trace) -> str:
        step = self.steps[min(self.calls, len(self.steps) - 1)]
        self.calls += 1
        if isinstance(step, Exception):
            raise step
        if isinstance(step, float):
            await asyncio.sleep(step)
            return '"late"'
        return step


@pytest.fixture(autouse=True)
def _short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "BACKOFF_FIRST_S", 0.001)


def run(
    target: Scripted,
    *,
    timeout_s: float = 5,
    retries: int = 2,
    deadline_s: float = 60,
    throttled: Callable[..., None] = lambda *_: None,
    troubled: Callable[[], None] = lambda: None,
) -> tuple[Outcome, Trace]:
    trace = Trace()
    gate = Gate(target, cast(Any, None), run_id=0, owner="", capped=False, pace=None, patience_s=60)
    limits = Limits(timeout_s, retries, deadline_s)

    async def once() -> Outcome:
        return await attempt(
            target, ITEM, trace, limits, gate, CallClock(), throttled=throttled, troubled=troubled
        )

    return asyncio.run(once()), trace


def test_a_transient_failure_is_tried_again_and_each_try_is_a_span() -> None:
    target = Scripted(TargetFailure("server_error", "500", transient=True), '"ok"')
    outcome, trace = run(target)
    assert (outcome.output_json, outcome.error_type, outcome.retries) == ('"ok"', "", 1)
    spans = [(span["name"], span.get("error")) for span in trace.spans]
    assert spans == [("try 1", "server_error"), ("try 2", None)]


def test_a_failure_that_is_not_transient_is_final() -> None:
    target = Scripted(TargetFailure("unauthorized", "The key is refused."))
    outcome, _ = run(target)
    assert (target.calls, outcome.error_type) == (1, "unauthorized")


def test_retries_are_used_up_and_the_last_failure_stays() -> None:
    target = Scripted(TargetFailure("server_error", "500", transient=True))
    outcome, _ = run(target, retries=3)
    assert (target.calls, outcome.retries, outcome.error_message) == (4, 3, "500")


def test_a_429_costs_no_retry_and_is_told_with_the_time_of_its_call() -> None:
    told: list[float] = []
    busy = TargetFailure("rate_limited", "429", throttled=True)
    target = Scripted(busy, busy, busy, '"ok"')
    before = time.monotonic()
    outcome, _ = run(target, retries=0, throttled=lambda failure, began: told.append(began))
    assert (outcome.output_json, outcome.retries) == ('"ok"', 3)
    assert len(told) == 3
    assert all(before <= began <= time.monotonic() for began in told)


def test_a_429_for_ever_ends_as_one_typed_error() -> None:
    target = Scripted(TargetFailure("rate_limited", "429", throttled=True, retry_after_s=0.0))
    outcome, _ = run(target, retries=1)
    assert outcome.error_type == "rate_limited"
    assert target.calls == attempts.THROTTLED_TRIES + 2


def test_retry_after_is_waited_for() -> None:
    target = Scripted(
        TargetFailure("rate_limited", "429", throttled=True, retry_after_s=0.2), '"ok"'
    )
    began = time.monotonic()
    run(target)
    assert time.monotonic() - began >= 0.2


def test_a_retry_after_beyond_the_deadline_ends_the_result_at_once_and_says_why() -> None:
    target = Scripted(TargetFailure("rate_limited", "429.", throttled=True, retry_after_s=3600))
    began = time.monotonic()
    outcome, _ = run(target, deadline_s=2)
    assert time.monotonic() - began < 1
    assert outcome.error_type == "rate_limited"
    assert "3600.0 s later, after the deadline of 2 s" in outcome.error_message


def test_every_try_has_its_own_clock() -> None:
    target = Scripted(0.5, '"ok"')
    outcome, _ = run(target, timeout_s=0.1)
    assert (outcome.output_json, outcome.retries) == ('"ok"', 1)
    assert outcome.latency_ms < 90


def test_the_deadline_cuts_the_last_try_short() -> None:
    began = time.monotonic()
    outcome, _ = run(Scripted(5.0), timeout_s=0.2, retries=100, deadline_s=0.5)
    assert time.monotonic() - began < 1.5
    assert outcome.error_type == "timeout"


def test_a_server_error_is_told_so_that_seats_do_not_grow() -> None:
    told: list[str] = []
    run(
        Scripted(TargetFailure("server_error", "500", transient=True), '"ok"'),
        troubled=lambda: told.append("trouble"),
    )
    assert told == ["trouble"]


def test_being_cancelled_from_outside_is_no_timeout() -> None:
    async def cancelled() -> None:
        gate = Gate(
            Scripted(), cast(Any, None), run_id=0, owner="", capped=False, pace=None, patience_s=60
        )
        task = asyncio.create_task(
            attempt(
                Scripted(5.0),
                ITEM,
                Trace(),
                Limits(10, 0, 10),
                gate,
                CallClock(),
                throttled=lambda *_: None,
                troubled=lambda: None,
            )
        )
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())


def test_a_timeout_of_the_targets_own_says_what_it_said() -> None:
    outcome, _ = run(Scripted(TimeoutError("my own pool is empty")), retries=0)
    assert outcome.error_message == "TimeoutError: my own pool is empty"
