"""Cancelling in every phase of a run: it ends within three seconds, and nothing changes after that."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.installation import Installation, wait_for
from tests.faults.invariants import TERMINAL, check, nothing_changes, until_over
from tests.faults.length import long_form, short_on_sqlite

pytestmark = [pytest.mark.db, pytest.mark.slow]
WITHIN_SECONDS = 3.0


def _items(count: int, **what: Any) -> list[Any]:
    return [{"n": n, **what} for n in range(count)]


def _cancel(installation: Installation, run: int) -> None:
    """Cancel; the run has ended within WITHIN_SECONDS and keeps the invariants."""
    began = time.monotonic()
    installation.ask("cancel", run=run)
    until_over(installation, run, WITHIN_SECONDS)
    took = time.monotonic() - began
    assert took < WITHIN_SECONDS, f"it took {took:.1f} s"
    check(installation, run, status="cancelled")


@long_form
@pytest.mark.timeout(60)
def test_a_run_that_waits_for_a_worker_is_cancelled_at_once(installation: Installation) -> None:
    run = installation.ask("start", inputs=_items(5))
    _cancel(installation, run)
    installation.start_ready_worker()
    nothing_changes(installation, run)
    assert installation.calls() == []


@short_on_sqlite
@pytest.mark.timeout(120)
def test_cancelling_ends_a_run_within_three_seconds_whatever_its_calls_are_doing(
    installation: Installation, chance: random.Random
) -> None:
    """While it is planned, called, stalled, backing off, waits as a 429 asked, and paused."""
    installation.start_ready_worker()
    over = []

    def phase(wait: Callable[[int], None], count: int = 400, **what: Any) -> None:
        options = {"retries": 10, "timeout_s": 3600.0, "deadline_s": 36000.0, "concurrency": 8}
        run = installation.ask("start", inputs=_items(count, **what), **options)
        wait(run)
        _cancel(installation, run)
        over.append((run, installation.ask("print_of", run=run)))

    def calls(more: int) -> Callable[[int], None]:
        return lambda _: installation.until_called(len(installation.calls()) + more)

    def some_trouble(_: int) -> None:
        calls(7)(_)
        time.sleep(chance.uniform(0.2, 1.5))

    def paused(run: int) -> None:
        calls(20)(run)
        installation.ask("pause", run=run)
        wait_for(lambda: not installation.ask("held", run=run)["stays"], 5, "the worker to leave")

    phase(lambda _: time.sleep(chance.uniform(0, 0.1)), 3000, ms=5)
    phase(calls(chance.randrange(10, 200)))
    phase(calls(7), do="stall")
    phase(some_trouble, do="server-error")
    phase(some_trouble, do="throttle")
    phase(paused)
    late = len(installation.calls())
    time.sleep(1.5)
    assert len(installation.calls()) == late, "calls went on after the end"
    assert [(run, installation.ask("print_of", run=run)) for run, _ in over] == over, "I7"


@long_form
@pytest.mark.timeout(120)
def test_a_cancellation_that_meets_the_end_leaves_a_whole_run_either_way(
    installation: Installation, chance: random.Random
) -> None:
    installation.start_ready_worker()
    for _ in range(4):
        began = len(installation.calls())
        run = installation.ask("start", inputs=_items(60, ms=5), concurrency=8)
        installation.until_called(began + 55)
        time.sleep(chance.uniform(0.0, 0.25))
        status = installation.ask("count", run=run)["status"]
        if status not in TERMINAL:
            status = installation.ask("cancel_or_status", run=run)
            status = until_over(installation, run, WITHIN_SECONDS)
        check(installation, run, status=status)
        nothing_changes(installation, run, 0.3)


@short_on_sqlite
@pytest.mark.timeout(120)
def test_a_cancelled_run_ends_though_its_worker_is_killed_before_it_can_obey(
    installation: Installation, chance: random.Random
) -> None:
    run = installation.ask("start", inputs=_items(400, do="stall"), concurrency=8)
    worker = installation.start_worker()
    installation.until_called(7)
    installation.ask("cancel", run=run)
    time.sleep(chance.uniform(0, 0.3))
    installation.kill(worker)
    installation.start_worker()
    until_over(installation, run, 15)
    check(installation, run, status="cancelled")
    nothing_changes(installation, run)
