"""A Redis that goes away under a busy worker, comes back empty, or is flushed."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.browser.product import free_port
from tests.faults.installation import Installation
from tests.faults.invariants import check, nothing_changes, until_over
from tests.faults.length import long_form, pick

pytestmark = [
    pytest.mark.db,
    pytest.mark.slow,
    pytest.mark.skipif(
        not (os.environ.get("DATABASE_URL") and shutil.which("redis-server")),
        reason="needs PostgreSQL and a redis-server of its own",
    ),
]
ABSENT_SECONDS = pick(short=5.0, long=120.0)
SWEPT_SECONDS = 15.0  # the worker's next try to connect, then its next sweep


class OwnRedis:
    def __init__(self, port: int) -> None:
        self.port = port
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def own_redis(installation: Installation) -> Iterator[OwnRedis]:
    made = OwnRedis(free_port())
    installation.environment["CELERY_BROKER_URL"] = f"redis://127.0.0.1:{made.port}/0"
    yield made
    made.kill()


@pytest.mark.timeout(300)
def test_runs_outlive_a_broker_that_is_away_and_comes_back_empty(
    installation: Installation, own_redis: OwnRedis, chance: random.Random
) -> None:
    """One run is busy meanwhile, another one is started while nobody can be woken."""
    inputs = [{"n": n} for n in range(700)]
    busy = installation.ask("start", inputs=inputs, concurrency=4)
    worker = installation.start_worker()
    installation.until_called(chance.randrange(10, 200))
    own_redis.kill()
    waiting = installation.ask("start", inputs=[{"n": 1000 + n} for n in range(20)])
    time.sleep(ABSENT_SECONDS)
    own_redis.start()
    until_over(installation, busy, 60)
    until_over(installation, waiting, SWEPT_SECONDS)
    assert worker.poll() is None, installation.log()
    check(installation, busy)
    check(installation, waiting, repeated_at_most=0)
    after = installation.ask("start", inputs=[{"n": 2000}])
    until_over(installation, after, SWEPT_SECONDS)


@long_form
@pytest.mark.timeout(120)
def test_a_flushed_broker_costs_a_sweep_and_nothing_else(
    installation: Installation, own_redis: OwnRedis
) -> None:
    run = installation.ask("start", inputs=[{"n": n} for n in range(400)], concurrency=8)
    installation.lose_messages()
    installation.start_worker()
    for n in range(100, 300, 50):
        installation.until_called(n)
        installation.lose_messages()
    until_over(installation, run, 30)
    check(installation, run, repeated_at_most=0)
    nothing_changes(installation, run)
