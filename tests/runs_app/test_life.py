"""Pause, resume, retry and delete: what each needs, what it leaves, and that the run ends right."""

from __future__ import annotations

from typing import Any

import pytest

from datasets_app.models import Dataset
from evalhub.access.models import AuditEntry, Project, User
from evalhub.kit.errors import Conflict, NotFound
from runs_app import queries
from runs_app.actions import (
    cancel_run,
    delete_run,
    pause_run,
    rescore_run,
    resume_run,
    retry_run,
)
from runs_app.engine import deleting, planning, removing
from runs_app.engine.stay import work
from runs_app.engine.sweeper import sweep
from runs_app.models import Rescore, Result, Run, RunEvent, RunScorer, Score, Shard
from runs_app.models.work import ShardState
from tests import plugin_targets
from tests.factories import make_active_run, make_dataset, make_finished_run, questions
from tests.runs_app.engine_help import StartRun, recount, starter

pytestmark = [pytest.mark.db, pytest.mark.django_db]
with_workers = pytest.mark.django_db(transaction=True)


@pytest.fixture
def start(project: Project, owner: User) -> StartRun:
    return starter(project, owner)


@pytest.fixture
def sums(project: Project, owner: User) -> Dataset:
    return make_dataset(project, owner, questions(3))


def kinds(run: Run) -> list[str]:
    return list(run.events.values_list("kind", flat=True))


def outputs(run: Run) -> list[str | None]:
    found = run.results.order_by("item_number", "repetition")
    return list(found.values_list("output_json", flat=True))


# --- pause ----------------------------------------------------------------------------------------
@with_workers
def test_a_paused_run_does_nothing_until_it_is_resumed(start: StartRun, owner: User) -> None:
    run = pause_run(run=start(["a", "b"]), by=owner)
    assert run.paused_at is not None
    work(run.pk)
    sweep()
    assert recount(run)["results"] == 0
    run = resume_run(run=run, by=owner)
    assert run.paused_at is None
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded) == ("completed", 2)
    assert kinds(run) == ["paused", "resumed"]
    assert run.events.first().message == "Paused by owner."


def test_pausing_twice_and_resuming_twice_is_said_once(sums: Dataset, owner: User) -> None:
    run = make_active_run(sums, owner)
    paused_at = pause_run(run=run, by=owner).paused_at
    assert pause_run(run=run, by=owner).paused_at == paused_at
    resume_run(run=run, by=owner)
    resume_run(run=run, by=owner)
    assert kinds(run) == ["paused", "resumed"]


@with_workers
def test_a_paused_run_can_be_cancelled(start: StartRun, owner: User) -> None:
    run = pause_run(run=start(["a"]), by=owner)
    assert cancel_run(run=run, by=owner).status == "cancelled"


def test_only_a_run_that_goes_on_is_paused_or_resumed(sums: Dataset, owner: User) -> None:
    over = make_finished_run(sums, owner, ["a"], {})
    going = make_active_run(sums, owner)
    Run.objects.filter(pk=going.pk).update(cancel_requested_at="2026-01-01T00:00:00Z")
    for act in (pause_run, resume_run):
        with pytest.raises(Conflict, match="is completed already"):
            act(run=over, by=owner)
        with pytest.raises(Conflict, match="is being cancelled"):
            act(run=going, by=owner)
    assert not RunEvent.objects.exists()


# --- retry ----------------------------------------------------------------------------------------
@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> set[Any]:
    """Inputs that the target `picky` refuses: change it as you like."""
    bad: set[Any] = set()
    monkeypatch.setattr(plugin_targets, "REFUSED", bad)
    return bad


@with_workers
def test_a_retry_replaces_errors_alone(start: StartRun, owner: User, fails: set[Any]) -> None:
    fails |= {"b", "d"}
    run = start(list("abcde"), "python:picky", retries=0)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded, run.failed) == ("completed", 3, 2)
    good = set(Result.objects.filter(run=run, error_type="").values_list("pk", flat=True))
    fails.remove("b")
    run = retry_run(run=run, by=owner)
    assert (run.status, run.finished_at, run.summary, run.score_revision) == (
        "running",
        None,
        None,
        1,
    )
    assert queries.progress(run).done == 3
    assert recount(run)["results"] == 5, "errors stay until the new results are there"
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded, run.failed) == ("completed", 4, 1)
    assert run.summary is not None
    assert run.summary["errors"] == {"exception": 1}
    assert good < set(Result.objects.filter(run=run).values_list("pk", flat=True))
    assert recount(run) == {"results": 5, "scores": 4, "double": 0}
    assert run.events.get(kind="retry").message == "Retry of 2 errors, asked for by owner."


@with_workers
def test_a_retry_of_repetitions_calls_only_those_that_failed(
    start: StartRun, owner: User, fails: set[Any]
) -> None:
    run = start(list("abc"), "python:picky", retries=0, repetitions=3)
    work(run.pk)
    bad = Result.objects.filter(run=run, item_number=2, repetition__in=(0, 2))
    Score.objects.filter(run_scorer__run=run, item_number=2, repetition__in=(0, 2)).delete()
    bad.update(error_type="broken", output_json=None)
    Shard.objects.filter(run=run).update(succeeded=7, failed=2)
    kept = set(Result.objects.filter(run=run, error_type="").values_list("pk", flat=True))
    retry_run(run=run, by=owner)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded, run.failed) == ("completed", 9, 0)
    assert kept < set(Result.objects.filter(run=run).values_list("pk", flat=True))
    assert recount(run) == {"results": 9, "scores": 9, "double": 0}


@with_workers
def test_a_cancelled_run_is_taken_up_where_it_stopped(
    start: StartRun, owner: User, fails: set[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shards that were dropped half way hold good results, errors and gaps: each is done once."""
    monkeypatch.setattr(planning, "SHARD_SIZE", 4)
    fails |= {2, 6}
    run = start(list(range(1, 13)), "python:picky", retries=0, concurrency=1)
    work(run.pk)
    _, second, third = Shard.objects.filter(run=run).order_by("pk")
    # As a cancellation leaves it: one shard done, one half way, one not cut yet.
    Result.objects.filter(run=run, item_number__gt=6).delete()
    Score.objects.filter(run_scorer__run=run, item_number__gt=6).delete()
    third.delete()
    Shard.objects.filter(pk=second.pk).update(state=ShardState.DROPPED, succeeded=1, failed=1)
    Run.objects.filter(pk=run.pk).update(
        status="cancelled", planned_after=8, planned_items=8, succeeded=4, failed=2
    )
    fails.clear()
    run.refresh_from_db()
    retry_run(run=run, by=owner)
    message = run.events.get(kind="retry").message
    assert message == "Retry of 2 errors and 6 skipped, asked for by owner."
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded, run.failed) == ("completed", 12, 0)
    assert outputs(run) == [str(number) for number in range(1, 13)]
    assert recount(run) == {"results": 12, "scores": 12, "double": 0}
    assert not Shard.objects.filter(run=run).exclude(state=ShardState.DONE).exists()


@with_workers
def test_a_retry_that_was_cancelled_can_be_retried(
    start: StartRun, owner: User, fails: set[Any]
) -> None:
    fails |= {"b", "c"}
    run = start(list("abcd"), "python:picky", retries=0)
    work(run.pk)
    run.refresh_from_db()
    retry_run(run=run, by=owner)
    assert planning.claim_next(run.pk, "doomed") is not None
    Shard.objects.filter(run=run).update(lease_until=None)
    assert cancel_run(run=run, by=owner).status == "cancelled"
    fails.clear()
    retry_run(run=run, by=owner)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded, run.failed) == ("completed", 4, 0)
    assert recount(run) == {"results": 4, "scores": 4, "double": 0}


@with_workers
def test_a_run_cancelled_before_its_start_begins_with_a_retry(start: StartRun, owner: User) -> None:
    run = cancel_run(run=start(["a", "b"]), by=owner)
    retry_run(run=run, by=owner)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded, run.reason) == ("completed", 2, "")


def test_there_must_be_something_to_retry_and_nothing_else_going_on(
    sums: Dataset, owner: User
) -> None:
    fine = make_finished_run(sums, owner, ["a", "b", "c"], {"exact": [1, 1, 1]})
    bad = make_finished_run(sums, owner, ["a", ValueError("no")], {"exact": [1, None]})
    with pytest.raises(Conflict, match="has no errors and skipped nothing"):
        retry_run(run=fine, by=owner)
    with pytest.raises(Conflict, match="is running"):
        retry_run(run=make_active_run(sums, owner), by=owner)
    rescore_run(run=bad, scorers=["contains"], by=owner)
    with pytest.raises(Conflict, match="is being scored again"):
        retry_run(run=bad, by=owner)
    delete_run(run=bad, by=owner)
    with pytest.raises(Conflict, match="is being deleted"):
        retry_run(run=bad, by=owner)


# --- delete ---------------------------------------------------------------------------------------
def test_a_deleted_run_is_gone_at_once_and_its_rows_soon(
    project: Project, sums: Dataset, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "BATCH", 2)
    keep = make_finished_run(sums, owner, ["a", "b", "c"], {"exact": [1, 0, 1]})
    run = make_finished_run(sums, owner, ["a", "b", ValueError("no")], {"x": [1, 0, None]})
    rescore_run(run=run, scorers=["contains"], by=owner)
    delete_run(run=run, by=owner)
    with pytest.raises(NotFound):
        queries.find_run(owner, project, run.number)
    assert [one.number for one in queries.runs(owner, project)] == [keep.number]
    delete_run(run=run, by=owner)
    assert AuditEntry.objects.filter(action="run.deleted").count() == 1
    deleting.work(run.pk)
    assert list(Run.objects.all()) == [keep]
    assert not Rescore.objects.exists()
    assert set(RunScorer.objects.values_list("run", flat=True)) == {keep.pk}
    assert (Result.objects.count(), Score.objects.count()) == (3, 3)
    deleting.work(run.pk)  # a message that comes late


def test_deleting_stops_when_the_worker_leaves_and_goes_on_later(
    sums: Dataset, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "BATCH", 2)
    run = make_finished_run(sums, owner, ["a", "b", "c"], {"exact": [1, 0, 1]})
    delete_run(run=run, by=owner)
    woken: list[tuple[Any, ...]] = []
    monkeypatch.setattr(deleting, "wake_now", lambda *args: woken.append(args))
    monkeypatch.setattr(deleting, "BUDGET_SECONDS", 0.0)
    rounds = 0
    while Run.objects.filter(pk=run.pk).exists():
        rounds += 1
        deleting.work(run.pk)
        assert rounds < 20
    assert rounds > 2
    assert set(woken) == {("runs.delete", run.pk)}
    assert not Score.objects.exists()


def test_a_run_that_goes_on_is_not_deleted(sums: Dataset, owner: User) -> None:
    run = make_active_run(sums, owner)
    with pytest.raises(Conflict, match="Cancel it first"):
        delete_run(run=run, by=owner)
    deleting.work(run.pk)
    assert Run.objects.filter(pk=run.pk).exists()


def test_the_sweeper_wakes_what_a_dead_worker_left(
    sums: Dataset, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_finished_run(sums, owner, ["a", "b", "c"], {"exact": [1, 0, 1]})
    job = rescore_run(run=run, scorers=["contains"], by=owner)
    gone = make_finished_run(sums, owner, ["a"], {})
    delete_run(run=gone, by=owner)
    woken: list[tuple[Any, ...]] = []
    monkeypatch.setattr("runs_app.engine.sweeper.wake_now", lambda *args: woken.append(args))
    sweep()
    assert woken == [("runs.rescore", job.pk), ("runs.delete", gone.pk)]
    Rescore.objects.filter(pk=job.pk).claim("somebody")
    woken.clear()
    sweep()
    assert woken == [("runs.delete", gone.pk)]
