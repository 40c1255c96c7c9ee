"""Workers that die, leave, stop and share: who is blamed, who takes over, and how soon."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from evalhub.access.models import Project, User
from evalhub.kit.clock import in_seconds
from runs_app.actions import cancel_run
from runs_app.engine import planning, recorder, stay, stays
from runs_app.engine.stay import work
from runs_app.models import Result, Run, Shard, Stay
from tests.runs_app.engine_help import StartRun, recount, starter, wait_for, worker

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]
ENOUGH = planning.STRIKES_BEFORE_CARE + planning.DEATHS_ALONE


@pytest.fixture
def start(project: Project, owner: User) -> StartRun:
    return starter(project, owner)


def die(run: Run, *, calling: int | None) -> None:
    """A worker claims the run's shard, begins to call item `calling` if any, and is killed."""
    Run.objects.filter(pk=run.pk).update(status="running")
    claim = planning.claim_next(run.pk, "doomed")
    assert claim is not None
    if calling is not None:
        planning.begin(claim, calling)
    Shard.objects.update(lease_until=None)


def under_suspicion(run: Run) -> None:
    for _ in range(planning.STRIKES_BEFORE_CARE):
        die(run, calling=1)


# --- blame ----------------------------------------------------------------------------------------
def test_items_that_a_dead_worker_never_called_are_not_blamed(start: StartRun) -> None:
    run = start(["x", "y", "z"])
    for _ in range(ENOUGH + 3):
        die(run, calling=None)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded, run.failed) == ("completed", 3, 0)


@pytest.mark.parametrize("deaths", [3, ENOUGH - 1])
def test_three_kills_before_the_first_result_of_a_slow_target_make_no_item_an_error(
    start: StartRun, deaths: int
) -> None:
    run = start(["x", "y", "z"])
    for _ in range(deaths):
        die(run, calling=1)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded, run.failed) == ("completed", 3, 0)


def test_deaths_over_one_item_do_not_count_against_the_next(start: StartRun) -> None:
    run = start(["x", "y", "z"])
    under_suspicion(run)
    for _ in range(planning.DEATHS_ALONE - 1):
        die(run, calling=1)
    die(run, calling=2)
    assert planning.claim_next(run.pk, "next") is not None
    assert Shard.objects.get().suspect == 2
    Shard.objects.update(lease_until=None)
    work(run.pk)
    run.refresh_from_db()
    assert (run.succeeded, run.failed) == (3, 0)


@pytest.mark.parametrize("target", ["python:echo", "recorded:input"])
def test_under_suspicion_each_item_is_recorded_before_the_next_is_called(
    start: StartRun, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    run = start([f"{n}" for n in range(6)], target)
    under_suspicion(run)
    events: list[tuple[str, int]] = []
    real_begin, real_flush = planning.begin, recorder.flush

    def begin(claim: Any, number: int) -> bool:
        events.append(("call", number))
        return real_begin(claim, number)

    def flush(rows: Any, finishing: Any) -> Any:
        time.sleep(0.05)
        lost = real_flush(rows, finishing)
        events.extend(("record", row.item_number) for row in rows)
        return lost

    monkeypatch.setattr(stay, "begin", begin)
    monkeypatch.setattr(recorder, "flush", flush)
    work(run.pk)
    assert events == [(word, n) for n in range(1, 7) for word in ("call", "record")]
    run.refresh_from_db()
    assert (run.status, run.succeeded) == ("completed", 6)


def test_of_two_runs_under_suspicion_in_one_process_one_item_is_called_at_a_time(
    start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [start(["x"] * 4, "python:slow-echo"), start(["x"] * 5, "python:slow-echo")]
    for run in runs:
        for _ in range(planning.STRIKES_BEFORE_CARE):
            Run.objects.filter(pk=run.pk).update(status="running")
            claim = planning.claim_next(run.pk, "doomed")
            assert claim is not None
            planning.begin(claim, 1)
            Shard.objects.update(lease_until=None)
    most = 0
    threads = [worker(run) for run in runs]
    while any(thread.is_alive() for thread in threads):
        most = max(most, Shard.objects.exclude(suspect=None).count())
        time.sleep(0.005)
    assert most == 1
    assert set(Run.objects.values_list("status", flat=True)) == {"completed"}


@pytest.mark.timeout(20)
def test_a_call_under_suspicion_that_stalls_is_cancelled_within_three_seconds(
    start: StartRun, owner: User
) -> None:
    run = start(["x"] * 3, "python:stall")
    under_suspicion(run)
    thread = worker(run)
    wait_for(lambda: Shard.objects.filter(suspect=1).exists())
    began = time.monotonic()
    cancel_run(run=run, by=owner)
    thread.join(10)
    assert time.monotonic() - began < 3
    run.refresh_from_db()
    assert run.status == "cancelled"


# --- leaving --------------------------------------------------------------------------------------
@pytest.mark.timeout(20)
def test_a_worker_that_shuts_down_gives_its_shards_back_at_once_and_without_a_strike(
    start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(["x"] * 20, "python:stall")
    monkeypatch.setattr(stay, "STOPPING_SECONDS", 0.3)
    for _ in range(ENOUGH + 1):
        asked = threading.Event()
        monkeypatch.setattr(stay, "stopping", asked.is_set)
        thread = worker(run)
        wait_for(lambda: Shard.objects.filter(strikes=1).exists())
        asked.set()
        thread.join(5)
        assert not thread.is_alive()
        shard = Shard.objects.get(run=run)
        assert (shard.lease_until, shard.strikes, shard.state) == (None, 0, "open")
        assert not Stay.objects.exists()
    assert recount(run)["results"] == 0


@pytest.mark.timeout(20)
def test_calls_that_end_soon_are_recorded_before_a_worker_leaves(
    start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start([f"{n}" for n in range(400)], "python:slow-echo")
    asked = threading.Event()
    monkeypatch.setattr(stay, "stopping", asked.is_set)
    thread = worker(run)
    wait_for(lambda: recount(run)["results"] > 0)
    asked.set()
    thread.join(5)
    done = recount(run)["results"]
    assert 0 < done < 400
    asked.clear()
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded) == ("completed", 400)


def test_a_worker_whose_time_is_over_wakes_a_successor_that_goes_on(
    start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start([f"{n}" for n in range(400)], "python:slow-echo")
    woken: list[tuple[object, ...]] = []
    monkeypatch.setattr(stay, "BUDGET_SECONDS", 0.3)
    monkeypatch.setattr(stay, "wake_now", lambda *words: woken.append(words))
    work(run.pk)
    run.refresh_from_db()
    assert run.status == "running"
    assert woken == [("runs.work", run.pk)]
    monkeypatch.setattr(stay, "BUDGET_SECONDS", 300)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded) == ("completed", 400)


@pytest.mark.timeout(30)
def test_shards_of_a_dead_worker_are_taken_while_our_last_call_is_slow(start: StartRun) -> None:
    run = start(["go"] * 200 + ["hang"] + ["go"] * 199, "python:hang-sync", timeout_s=6, retries=0)
    Run.objects.filter(pk=run.pk).update(status="running")
    assert planning.claim_next(run.pk, "dead") is not None
    Shard.objects.update(lease_until=in_seconds(2))
    began = time.monotonic()
    thread = worker(run)
    wait_for(lambda: Result.objects.filter(run=run).count() == 399)
    assert time.monotonic() - began < 5, "before the slow call was over"
    thread.join(10)
    run.refresh_from_db()
    assert (run.status, run.succeeded, run.failed) == ("completed", 399, 1)


# --- seats ----------------------------------------------------------------------------------------
def test_there_are_never_more_stays_than_seats(start: StartRun) -> None:
    run = start(["x"], concurrency=2)
    opened = [stays.open_stay(run.pk, name) for name in ("one", "two", "three")]
    assert [one is not None for one in opened] == [True, True, False]


def test_a_stay_that_is_leaving_keeps_the_seats_in_use_alone(start: StartRun) -> None:
    run = start(["x"], concurrency=8)
    stays.open_stay(run.pk, "old")
    assert stays.tick(run.pk, "old", [], 3, leaving=True).seats == 0
    assert Stay.objects.get(owner="old").seats == 3
    stays.open_stay(run.pk, "new")
    assert stays.tick(run.pk, "new", [], 0).seats == 4
