"""A worker whose wall clock is an hour off beside one whose clock is right."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.installation import Installation
from tests.faults.invariants import check, nothing_changes, until_over

pytestmark = [
    pytest.mark.db,
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get("DATABASE_URL"),
        reason="embedded, the database's clock and the worker's are the same clock",
    ),
    pytest.mark.skipif(not shutil.which("cc"), reason="a wrong clock needs a C compiler (cc)"),
]
SEATS = 8
UNFLUSHED = 400


@pytest.fixture(scope="module")
def wrong_clock(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The library that shifts a process's clock."""
    made = tmp_path_factory.mktemp("clock") / "hour_off.so"
    source = Path(__file__).with_name("hour_off.c")
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-o", str(made), str(source), "-ldl"], check=True
    )
    return str(made)


@pytest.mark.timeout(120)
def test_a_worker_an_hour_off_takes_no_lease_and_loses_none(
    installation: Installation, wrong_clock: str, chance: random.Random
) -> None:
    off = chance.choice([-3600, 3600])
    wrong = {"LD_PRELOAD": wrong_clock, "CLOCK_OFF": str(off)}
    assert abs(_clock_of_a_process(wrong) - time.time() - off) < 30
    ahead = installation.start_worker(**wrong)
    alone = installation.ask("start", inputs=[{"n": n} for n in range(9000, 9020)])
    until_over(installation, alone, 20)
    run = installation.ask("start", inputs=[{"n": n} for n in range(900)], concurrency=SEATS)
    installation.start_worker()
    installation.until_called(chance.randrange(300, 600))
    assert installation.ask("attempts", run=run) == 1, "a lease was taken that had not run out"
    installation.kill(ahead)
    until_over(installation, run, 20)
    check(installation, run, repeated_at_most=SEATS + UNFLUSHED)
    check(installation, alone)
    nothing_changes(installation, run)


def _clock_of_a_process(environment: dict[str, str]) -> float:
    """What a Python with this environment takes for the time."""
    say = "import datetime; print(datetime.datetime.now().timestamp())"
    told = subprocess.run(
        [sys.executable, "-c", say], env=os.environ | environment, capture_output=True, check=True
    )
    return float(told.stdout)
