"""A disk that is full: nothing is called done that is not there, and work goes on when there is room."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.installation import Installation, embedded, short_leases, wait_for
from tests.faults.invariants import check, nothing_changes, until_over

ITEMS = 400
SIZE_MB = 48

pytestmark = [
    pytest.mark.db,
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(os.environ.get("DATABASE_URL")),
        reason="shown on SQLite, whose database is in the home",
    ),
]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of SIZE_MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "none", str(disk)]
    done = (
        subprocess.run(mount, capture_output=True, check=False) if shutil.which("mount") else None
    )
    if done is None or done.returncode:
        pytest.skip("a small disk needs the right to mount one")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.timeout(180)
def test_a_run_on_a_full_disk_waits_and_ends_when_there_is_room(
    small_disk: Path, tmp_path: Path, prepared: Installation, chance: random.Random
) -> None:
    installation = embedded(small_disk, copy_of=prepared.home)
    installation.environment["FAULT_FOLDER"] = str(tmp_path)  # what we note down has room
    short_leases(installation)
    inputs = [{"n": n, "pad": 20_000} for n in range(ITEMS)]
    run = installation.ask("start", inputs=inputs, concurrency=8)
    worker = installation.start_worker()

    def supervise() -> None:
        nonlocal worker
        worker = installation.revive(worker)

    try:
        installation.until_called(chance.randrange(10, 60))
        ballast = small_disk / "ballast"
        _fill(ballast, small_disk)
        wait_for(lambda: "full" in installation.log(), 30, "a write to fail")
        time.sleep(chance.uniform(1, 5))
        counted = installation.ask("count", run=run)
        assert counted["status"] == "running", "no false “done”"
        assert counted["results"] < ITEMS
        ballast.unlink()
        until_over(installation, run, 60, meanwhile=supervise)
        check(installation, run)
        nothing_changes(installation, run)
    finally:
        installation.stop()


def _fill(ballast: Path, disk: Path) -> None:
    """Leave nothing free but a few pages."""
    with ballast.open("wb") as file:
        while (free := shutil.disk_usage(disk).free) > 16_384:
            file.write(bytes(min(1_000_000, free - 8_192)))
            file.flush()
