"""A worker that is frozen past its lease and then goes on; messages that come again and again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

import pytest

from tests.faults.installation import Installation
from tests.faults.invariants import check, nothing_changes, until_over
from tests.faults.length import long_form, short_on_servers, short_on_sqlite

pytestmark = [pytest.mark.db, pytest.mark.slow]
SEATS = 8
UNFLUSHED = 400


def _signal(worker: subprocess.Popen[bytes], number: int) -> None:
    os.killpg(worker.pid, number)


@short_on_servers
@pytest.mark.timeout(120)
def test_a_worker_frozen_past_its_lease_writes_nothing_when_it_goes_on(
    installation: Installation, chance: random.Random
) -> None:
    run = installation.ask("start", inputs=[{"n": n} for n in range(500)], concurrency=SEATS)
    frozen = installation.start_worker()
    installation.until_called(chance.randrange(20, 300))
    time.sleep(chance.uniform(0, 0.3))
    _signal(frozen, signal.SIGSTOP)
    stopped_at = len(installation.calls())
    installation.start_worker()
    # It may be frozen with a lock of the database in its hands; then all wait until it goes on.
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and len(installation.calls()) < stopped_at + 30:
        time.sleep(0.1)
    time.sleep(chance.uniform(0, 1.0))
    _signal(frozen, signal.SIGCONT)
    until_over(installation, run, 40)
    nothing_changes(installation, run)
    check(installation, run, repeated_at_most=SEATS + UNFLUSHED)


@long_form
@pytest.mark.timeout(120)
def test_a_worker_that_wakes_up_after_the_end_changes_nothing(installation: Installation) -> None:
    run = installation.ask(
        "start", inputs=[{"n": n, "ms": 1500} for n in range(24)], concurrency=SEATS
    )
    frozen = installation.start_worker()
    installation.until_called(SEATS - 1)
    time.sleep(0.4)  # calls are in flight, and nothing is being written
    _signal(frozen, signal.SIGSTOP)
    installation.start_worker()
    until_over(installation, run, 40)
    before = installation.ask("print_of", run=run)
    _signal(frozen, signal.SIGCONT)
    time.sleep(2.5)  # its calls end, and it tries to record them
    assert installation.ask("print_of", run=run) == before
    check(installation, run, repeated_at_most=2 * SEATS)


@short_on_sqlite
@pytest.mark.timeout(120)
def test_a_message_that_comes_ten_times_makes_no_work_twice(installation: Installation) -> None:
    workers = [installation.start_ready_worker() for _ in range(2)]
    run = installation.ask("start", inputs=[{"n": n} for n in range(600)], concurrency=SEATS)
    for _ in range(5):
        installation.ask("messages", run=run, count=10)
        time.sleep(0.2)
    until_over(installation, run, 40)
    installation.ask("messages", run=run, count=10)
    check(installation, run, repeated_at_most=0)
    nothing_changes(installation, run)
    assert all(worker.poll() is None for worker in workers)
