"""Workers that are asked to end, that lose their parent, or that an item takes down."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.faults.installation import Installation, wait_for

pytestmark = [pytest.mark.db, pytest.mark.slow]
NOTHING_HELD = {"stays": 0, "leases": 0, "strikes": 0}


@pytest.mark.timeout(120)
def test_a_busy_worker_that_gets_sigterm_leaves_within_ten_seconds_and_holds_nothing(
    installation: Installation,
) -> None:
    run = installation.ask("start", 300, "python:stall", 8)["run"]
    worker = installation.start_worker()
    wait_for(lambda: installation.ask("held", run)["strikes"], 30, "calls in flight")
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    worker.wait(20)
    assert time.monotonic() - began < 10
    assert installation.ask("held", run) == NOTHING_HELD
    assert installation.ask("count", run) == {"status": "running", "results": 0}
    assert installation.ask("cancel", run) == {"status": "cancelled"}


@pytest.mark.timeout(120)
@pytest.mark.skipif(not os.environ.get("DATABASE_URL"), reason="embedded workers have no children")
def test_the_children_of_a_pool_that_is_killed_end_with_it(
    installation: Installation,
) -> None:
    run = installation.ask("start", 300, "python:stall", 8)["run"]
    worker = installation.start_worker()
    wait_for(lambda: installation.ask("held", run)["strikes"], 30, "calls in flight")
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    wait_for(lambda: not _of_group(worker.pid), 5, "the children to end")


@pytest.mark.timeout(240)
def test_an_item_that_takes_its_worker_down_becomes_an_error_and_no_other_does(
    installation: Installation,
) -> None:
    run = installation.ask("start", 250, "python:poison", 8)["run"]
    worker = installation.start_worker()

    def over() -> bool:
        nonlocal worker
        if worker.poll() is not None:
            installation.workers.remove(worker)
            worker = installation.start_worker()
        time.sleep(0.5)
        status: str = installation.ask("count", run)["status"]
        return status == "completed"

    wait_for(over, 200, "the run to end")
    assert installation.ask("errors", run) == [[8, "worker_lost"]]
    assert installation.ask("count", run)["results"] == 250


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
