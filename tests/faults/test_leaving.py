"""Workers that are asked to end, that lose their parent, or that an item takes down."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.installation import Installation, wait_for
from tests.faults.invariants import check, nothing_changes, until_over
from tests.faults.length import long_form, short_on_sqlite

pytestmark = [pytest.mark.db, pytest.mark.slow]
NOTHING_HELD = {"stays": 0, "leases": 0, "strikes": 0}
GRACE_SECONDS = 10


@pytest.mark.timeout(120)
def test_a_busy_worker_that_gets_sigterm_leaves_within_ten_seconds_and_holds_nothing(
    installation: Installation,
) -> None:
    stalls = [{"n": n, "do": "stall"} for n in range(30)]
    run = installation.ask("start", inputs=stalls, concurrency=8)
    worker = installation.start_worker()
    installation.until_called(7)
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    worker.wait(20)
    assert time.monotonic() - began < GRACE_SECONDS
    assert installation.ask("held", run=run) == NOTHING_HELD
    assert installation.ask("count", run=run) == {"status": "running", "results": 0}
    assert installation.ask("cancel", run=run) == "cancelled"


@long_form
@pytest.mark.timeout(120)
def test_a_run_goes_on_at_once_after_sigterm_and_repeats_no_call(
    installation: Installation, chance: random.Random
) -> None:
    run = installation.ask("start", inputs=[{"n": n} for n in range(400)], concurrency=8)
    worker = installation.start_worker()
    installation.until_called(chance.randrange(10, 250))
    worker.send_signal(signal.SIGTERM)
    worker.wait(GRACE_SECONDS)
    assert installation.ask("held", run=run) == NOTHING_HELD
    installation.start_worker()
    until_over(installation, run, 20)
    check(installation, run, repeated_at_most=0)
    nothing_changes(installation, run)


@pytest.mark.timeout(120)
@pytest.mark.skipif(not os.environ.get("DATABASE_URL"), reason="embedded workers have no children")
def test_the_children_of_a_pool_that_is_killed_end_with_it(
    installation: Installation,
) -> None:
    stalls = [{"n": n, "do": "stall"} for n in range(30)]
    installation.ask("start", inputs=stalls, concurrency=8)
    worker = installation.start_worker()
    installation.until_called(7)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    wait_for(lambda: not _of_group(worker.pid), 5, "the children to end")


@short_on_sqlite
@pytest.mark.timeout(240)
def test_an_item_that_takes_its_worker_down_becomes_an_error_and_no_other_does(
    installation: Installation, chance: random.Random
) -> None:
    poison = chance.randrange(60)
    inputs = [{"n": n, **({"do": "die"} if n == poison else {})} for n in range(60)]
    run = installation.ask("start", inputs=inputs, concurrency=8)
    worker = installation.start_worker()

    def supervise() -> None:
        nonlocal worker
        worker = installation.revive(worker)

    until_over(installation, run, 150, meanwhile=supervise)
    found = [error[:2] for error in installation.ask("errors", run=run)]
    assert found == [[poison + 1, "worker_lost"]]
    check(installation, run, errors=1)
    nothing_changes(installation, run)


def _of_group(group: int) -> list[int]:
    """The living processes of a process group."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(process.name))
    return found
