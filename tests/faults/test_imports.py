"""kill -9 of the worker in the middle of an import: it goes on, every row is there once."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.faults.installation import Installation, wait_for
from tests.faults.length import LONG, pick

pytestmark = [pytest.mark.db, pytest.mark.slow]
KILLS = 2


@pytest.mark.timeout(1500 if LONG else 180)
def test_an_import_whose_worker_is_killed_twice_ends_as_one_version_with_every_row_once(
    installation: Installation, record_property: Callable[[str, object], None]
) -> None:
    rows = pick(short=40_000, long=1_000_000)
    job = installation.ask("start_import", rows=rows)
    began = time.monotonic()
    done_at = []
    for kill in range(1, KILLS + 1):
        worker = installation.start_worker()
        wait_for(
            lambda kill=kill: (
                installation.ask("import_state", job=job)["done"] >= rows * kill // (KILLS + 2)
            ),
            pick(short=60, long=400),
            "rows of the import",
        )
        installation.kill(worker)
        state = installation.ask("import_state", job=job)
        done_at.append(state["done"])
        assert (state["state"], state["version"]) == ("importing", 0)
    assert done_at == sorted(set(done_at))
    assert 0 < done_at[0] < rows, done_at
    installation.start_worker()
    wait_for(
        lambda: installation.ask("import_state", job=job)["state"] not in ("checking", "importing"),
        pick(short=90, long=900),
        "the end of the import",
    )
    state = installation.ask("import_state", job=job)
    record_property("import", {"killed_at": done_at, "s": time.monotonic() - began} | state)
    assert (state["state"], state["version"], state["versions"]) == ("done", 1, 1)
    assert (state["good"], state["bad"]) == (rows - rows // 1000, rows // 1000)
    assert state["items"] == state["distinct"] == state["good"]
    assert (state["first"], state["last"]) == (1, state["good"])
    assert state["problem_lines"] == state["bad"] + 1
