"""Pause, resume, retry, rescore and delete, each with the worker killed in the middle of it."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from tests.faults.installation import Installation, wait_for
from tests.faults.invariants import check, nothing_changes, until_over
from tests.faults.length import long_form, pick, short_on_servers, short_on_sqlite

pytestmark = [pytest.mark.db, pytest.mark.slow]
SEATS = 8
UNFLUSHED = 400


@short_on_sqlite
@pytest.mark.timeout(120)
def test_a_pause_holds_though_its_worker_is_killed_and_the_run_goes_on_when_resumed(
    installation: Installation, chance: random.Random
) -> None:
    run = installation.ask("start", inputs=[{"n": n} for n in range(500)], concurrency=SEATS)
    worker = installation.start_worker()
    installation.until_called(40)
    installation.ask("pause", run=run)
    time.sleep(chance.choice([0.0, 0.3, 1.5]))  # before it has seen the pause, and after
    installation.kill(worker)
    worker = installation.start_ready_worker()
    paused_at = len(installation.calls())
    time.sleep(3)  # a sweep and the lease of the dead one
    assert len(installation.calls()) == paused_at, "a paused run begins no call"
    assert installation.ask("count", run=run)["status"] == "running"
    installation.ask("resume", run=run)
    installation.until_called(paused_at + chance.randrange(20, 200))
    installation.kill(worker)
    installation.start_worker()
    until_over(installation, run, 40)
    check(installation, run, repeated_at_most=2 * (SEATS + UNFLUSHED))
    nothing_changes(installation, run)


@short_on_servers
@pytest.mark.timeout(120)
def test_a_retry_under_kill_keeps_each_error_until_its_new_result_is_there(
    installation: Installation, chance: random.Random
) -> None:
    inputs: list[Any] = [{"n": n, "ms": 10} for n in range(450)]
    for each in chance.sample(inputs, 250):
        each["do"] = "fail-until-mended"
    run = installation.ask("start", inputs=inputs, concurrency=SEATS, retries=0)
    worker = installation.start_worker()
    until_over(installation, run, 40)
    check(installation, run, errors=250)
    good = installation.ask("good", run=run)
    (installation.folder / "mended").touch()
    kills = pick(short=1, long=2)
    installation.ask("retry", run=run)
    for _ in range(kills):
        began = len(installation.calls())
        installation.until_called(began + chance.randrange(10, 80))
        installation.kill(worker)
        assert installation.ask("count", run=run)["results"] == 450, "an error went too soon"
        worker = installation.start_worker()
    until_over(installation, run, 40)
    check(installation, run, errors=0)
    now = installation.ask("good", run=run)
    assert set(map(tuple, good)) <= set(map(tuple, now)), "a good result was written again"
    again = len(installation.calls()) - 450 - 250
    assert again <= kills * (SEATS + UNFLUSHED), "I6"
    nothing_changes(installation, run)


@long_form
@pytest.mark.timeout(120)
def test_a_cancelled_run_that_is_retried_under_kill_gets_what_it_had_skipped(
    installation: Installation, chance: random.Random
) -> None:
    run = installation.ask("start", inputs=[{"n": n} for n in range(500)], concurrency=SEATS)
    worker = installation.start_worker()
    installation.until_called(chance.randrange(50, 300))
    installation.ask("cancel", run=run)
    assert until_over(installation, run, 3) == "cancelled"
    check(installation, run, status="cancelled")
    installation.ask("retry", run=run)
    installation.until_called(len(installation.calls()) + 30)
    installation.kill(worker)
    installation.start_worker()
    until_over(installation, run, 40)
    check(installation, run, repeated_at_most=2 * (SEATS + UNFLUSHED))
    nothing_changes(installation, run)


@short_on_sqlite
@pytest.mark.timeout(120)
def test_a_rescore_under_kill_shows_nothing_before_it_is_whole_and_doubles_nothing(
    installation: Installation, chance: random.Random
) -> None:
    inputs = [{"n": n, "ms": 0, "pad": 4000} for n in range(1200)]
    run = installation.ask("start", inputs=inputs, concurrency=64)
    worker = installation.start_worker()
    until_over(installation, run, 40)
    before = installation.ask("print_of", run=run)
    installation.ask("rescore", run=run, scorers=["levenshtein", "contains"], mode="replace")
    kills = 0
    while kills < 3:
        time.sleep(chance.uniform(0.0, 0.2))
        if not installation.ask("rescoring", run=run)["open"]:
            break
        assert installation.ask("print_of", run=run) == before, "half of a rescore is seen"
        installation.kill(worker)
        kills += 1
        worker = installation.start_ready_worker()
    assert kills, "the rescore was over before a worker could be killed"
    wait_for(lambda: not installation.ask("rescoring", run=run)["open"], 40, "the rescore (I4)")
    wait_for(lambda: not installation.ask("rescoring", run=run)["left_over"], 20, "what it left")
    facts = check(installation, run)
    assert facts["scores"] == {"levenshtein": 1200, "contains": 1200}
    assert len(installation.calls()) == 1200, "a rescore calls no target"
    installation.ask("delete", run=run)
    time.sleep(chance.uniform(0.0, 0.1))
    installation.kill(worker)
    installation.start_worker()
    wait_for(lambda: not installation.ask("left_of", run=run), 30, "the deleted run to go")
