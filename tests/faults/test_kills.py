"""kill -9, again and again: a run ends by itself, with every result there once."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time

import pytest

from tests.faults.installation import Installation, wait_for
from tests.faults.invariants import check, nothing_changes, until_over
from tests.faults.length import long_form, pick

pytestmark = [pytest.mark.db, pytest.mark.slow]
SEATS = 16
UNFLUSHED = 400  # two batches: one that is being written, one that fills meanwhile


@pytest.mark.timeout(180)
def test_a_worker_killed_at_random_moments_loses_and_doubles_nothing(
    installation: Installation, chance: random.Random
) -> None:
    items, kills = pick(short=(900, 2), long=(2500, 5))
    run = installation.ask("start", inputs=[{"n": n} for n in range(items)], concurrency=SEATS)
    moments = sorted(chance.sample(range(items // 20, items * 8 // 10), kills))
    killed_at = []
    for moment in moments:
        worker = installation.start_worker()
        installation.until_called(moment)
        time.sleep(chance.uniform(0, 0.3))
        installation.kill(worker)
        killed_at.append(installation.ask("count", run=run)["results"])
    installation.start_worker()
    until_over(installation, run, 60)
    assert all(results < items for results in killed_at), killed_at
    check(installation, run, repeated_at_most=kills * (SEATS + UNFLUSHED))
    nothing_changes(installation, run)


@long_form
@pytest.mark.timeout(180)
def test_two_workers_killed_in_turn_lose_and_double_nothing(
    installation: Installation, chance: random.Random
) -> None:
    """While one is dead, the other goes on with the shards that it left."""
    kills = 3
    run = installation.ask(
        "start", inputs=[{"n": n, "ms": 40} for n in range(2400)], concurrency=SEATS
    )
    workers = [installation.start_worker() for _ in range(2)]
    installation.until_called(50)
    for _ in range(kills):
        time.sleep(chance.uniform(0.2, 1.2))
        place = chance.randrange(2)
        installation.kill(workers[place])
        workers[place] = installation.start_worker()
    assert installation.ask("count", run=run)["status"] == "running", "the kills came in mid-run"
    until_over(installation, run, 90)
    check(installation, run, repeated_at_most=kills * (SEATS + UNFLUSHED))
    nothing_changes(installation, run)


@pytest.mark.timeout(120)
@pytest.mark.skipif(not os.environ.get("DATABASE_URL"), reason="embedded workers have no children")
def test_pool_children_killed_again_and_again_are_replaced_and_nothing_is_lost(
    installation: Installation, chance: random.Random
) -> None:
    kills = pick(short=2, long=4)
    run = installation.ask("start", inputs=[{"n": n} for n in range(1200)], concurrency=SEATS)
    installation.start_worker()
    seen: set[int] = set()
    for _ in range(kills):
        callers = _new_callers(installation, seen)
        time.sleep(chance.uniform(0, 0.4))
        seen |= callers
        for pid in callers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    until_over(installation, run, 60)
    assert installation.ask("attempts", run=run) <= 1 + len(seen), "attempts are bounded"
    check(installation, run, repeated_at_most=len(seen) * (SEATS + UNFLUSHED))
    nothing_changes(installation, run)


def _new_callers(installation: Installation, seen: set[int]) -> set[int]:
    """The processes that have called the target, without those in `seen`, once there are any."""
    found: set[int] = wait_for(
        lambda: {call["pid"] for call in installation.calls()} - seen, 40, "calls of a child"
    )
    return found
