"""Stays of a worker on a run, called directly in the test's process, on the real database."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection

from datasets_app import public
from datasets_app.actions import purge_item
from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from runs_app.actions import cancel_run, rescore_run, start_run
from runs_app.engine import calling, planning, recorder, rescoring, writing
from runs_app.engine.stay import work
from runs_app.engine.sweeper import sweep
from runs_app.models import Rescore, Result, Run, Score, Shard, Stay
from tests.runs_app.engine_help import StartRun, recorded, recount, starter, wait_for, worker

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def start(project: Project, owner: User) -> StartRun:
    return starter(project, owner)


def test_a_run_ends_with_one_result_and_one_score_for_each_item(start: StartRun) -> None:
    run = start([f"item {n}" for n in range(450)])
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded, run.failed) == ("completed", 450, 0)
    assert recount(run) == {"results": 450, "scores": 450, "double": 0}
    assert run.summary is not None
    assert run.summary["scores"]["exact_match"]["mean"] == 1.0
    assert not Stay.objects.exists()


def test_each_output_is_the_one_of_its_item(start: StartRun) -> None:
    run = start([{"input": {"n": n}} for n in range(230)], "python:echo-sync")
    work(run.pk)
    by_id = public.revisions_by_id(list(Result.objects.values_list("revision_id", flat=True)))
    for result in Result.objects.filter(run=run):
        assert result.output_json == by_id[result.revision_id].input_json
        assert by_id[result.revision_id].number == result.item_number


def test_recorded_outputs_are_read_from_the_item_and_a_missing_one_is_an_error(
    start: StartRun,
) -> None:
    items = [
        {"input": "a", "expected_output": "A", "metadata": {"gpt": {"answer": "A"}}},
        {"input": "b", "expected_output": "B", "metadata": {"gpt": {"answer": ""}}},
        {"input": "c", "expected_output": "C", "metadata": {}},
    ]
    run = start(items, "recorded:metadata.gpt.answer")
    work(run.pk)
    run.refresh_from_db()
    outputs = list(
        Result.objects.filter(run=run)
        .order_by("item_number")
        .values_list("output_json", "error_type")
    )
    assert outputs == [('"A"', ""), ('""', ""), (None, "no_recorded_output")]
    assert (run.status, run.succeeded, run.failed) == ("completed", 2, 1)


@pytest.mark.parametrize(
    ("mood", "error", "says"),
    [
        ("raise", "exception", "ValueError: no mood for this"),
        ("exit", "exception", "SystemExit"),
        ("nan", "invalid_output", "not JSON"),
        ("set", "invalid_output", "set"),
        ("bytes", "invalid_output", "bytes"),
        ("surrogate", "invalid_output", "str"),
        ("nul", "invalid_output", "str"),
        ("huge", "output_too_large", "9,000,002 characters"),
    ],
)
def test_what_a_target_does_wrong_is_a_typed_error_of_that_item_alone(
    start: StartRun, mood: str, error: str, says: str
) -> None:
    run = start(["fine", mood, "fine too"], "python:moody", retries=0)
    work(run.pk)
    run.refresh_from_db()
    wrong = Result.objects.get(run=run, item_number=2)
    assert wrong.error_type == error
    assert says in wrong.error_message
    assert (run.status, run.succeeded, run.failed) == ("completed", 2, 1)


def test_a_run_whose_every_result_is_an_error_has_failed(start: StartRun) -> None:
    run = start(["raise", "raise"], "python:moody", retries=0)
    work(run.pk)
    run.refresh_from_db()
    assert run.status == "failed"
    assert run.reason == "Every one of the 2 results is an error."


def test_a_timeout_is_retried_with_a_clock_of_its_own(start: StartRun) -> None:
    run = start(["x"], "python:stall", timeout_s=0.05, retries=1)
    work(run.pk)
    result = Result.objects.get(run=run)
    assert (result.error_type, result.retries) == ("timeout", 1)
    assert 40 < result.latency_ms < 1000


def test_a_thread_that_hangs_does_not_keep_the_run_from_ending(start: StartRun) -> None:
    run = start(["hang", *["go"] * 20], "python:hang-sync", timeout_s=0.3, retries=0)
    began = time.monotonic()
    work(run.pk)
    run.refresh_from_db()
    assert time.monotonic() - began < 10
    assert (run.status, run.succeeded, run.failed) == ("completed", 20, 1)


def test_an_item_without_expected_output_is_not_scored(start: StartRun) -> None:
    run = start([{"input": "x"}, {"input": "y", "expected_output": None}])
    work(run.pk)
    states = list(Score.objects.order_by("item_number").values_list("state", "value"))
    assert states == [("not_scored", None), ("scored", 0.0)]


def test_a_missing_plug_in_fails_the_run_with_the_reason(start: StartRun) -> None:
    run = start(["x"])
    Run.objects.filter(pk=run.pk).update(
        target={**run.target, "id": "gone", "config": {"id": "gone"}}
    )
    work(run.pk)
    run.refresh_from_db()
    assert run.status == "failed"
    assert "gone is not registered" in run.reason


def test_cancelling_a_run_without_a_worker_ends_it_at_once(start: StartRun, owner: User) -> None:
    run = start(["x", "y"])
    cancel_run(run=run, by=owner)
    assert run.status == "cancelled"
    work(run.pk)
    assert recount(run)["results"] == 0


def test_cancelling_stops_calls_that_never_return_within_three_seconds(
    start: StartRun, owner: User
) -> None:
    run = start(["x"] * 20, "python:stall")
    thread = worker(run)
    wait_for(lambda: Stay.objects.filter(run=run).exists())
    began = time.monotonic()
    cancel_run(run=run, by=owner)
    thread.join(10)
    assert time.monotonic() - began < 3
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert not Shard.objects.filter(state="open").exists()


def test_two_workers_share_a_run_and_its_seats(start: StartRun) -> None:
    run = start([f"{n}" for n in range(900)], "python:slow-echo", concurrency=8)
    workers = [worker(run) for _ in range(2)]
    most = 0
    while any(thread.is_alive() for thread in workers):
        most = max(most, sum(Stay.objects.live().values_list("seats", flat=True)))
        time.sleep(0.02)
    run.refresh_from_db()
    assert run.status == "completed"
    assert recount(run) == {"results": 900, "scores": 900, "double": 0}
    assert 0 < most <= 8
    assert Shard.objects.values("lease_owner").distinct().count() >= 1


def test_two_claimants_of_one_shard_get_one_token(start: StartRun) -> None:
    run = start(["x"] * 10)
    Run.objects.filter(pk=run.pk).update(status="running")
    barrier = threading.Barrier(2)
    claims: list[object] = []

    def claim(name: str) -> None:
        barrier.wait()
        claims.append(planning.claim_next(run.pk, name))
        connection.close()

    threads = [threading.Thread(target=claim, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [claim is not None for claim in claims].count(True) == 1


def test_a_worker_whose_lease_went_to_another_writes_nothing(start: StartRun) -> None:
    run = start(["x"] * 10)
    Run.objects.filter(pk=run.pk).update(status="running")
    claim = planning.claim_next(run.pk, "frozen")
    assert claim is not None
    Shard.objects.update(lease_token=claim.shard.lease_token + 1)
    assert writing.flush([recorded(claim)], []) == [claim]
    assert recount(run)["results"] == 0


def test_a_flush_repeated_after_a_lost_answer_changes_nothing(start: StartRun) -> None:
    run = start(["x"] * 10)
    Run.objects.filter(pk=run.pk).update(status="running")
    claim = planning.claim_next(run.pk, "worker")
    assert claim is not None
    rows = [recorded(claim, place) for place in range(6)]
    writing.flush(rows, [])
    writing.flush(rows, [])
    shard = Shard.objects.get()
    assert (shard.succeeded, shard.failed, shard.state) == (6, 0, "open")


def _late_flush(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """Make the first flush of rows arrive half a second late, after its shard has been handed in.

    That is what happened in the prototype when a flush was cancelled while its write ran in a
    thread.
    """
    real = writing.flush
    late: list[threading.Thread] = []

    def write(rows: Any) -> None:
        time.sleep(0.5)
        try:
            real(rows, [])
        finally:
            connection.close()

    def flush(rows: Any, finishing: Any) -> Any:
        if rows and not late:
            late.append(threading.Thread(target=write, args=(rows,)))
            late[0].start()
            rows = []
        return real(rows, finishing)

    monkeypatch.setattr(recorder, "flush", flush)
    return late


def test_a_slow_flush_while_its_shard_finishes_loses_nothing(
    start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start([f"{n}" for n in range(450)])
    late = _late_flush(monkeypatch)
    work(run.pk)
    late[0].join()
    run.refresh_from_db()
    assert run.status == "running", "rows were on their way when the last shard was handed in"
    Shard.objects.filter(state="open").update(lease_until=None)
    work(run.pk)
    run.refresh_from_db()
    assert run.status == "completed"
    assert recount(run) == {"results": 450, "scores": 450, "double": 0}


def test_without_the_counting_rule_that_slow_flush_would_lose_its_rows(
    start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the test above can fail: the rule is what holds it."""
    run = start([f"{n}" for n in range(450)])
    late = _late_flush(monkeypatch)
    monkeypatch.setattr("runs_app.states.all_there", lambda counted, planned: True)
    work(run.pk)
    late[0].join()
    run.refresh_from_db()
    assert run.status == "completed"
    assert recount(run)["results"] < 450


def test_the_sweeper_finishes_a_run_whose_last_worker_died_before_closing_it(
    start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(["x"] * 5)
    monkeypatch.setattr("runs_app.engine.stay.finish_if_done", lambda run_id: False)
    work(run.pk)
    run.refresh_from_db()
    assert run.status == "running"
    assert sweep() == 1
    run.refresh_from_db()
    assert (run.status, run.succeeded) == ("completed", 5)


def test_an_item_that_kills_its_worker_again_and_again_becomes_an_error(start: StartRun) -> None:
    run = start(["x", "y", "z"])
    Run.objects.filter(pk=run.pk).update(status="running")
    for _ in range(planning.STRIKES_BEFORE_CARE + planning.DEATHS_ALONE):
        claim = planning.claim_next(run.pk, "doomed")  # a worker that dies without a result
        assert claim is not None
        planning.begin(claim, 1)
        Shard.objects.update(lease_until=None)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded, run.failed) == ("completed", 2, 1)
    lost = Result.objects.get(run=run, item_number=1)
    assert lost.error_type == "worker_lost"


def test_an_item_that_was_purged_is_an_error_and_is_not_called(
    start: StartRun, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = start([f"item {n}" for n in range(1, 6)])
    work(first.pk)
    dataset = Dataset.objects.get(pk=first.dataset_id)
    for number in (2, 5):
        purge_item(dataset=dataset, number=number, by=owner)
    called: list[object] = []
    call = calling.Calling.one

    async def noted(self: Any, claim: Any, item: Any, repetition: int) -> Any:
        called.append(item.number)
        return await call(self, claim, item, repetition)

    monkeypatch.setattr(calling.Calling, "one", noted)
    run = start_run(
        project=dataset.project,
        dataset=public.find_dataset(owner, dataset.project, dataset.slug),
        target="python:echo",
        scorers=["exact_match"],
        repetitions=2,
        by=owner,
    )
    work(run.pk)
    run.refresh_from_db()
    assert sorted(called) == [1, 1, 3, 3, 4, 4]
    assert (run.status, run.succeeded, run.failed) == ("completed", 6, 4)
    errors = Result.objects.filter(run=run).exclude(error_type="").order_by("item_number")
    assert [(one.item_number, one.error_type, one.error_message) for one in errors] == [
        (number, "purged", "This item was purged.") for number in (2, 2, 5, 5)
    ]
    rescore_run(run=first, scorers=["exact_match"], by=owner, mode="replace")
    rescoring.work(Rescore.objects.get(run=first).pk)
    scores = Score.objects.filter(run_scorer__run=first).order_by("item_number")
    assert [(one.state, one.reason) for one in scores if one.item_number in (2, 5)] == [
        ("not_scored", "This item was purged.")
    ] * 2
    assert [one.value for one in scores if one.item_number == 3] == [1.0]
