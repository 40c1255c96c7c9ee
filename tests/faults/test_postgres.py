"""A PostgreSQL that restarts immediately in mid-run, and connections that are cut off."""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.browser.product import free_port
from tests.faults.installation import Installation, Refused, on_servers, short_leases, wait_for
from tests.faults.invariants import TERMINAL, check, nothing_changes
from tests.faults.web import Web

SEATS = 8
UNFLUSHED = 400


def _binaries() -> Path | None:
    """The folder of initdb and pg_ctl; None without."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    return Path(path).parent if (path := shutil.which("initdb")) else None


def _missing() -> str:
    """Why no cluster of our own can be made; "" when it can."""
    if not os.environ.get("DATABASE_URL"):
        return "SQLite has no server that could restart"
    if _binaries() is None:
        return "initdb and pg_ctl are not installed"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "PostgreSQL does not run as root, and there is no user postgres"
        if not shutil.which("runuser"):
            return "PostgreSQL does not run as root, and there is no runuser"
    return ""


pytestmark = [
    pytest.mark.db,
    pytest.mark.slow,
    pytest.mark.skipif(bool(_missing()), reason=_missing() or "never"),
]


class Cluster:
    """A PostgreSQL cluster of the test's own, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(folder, "postgres", "postgres")
        self._run("initdb", "-D", f"{folder}/data", "-U", "postgres", "-A", "trust", "-N")
        self.control("start")

    def control(self, word: str, mode: str = "fast") -> None:
        options = f"-p {self.port} -k '' -c listen_addresses=127.0.0.1 -c max_connections=60"
        how = [] if word == "start" else ["-m", mode]
        where = ["-D", f"{self.folder}/data", "-l", f"{self.folder}/log"]
        self._run("pg_ctl", word, "-w", *where, "-o", options, *how)

    def _run(self, program: str, *words: str) -> None:
        binaries = _binaries()
        assert binaries is not None
        done = subprocess.run(
            [*self._as, str(binaries / program), *words],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    # Not below pytest's own folder, which the user postgres may not enter.
    folder = Path(tempfile.mkdtemp(prefix="evalhub-cluster-"))
    made = Cluster(folder)
    yield made
    made.control("stop", "immediate")
    shutil.rmtree(folder)


@pytest.fixture
def broken(tmp_path: Path, cluster: Cluster) -> Iterator[Installation]:
    """An installation on the cluster, with short leases."""
    with on_servers(tmp_path, cluster.url, os.environ["CELERY_BROKER_URL"]) as made:
        short_leases(made)
        made.end_driver()
        yield made


def _until_over(installation: Installation, run: int, seconds: float) -> None:
    """The run ends by itself; the driver's own connection may break as well."""

    def over() -> bool:
        with contextlib.suppress(Refused):
            return bool(installation.ask("count", run=run)["status"] in TERMINAL)
        return False

    try:
        wait_for(over, seconds, "the run to end (I4)")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{installation.log()}") from error


@pytest.mark.timeout(180)
def test_a_run_outlives_a_database_that_restarts_immediately(
    broken: Installation, cluster: Cluster, chance: random.Random
) -> None:
    restarts = 2
    run = broken.ask("start", inputs=[{"n": n, "ms": 30} for n in range(1200)], concurrency=SEATS)
    worker = broken.start_worker()
    for _ in range(restarts):
        broken.until_called(len(broken.calls()) + chance.randrange(60, 300))
        cluster.control("restart", "immediate")
    _until_over(broken, run, 60)
    assert worker.poll() is None, "the worker outlives it as well"
    check(broken, run, repeated_at_most=restarts * (SEATS + UNFLUSHED))
    nothing_changes(broken, run)


@pytest.mark.timeout(180)
def test_connections_that_are_cut_off_again_and_again_cost_nothing_but_time(
    broken: Installation, cluster: Cluster, chance: random.Random
) -> None:
    """Cut before, during and right after a COMMIT, as it comes: twenty times in a run."""
    cuts = 20
    run = broken.ask("start", inputs=[{"n": n} for n in range(1500)], concurrency=SEATS)
    worker = broken.start_worker()
    broken.until_called(20)
    name = broken.environment["DATABASE_URL"].rpartition("/")[2]
    done = 0
    with psycopg.connect(cluster.url, autocommit=True) as admin:
        for _ in range(cuts):
            time.sleep(chance.uniform(0.02, 0.25))
            found = admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            done += len(found.fetchall())
    assert done > 5, "few connections were there to be cut"
    _until_over(broken, run, 60)
    assert worker.poll() is None, broken.log()
    check(broken, run, repeated_at_most=cuts * (SEATS + UNFLUSHED))
    nothing_changes(broken, run)


@pytest.mark.timeout(120)
def test_while_the_database_is_away_the_web_says_so_and_then_goes_on(
    broken: Installation, cluster: Cluster
) -> None:
    """I8: 200 or a clear 503, and never a stack trace."""
    web = Web(broken)
    paths = ["/health", "/", "/p/default/datasets/", "/api/v1/me", "/api/v1/runs"]
    before = [web.get(path).status for path in paths]
    assert before == [200, 302, 302, 200, 200]
    cluster.control("stop", "immediate")
    try:
        for path in paths:
            said = web.get(path)
            assert said.status in (200, 302, 503), said
            assert "Traceback" not in str(said.body)
            if said.status == 503 and path != "/health":
                assert "database" in str(said.body)
        assert web.get("/api/v1/runs").type == "application/problem+json"
        assert web.get("/api/v1/runs").status == 503
        assert web.get("/health").status == 503
        signed_in = web.call(
            "GET", "/p/default/datasets/", headers={"Cookie": "evalhub_session=" + "x" * 32}
        )
        assert signed_in.status == 503
    finally:
        cluster.control("start")
    wait_for(lambda: web.get("/api/v1/runs").status == 200, 10, "the web to go on")
