"""A database that is away, slow or refuses: nothing is lost, nothing waits for ever."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.db.backends.signals import connection_created

from evalhub.access.models import Project, User
from evalhub.kit import bulk
from runs_app.actions import cancel_run
from runs_app.engine import recorder, stays, writing
from runs_app.engine.stay import work
from runs_app.models import Result, Run, Shard, Stay
from tests.runs_app.engine_help import StartRun, recount, starter, wait_for, worker

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def start(project: Project, owner: User) -> StartRun:
    return starter(project, owner)


@pytest.mark.parametrize("committed", [False, True])
def test_a_flush_that_fails_before_or_after_its_commit_is_made_again(
    start: StartRun, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    run = start([f"{n}" for n in range(450)])
    real = recorder.flush
    calls = 0

    def flush(rows: Any, finishing: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls % 2:
            if committed:
                real(rows, finishing)
            raise OperationalError("server closed the connection unexpectedly")
        return real(rows, finishing)

    monkeypatch.setattr(recorder, "flush", flush)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded) == ("completed", 450)
    assert recount(run) == {"results": 450, "scores": 450, "double": 0}


def test_a_result_that_the_database_refuses_becomes_an_error_and_hurts_no_other(
    start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start([f"{n}" for n in range(30)])
    real = recorder.flush

    def flush(rows: Any, finishing: Any) -> Any:
        if any(row.item_number == 7 and row.outcome.output_json for row in rows):
            raise DataError("value cannot be stored")
        return real(rows, finishing)

    monkeypatch.setattr(recorder, "flush", flush)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded, run.failed) == ("completed", 29, 1)
    refused = Result.objects.get(run=run, item_number=7)
    assert refused.error_type == "not_storable"
    assert "value cannot be stored" in refused.error_message


@pytest.mark.timeout(20)
def test_a_stay_ends_when_the_database_stays_away_however_much_waits_to_be_written(
    start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start([f"{n}" for n in range(2000)], concurrency=64)

    def flush(rows: Any, finishing: Any) -> Any:
        raise OperationalError("away")

    with monkeypatch.context() as broken:
        broken.setattr(recorder, "flush", flush)
        broken.setattr(recorder, "RETRY_SECONDS", 1.0)
        with pytest.raises(OperationalError):
            work(run.pk)
    assert not Stay.objects.exists()
    Shard.objects.update(lease_until=None)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded) == ("completed", 2000)


def test_ticks_that_fail_do_not_end_the_stay(
    start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(["hang", *["go"] * 9], "python:hang-sync", timeout_s=1.5, retries=0)
    failed = []

    def tick(*args: Any, **options: Any) -> Any:
        failed.append(1)
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(stays, "tick", tick)
    monkeypatch.setattr("runs_app.engine.keeper.TICK_SECONDS", 0.1)
    work(run.pk)
    run.refresh_from_db()
    assert failed
    assert (run.status, run.succeeded, run.failed) == ("completed", 9, 1)


def test_a_stay_leaves_no_connection_open(start: StartRun) -> None:
    run = start([f"{n}" for n in range(250)])
    opened: list[Any] = []

    def remember(connection: Any, **_: object) -> None:
        opened.append(connection)

    connection_created.connect(remember)
    try:
        worker(run).join(20)
    finally:
        connection_created.disconnect(remember)
    assert opened
    assert [one.connection for one in opened] == [None] * len(opened)


def test_what_the_driver_raises_in_a_bulk_insert_is_djangos_error(start: StartRun) -> None:
    start(["x"])
    row = (10**9, "x", "{}", 0)
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(Shard, ("run", "state", "items", "size"), [row])


@pytest.mark.timeout(30)
def test_closing_a_run_while_a_late_flush_holds_its_shard_is_no_deadlock(
    start: StartRun, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flush holds the shard and looks at its key to the run; who closes the run takes both."""
    run = start([f"{n}" for n in range(500)], "python:slow-echo")
    real = bulk.insert
    inside = threading.Event()
    failures: list[BaseException] = []

    def slow(model: Any, *args: Any, **options: Any) -> int:
        if model is Result:
            inside.set()
            time.sleep(1.0)
        return real(model, *args, **options)

    real_try = writing.flush

    def flush(rows: Any, finishing: Any) -> Any:
        try:
            return real_try(rows, finishing)
        except BaseException as error:
            failures.append(error)
            raise

    monkeypatch.setattr(bulk, "insert", slow)
    monkeypatch.setattr(recorder, "flush", flush)
    thread = worker(run)
    assert inside.wait(10)
    Stay.objects.all().delete()  # as if its lease had run out
    cancel_run(run=run, by=owner)
    thread.join(10)
    assert not failures
    wait_for(lambda: Run.objects.get(pk=run.pk).status == "cancelled")
    run.refresh_from_db()
    assert recount(run)["results"] == run.succeeded + run.failed
    assert not connection.in_atomic_block
