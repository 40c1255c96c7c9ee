"""kill -9, again and again: a run ends by itself, with every result there once."""

from __future__ import annotations

import os
import random

import pytest

from tests.faults.installation import Installation, wait_for

pytestmark = [pytest.mark.db, pytest.mark.slow]
ITEMS = 5000
SEED = int(os.environ.get("FAULT_SEED", "1"))


@pytest.mark.timeout(300)
def test_a_worker_killed_three_times_in_a_run_of_5000_items_loses_and_doubles_nothing(
    installation: Installation,
) -> None:
    chance = random.Random(SEED)
    run = installation.ask("start", ITEMS, "python:slow-echo", 24)["run"]
    moments = sorted(chance.sample(range(ITEMS // 10, ITEMS * 9 // 10), 3))
    killed_at = []
    for moment in moments:
        worker = installation.start_worker()

        def enough(moment: int = moment) -> int:
            count: int = installation.ask("count", run)["results"]
            return count if count >= moment else 0

        killed_at.append(wait_for(enough, 60, f"{moment} results"))
        installation.kill(worker)
    installation.start_worker()
    wait_for(
        lambda: installation.ask("count", run)["status"] == "completed",
        90,
        "the run to end by itself",
    )
    assert all(ITEMS * 0.1 <= count <= ITEMS * 0.97 for count in killed_at), killed_at
    assert installation.ask("audit", run) == {
        "status": "completed",
        "results": ITEMS,
        "scores": 2 * ITEMS,
        "double": 0,
        "strange": 0,
        "succeeded": ITEMS,
        "failed": 0,
        "summary_total": ITEMS,
    }
