"""A sweeper that is dead, and several at once; two claimants at a barrier."""

from __future__ import annotations

import os
import random
import threading
import time
from typing import Any

import pytest
from django.db import connection

from evalhub.access.models import Project, User
from runs_app.engine import finishing, planning
from runs_app.engine.stay import work
from runs_app.engine.sweeper import sweep
from runs_app.models import Run, Shard
from tests.faults.facts import facts
from tests.faults.installation import Installation
from tests.faults.invariants import check, nothing_changes, problems, until_over
from tests.faults.length import long_form
from tests.runs_app.engine_help import starter

pytestmark = [pytest.mark.db]
SEATS = 8
UNFLUSHED = 400


@long_form
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_with_dead_sweepers_and_lost_messages_work_waits_and_loses_nothing(
    installation: Installation, chance: random.Random
) -> None:
    """The first sweep of the next worker that has a sweeper finds it."""
    workers = [installation.start_ready_worker(FAULT_SWEEP_SECONDS="100000") for _ in range(2)]
    run = installation.ask("start", inputs=[{"n": n} for n in range(400)], concurrency=SEATS)
    installation.until_called(chance.randrange(20, 200))
    group = os.getpgid(installation.calls()[-1]["pid"])
    installation.kill(next(worker for worker in workers if worker.pid == group))
    installation.lose_messages()
    other = installation.ask("start", inputs=[{"n": 1}], scorers=[])
    installation.lose_messages()
    time.sleep(4)  # the dead one's lease runs out, and nobody looks
    assert installation.ask("count", run=run)["status"] == "running"
    installation.start_worker()
    assert until_over(installation, run, 30) == "completed"
    assert until_over(installation, other, 5) == "completed"
    check(installation, run)
    nothing_changes(installation, run)


def _at_once(count: int, act: Any) -> None:
    """Do it in so many threads that begin together."""
    barrier = threading.Barrier(count)

    def one() -> None:
        barrier.wait()
        try:
            act()
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def run(project: Project, owner: User, transactional_db: None) -> Run:
    inputs = [{"input": {"n": n, "ms": 1}} for n in range(230)]
    return starter(project, owner)(inputs, "python:faulty", scorers=["contains"])


def test_of_many_sweepers_one_finishes_a_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as dying:
        dying.setattr("runs_app.engine.stay.finish_if_done", lambda run_id: False)
        work(run.pk)
    closed: list[bool] = []
    real = finishing._close

    def close(*args: Any, **options: Any) -> bool:
        closed.append(real(*args, **options))
        return closed[-1]

    monkeypatch.setattr(finishing, "_close", close)
    _at_once(4, sweep)
    run.refresh_from_db()
    assert sum(closed) == 1
    assert problems(facts(run)) == []


def test_claimants_at_a_barrier_never_get_the_same_shard(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(status="running")
    claims: list[Any] = []
    _at_once(6, lambda: claims.append(planning.claim_next(run.pk, threading.current_thread().name)))
    got = [(claim.shard.pk, claim.shard.lease_token) for claim in claims if claim is not None]
    assert len(got) == len(set(got)) == 2, "two shards of 200 and 30 items"
    assert set(Shard.objects.values_list("lease_token", flat=True)) == {1}
    places = [(item.number, rep) for claim in claims if claim for item, rep in claim.due]
    assert len(places) == len(set(places)) == 230
