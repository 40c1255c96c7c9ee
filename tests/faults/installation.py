"""A whole installation for fault tests: its own data folder or database, and real worker processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import psycopg
import redis

ROOT = Path(__file__).parents[2]


class Installation:
    """Runs `tests.faults.driver` commands and workers with one environment."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.workers: list[subprocess.Popen[bytes]] = []

    def ask(self, *words: object) -> Any:
        """Run a driver command; what it prints, as JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.driver", *map(str, words)],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()[-4000:]
        return orjson.loads(done.stdout)

    def start_worker(self) -> subprocess.Popen[bytes]:
        """Start a worker by the product's own command, in a process group of its own."""
        pool = (
            ["--concurrency=2"]
            if "DATABASE_URL" in self.environment
            else ["--pool=threads", "--concurrency=4"]
        )
        celery = [sys.executable, "-m", "celery", "-A", "evalhub.celery", "worker"]
        with Path(self.environment["EVALHUB_HOME"], "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                [*celery, *pool, "--without-gossip", "--without-mingle", "--loglevel=WARNING"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(worker)
        return worker

    def start_beat(self) -> None:
        """Start the beat of a server, which has its workers sweep."""
        home = self.environment["EVALHUB_HOME"]
        with Path(home, "beat.log").open("ab") as log:
            beat = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "celery",
                    "-A",
                    "evalhub.celery",
                    "beat",
                    "--schedule",
                    f"{home}/beat",
                    "--pidfile",
                    "",
                ],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(beat)

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """kill -9 the worker with its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        self.workers.remove(worker)

    def stop(self) -> None:
        for worker in list(self.workers):
            self.kill(worker)


def embedded(folder: Path) -> Installation:
    """SQLite and the filesystem broker in `folder`."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "CELERY_BROKER_URL")
    }
    made = Installation(environment | {"EVALHUB_HOME": str(folder)})
    made.ask("prepare")
    return made


@contextlib.contextmanager
def on_servers(
    folder: Path, database_url: str, broker_url: str, *, prepare: bool = True
) -> Iterator[Installation]:
    """A fresh PostgreSQL database and an empty Redis database."""
    name = f"evalhub_faults_{uuid.uuid4().hex[:12]}"
    server, _, _ = database_url.rpartition("/")
    queue = f"{broker_url.rpartition('/')[0]}/11"
    redis.Redis.from_url(queue).flushdb()
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        made = Installation(
            os.environ
            | {
                "EVALHUB_HOME": str(folder),
                "DATABASE_URL": f"{server}/{name}",
                "CELERY_BROKER_URL": queue,
            }
        )
        try:
            if prepare:
                made.ask("prepare")
            yield made
        finally:
            made.stop()
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Poll until `condition()` is true; its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:g} s for {what}")
