"""A whole installation for fault tests: its own data folder or database, and real worker processes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import redis

ROOT = Path(__file__).parents[2]


class Refused(AssertionError):
    """A command of the driver failed; `type` is the name of its error."""

    def __init__(self, type: str, text: str) -> None:
        super().__init__(f"{type}: {text}")
        self.type = type


class Installation:
    """Runs commands of the driver, workers and the web with one environment."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.workers: list[subprocess.Popen[bytes]] = []
        self._driver: subprocess.Popen[bytes] | None = None

    @property
    def home(self) -> Path:
        return Path(self.environment["EVALHUB_HOME"])

    @property
    def folder(self) -> Path:
        """Where the target of tests/faults/targets.py keeps its notes."""
        return Path(self.environment["FAULT_FOLDER"])

    @property
    def on_server(self) -> bool:
        return "DATABASE_URL" in self.environment

    def ask(self, word: str, **options: Any) -> Any:
        """Run a command of the driver; what it gives. Raises Refused."""
        if self._driver is None or self._driver.poll() is not None:
            self._driver = self._spawn(["-m", "tests.faults.driver"], "driver.log", talks=True)
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.write(json.dumps([word, options]).encode() + b"\n")
        self._driver.stdin.flush()
        line = self._driver.stdout.readline()
        assert line, self.log("driver.log")
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(**answer["error"])
        return answer["ok"]

    def start_worker(self, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker by the product's own command, in a process group of its own."""
        pool = ["--concurrency=2"] if self.on_server else ["--pool=threads", "--concurrency=4"]
        options = ["--without-gossip", "--without-mingle", "--loglevel=WARNING"]
        command = ["-m", "celery", "-A", "evalhub.celery", "worker", *pool, *options]
        worker = self._spawn(command, "worker.log", environment)
        self.workers.append(worker)
        return worker

    def start_ready_worker(self, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker, and wait until it takes messages and has swept once."""
        worker = self.start_worker(**environment)
        wait_for(lambda: worker.pid in self.ask("workers"), 40, "the worker's heartbeat")
        return worker

    def start_beat(self) -> None:
        """Start the beat of a server, which has its workers sweep."""
        schedule = ["--schedule", f"{self.home}/beat", "--pidfile", ""]
        command = ["-m", "celery", "-A", "evalhub.celery", "beat", *schedule]
        self.workers.append(self._spawn(command, "beat.log"))

    def start_web(self, port: int) -> subprocess.Popen[bytes]:
        """Start the web server on loopback."""
        web = self._spawn(["-m", "evalhub.server", "serve", "--port", str(port)], "web.log")
        self.workers.append(web)
        return web

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """kill -9 the process with its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        self.workers.remove(worker)

    def revive(self, worker: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """What a supervisor does: the worker, or another one when it has died."""
        if worker.poll() is None:
            return worker
        self.workers.remove(worker)
        return self.start_worker()

    def lose_messages(self) -> None:
        """Empty the broker."""
        if self.on_server:
            redis.Redis.from_url(self.environment["CELERY_BROKER_URL"]).flushdb()
        for message in (self.home / "broker").glob("*.msg"):
            message.unlink(missing_ok=True)

    def calls(self) -> list[dict[str, Any]]:
        """Every call that the target of tests/faults/targets.py has had: n, rep, pid, at."""
        path = self.folder / "calls.log"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_bytes().splitlines()]

    def until_called(self, more_than: int, seconds: float = 40) -> None:
        """Wait until the target has had more calls than that."""
        try:
            wait_for(lambda: len(self.calls()) > more_than, seconds, f"call {more_than + 1}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from error

    def repeated_calls(self) -> int:
        """Calls beyond the first of each item and repetition."""
        counted = Counter((call["n"], call["rep"]) for call in self.calls())
        return counted.total() - len(counted)

    def log(self, name: str = "worker.log") -> str:
        """The end of a log."""
        path = self.home / name
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def stop(self) -> None:
        """End every process."""
        for worker in list(self.workers):
            self.kill(worker)
        self.end_driver()

    def end_driver(self) -> None:
        if self._driver is not None:
            self._driver.kill()
            self._driver.communicate()
            self._driver = None

    def _spawn(
        self,
        arguments: list[str],
        log: str,
        environment: dict[str, str] | None = None,
        *,
        talks: bool = False,
    ) -> subprocess.Popen[bytes]:
        """Start a Python process. With `talks`, its standard input and output are pipes to us."""
        with (self.home / log).open("ab") as file:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environment | (environment or {}),
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talks else file,
                stderr=file,
                start_new_session=True,
            )


def environment_of(folder: Path) -> dict[str, str]:
    """The environment of an embedded installation in `folder`, with the fault tests' target."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "CELERY_BROKER_URL")
    }
    return kept | {
        "EVALHUB_HOME": str(folder),
        "FAULT_FOLDER": str(folder),
        "EVALHUB_ALLOWED_ADDRESSES": "127.0.0.0/8",
        "CELERY_SKIP_CHECKS": "1",
    }


def short_leases(installation: Installation) -> None:
    """Use the settings of the fault tests from the next process on."""
    installation.environment["DJANGO_SETTINGS_MODULE"] = "tests.faults.settings"


def embedded(folder: Path, *, copy_of: Path | None = None) -> Installation:
    """SQLite and the filesystem broker in `folder`; a prepared folder is copied when given."""
    if copy_of is not None:
        shutil.copytree(copy_of, folder, dirs_exist_ok=True)
    made = Installation(environment_of(folder))
    if copy_of is None:
        made.ask("prepare")
    return made


@contextlib.contextmanager
def on_servers(
    folder: Path,
    database_url: str,
    broker_url: str,
    *,
    prepare: bool = True,
    copy_of: str | None = None,
) -> Iterator[Installation]:
    """A fresh PostgreSQL database, or a copy of another, and an empty Redis database."""
    name = f"evalhub_faults_{uuid.uuid4().hex[:12]}"
    server, _, _ = database_url.rpartition("/")
    queue = f"{broker_url.rpartition('/')[0]}/11"
    redis.Redis.from_url(queue).flushdb()
    urls = {"DATABASE_URL": f"{server}/{name}", "CELERY_BROKER_URL": queue}
    template = f' TEMPLATE "{copy_of}"' if copy_of else ""
    _administer(database_url, f'CREATE DATABASE "{name}"{template}')
    made = Installation(environment_of(folder) | urls)
    try:
        if prepare and copy_of is None:
            made.ask("prepare")
        yield made
    finally:
        made.stop()
        _administer(database_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _administer(database_url: str, command: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute(command.encode())


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Poll until `condition()` is true; its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:g} s for {what}")
