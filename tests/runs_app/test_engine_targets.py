"""Targets that misbehave on the event loop: each hurts its own item, and no run goes on for ever."""

from __future__ import annotations

import time
from typing import Any

import pytest

from evalhub.access.models import Project, User
from runs_app.actions import cancel_run
from runs_app.engine import keeper
from runs_app.engine.stay import work
from runs_app.models import Result, Shard, Stay
from tests.runs_app.engine_help import StartRun, recount, starter, wait_for, worker

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def start(project: Project, owner: User) -> StartRun:
    return starter(project, owner)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("mood", "error", "says"),
    [
        ("exit", "exception", "SystemExit: 3"),
        ("interrupt", "exception", "KeyboardInterrupt"),
        ("cancel", "exception", "CancelledError"),
        ("unspeakable", "exception", "its text raised RuntimeError"),
        ("long type", "t" * 40, "too long a word"),
        ("no type", "exception", "no word"),
        ("no text", "odd", "None"),
        ("nul text", "a\ufffdb", "a\ufffdb?"),
    ],
)
def test_whatever_an_asynchronous_target_raises_is_a_typed_error_of_that_item_alone(
    start: StartRun, mood: str, error: str, says: str
) -> None:
    run = start(["fine", mood, "fine too"], "python:moody-async", retries=0)
    work(run.pk)
    run.refresh_from_db()
    wrong = Result.objects.get(run=run, item_number=2)
    assert wrong.error_type == error
    assert says in wrong.error_message
    assert (run.status, run.succeeded, run.failed) == ("completed", 2, 1)


@pytest.mark.timeout(20)
def test_a_target_that_ignores_its_cancellation_times_out_and_keeps_no_worker(
    start: StartRun,
) -> None:
    run = start(["x"] * 3, "python:stubborn", timeout_s=0.3, retries=0)
    began = time.monotonic()
    work(run.pk)
    run.refresh_from_db()
    assert time.monotonic() - began < 5
    assert (run.status, run.failed) == ("failed", 3)
    assert set(Result.objects.values_list("error_type", flat=True)) == {"timeout"}


@pytest.mark.timeout(20)
def test_a_run_of_such_a_target_is_cancelled_within_three_seconds(
    start: StartRun, owner: User
) -> None:
    run = start(["x"] * 3, "python:stubborn")
    thread = worker(run)
    wait_for(lambda: Shard.objects.filter(run=run).exists())
    began = time.monotonic()
    cancel_run(run=run, by=owner)
    wait_for(lambda: type(run).objects.get(pk=run.pk).status == "cancelled")
    assert time.monotonic() - began < 3
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.timeout(20)
def test_a_thread_that_a_target_left_behind_does_not_keep_its_worker(start: StartRun) -> None:
    run = start(["thread"], "python:moody-async", timeout_s=0.2, retries=0)
    began = time.monotonic()
    work(run.pk)
    assert time.monotonic() - began < 3
    run.refresh_from_db()
    assert run.status == "failed"


@pytest.mark.timeout(60)
def test_a_target_that_blocks_the_event_loop_beyond_the_lease_loses_nothing(
    start: StartRun, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LEASE_SECONDS = 1
    monkeypatch.setattr(keeper, "TICK_SECONDS", 0.2)
    run = start([1.5] * 6, "python:blocking", concurrency=4)
    first = worker(run)
    wait_for(lambda: Shard.objects.filter(run=run).exists())
    second = worker(run)
    for thread in (first, second):
        thread.join(50)
    run.refresh_from_db()
    assert (run.status, run.succeeded, run.failed) == ("completed", 6, 0)
    assert recount(run) == {"results": 6, "scores": 6, "double": 0}
    assert Shard.objects.get(run=run).attempts == 1, "nobody else took the shard meanwhile"


@pytest.mark.timeout(30)
def test_a_run_whose_target_blocks_the_event_loop_is_cancelled_within_three_seconds(
    start: StartRun, owner: User
) -> None:
    run = start([6, 1], "python:blocking", concurrency=2)
    thread = worker(run)
    wait_for(lambda: Shard.objects.filter(run=run).exists())
    time.sleep(1)
    began = time.monotonic()
    cancel_run(run=run, by=owner)
    wait_for(lambda: type(run).objects.get(pk=run.pk).status == "cancelled")
    assert time.monotonic() - began < 3
    thread.join(15)
    assert recount(run)["results"] == 0, "what came after the end is not recorded"
    assert not Stay.objects.exists()


@pytest.mark.timeout(30)
def test_a_target_that_blocks_the_event_loop_for_ever_ends_its_worker(
    start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths: list[float] = []
    monkeypatch.setattr(keeper, "STUCK_SECONDS", 1.0)
    monkeypatch.setattr(keeper, "_die", lambda: deaths.append(time.monotonic()))
    run = start([4], "python:blocking", timeout_s=0.5)
    work(run.pk)
    assert deaths
