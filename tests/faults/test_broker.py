"""A Redis that goes away under a busy worker and comes back empty."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.product import free_port
from tests.faults.installation import Installation, wait_for

pytestmark = [
    pytest.mark.db,
    pytest.mark.slow,
    pytest.mark.skipif(
        not (os.environ.get("DATABASE_URL") and shutil.which("redis-server")),
        reason="needs PostgreSQL and a redis-server of its own",
    ),
]


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
def own_redis() -> Iterator[OwnRedis]:
    made = OwnRedis(free_port())
    yield made
    made.kill()


@pytest.mark.timeout(150)
def test_a_busy_worker_outlives_its_broker_and_takes_the_next_run(
    installation: Installation, own_redis: OwnRedis
) -> None:
    installation.environment["CELERY_BROKER_URL"] = f"redis://127.0.0.1:{own_redis.port}/0"
    run = installation.ask("start", 3000, "python:slow-echo", 8)["run"]
    worker = installation.start_worker()
    wait_for(lambda: installation.ask("count", run)["results"], 30, "the first results")
    own_redis.kill()
    time.sleep(3)
    own_redis.start()
    wait_for(lambda: installation.ask("count", run)["status"] == "completed", 60, "the run to end")
    assert worker.poll() is None, Path(
        installation.environment["EVALHUB_HOME"], "worker.log"
    ).read_text()[-3000:]
    after = installation.ask("start", 10, "python:echo", 8)["run"]
    wait_for(lambda: installation.ask("count", after)["status"] == "completed", 30, "the next run")
