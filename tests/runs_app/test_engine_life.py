"""Repetitions, selections, context, pause, retry and what stops a run early, through the engine."""

from __future__ import annotations

import json

import pytest
from django.db.models import Max

from evalhub.access.models import Project, User
from runs_app.engine import planning, throttling, writing
from runs_app.engine.stay import work
from runs_app.engine.sweeper import sweep
from runs_app.models import Result, Run, RunEvent, Score, Shard
from tests import troubled_targets
from tests.runs_app.engine_help import StartRun, recorded, recount, starter, wait_for, worker

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def start(project: Project, owner: User) -> StartRun:
    troubled_targets.seen.clear()
    return starter(project, owner)


def keyed(count: int, times: int) -> list[dict[str, object]]:
    """Items for the troubled targets: each fails `times` times before it answers."""
    return [{"input": {"key": n, "times": times}} for n in range(count)]


def test_every_repetition_of_every_item_has_its_own_result_and_scores(start: StartRun) -> None:
    run = start(["a", "b", "c"], repetitions=4)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.total_items, run.total_results) == ("completed", 3, 12)
    assert recount(run) == {"results": 12, "scores": 12, "double": 0}
    found = Result.objects.filter(run=run).values_list("item_number", "repetition")
    assert sorted(found) == [(n, r) for n in (1, 2, 3) for r in range(4)]


def test_shards_stay_small_with_many_repetitions(start: StartRun) -> None:
    run = start([str(n) for n in range(30)], repetitions=50)
    work(run.pk)
    assert set(Shard.objects.filter(run=run).values_list("size", flat=True)) <= {200, 100}
    assert recount(run)["results"] == 1500


@pytest.mark.parametrize(
    ("selection", "numbers"),
    [
        ({"split": "test"}, [2, 4, 6, 8, 10]),
        ({"split": "test", "limit": 2}, [2, 4]),
        ({"limit": 3}, [1, 2, 3]),
    ],
)
def test_a_selection_runs_its_items_alone(
    start: StartRun, selection: dict[str, object], numbers: list[int]
) -> None:
    items = [{"input": n, "split": "" if n % 2 else "test"} for n in range(1, 11)]
    run = start(items, selection=selection, scorers=[])
    work(run.pk)
    run.refresh_from_db()
    assert run.status == "completed"
    done = Result.objects.filter(run=run).values_list("item_number", flat=True)
    assert sorted(done) == numbers
    assert run.total_results == len(numbers)


def test_a_sample_runs_the_items_that_its_seed_names_across_shards(start: StartRun) -> None:
    run = start([str(n) for n in range(900)], selection={"sample": 500, "seed": 7})
    work(run.pk)
    run.refresh_from_db()
    done = list(Result.objects.filter(run=run).values_list("item_number", flat=True))
    assert run.status == "completed"
    assert sorted(done) == run.selected
    assert len(done) == 500


def test_the_context_of_the_run_reaches_the_target_and_the_items_own_wins(start: StartRun) -> None:
    items = [{"input": "a"}, {"input": "b", "context": {"tone": "formal"}}]
    run = start(
        items, target="python:says-context", context={"tone": "warm", "locale": "en"}, scorers=[]
    )
    work(run.pk)
    said = dict(Result.objects.filter(run=run).values_list("item_number", "output_json"))
    assert json.loads(said[1]) == {"tone": "warm", "locale": "en"}
    assert json.loads(said[2]) == {"tone": "formal", "locale": "en"}


def test_a_result_keeps_its_trace_with_tries_and_scorers(start: StartRun) -> None:
    run = start(keyed(1, 1), target="python:throttles", scorers=["contains"])
    work(run.pk)
    result = Result.objects.get(run=run)
    spans = json.loads(result.spans_json or "")
    names = [(span["name"], span["kind"], span.get("error")) for span in spans]
    assert names == [
        ("try 1", "try", "rate_limited"),
        ("try 2", "try", None),
        ("contains", "scorer", None),
    ]
    assert len(result.trace_id) == 32


def test_429s_take_seats_away_once_per_burst_and_the_page_can_tell_why(start: StartRun) -> None:
    run = start(keyed(60, 1), target="python:throttles", concurrency=20, scorers=[])
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.failed) == ("completed", 0)
    events = list(RunEvent.objects.filter(run=run, kind="seats"))
    assert 1 <= len(events) <= 4, [event.message for event in events]
    assert events[0].seats == 16
    assert "rate_limited and asks to wait 0.05 s: from 20 to 16" in events[0].message


def test_a_429_among_many_answers_costs_no_seat(start: StartRun) -> None:
    items = [{"input": {"key": str(n), "times": 1 if n % 40 == 39 else 0}} for n in range(200)]
    run = start(items, target="python:throttles", concurrency=4, scorers=[])
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.failed) == ("completed", 0)
    assert sum(troubled_targets.seen.values()) == 205, "five were asked twice"
    assert not RunEvent.objects.filter(run=run, kind="seats").exists()
    assert throttling.limit_of(run) == 4


def test_the_second_429_before_twenty_answers_is_not_forgiven() -> None:
    forgiving = throttling.Forgiving()
    assert not forgiving.forgive(), "the first calls of all"
    for _ in range(throttling.RARE):
        forgiving.answered()
    assert forgiving.forgive()
    assert not forgiving.forgive()


def test_seats_come_back_a_tenth_at_a_time_while_nothing_is_refused(
    start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(["x"], concurrency=20)
    assert throttling.shrink(run.pk, "429") == 16
    assert throttling.shrink(run.pk, "429") == 16, "the same burst"
    monkeypatch.setattr(throttling, "BURST_SECONDS", 0.0)
    assert throttling.shrink(run.pk, "429") == 12
    monkeypatch.setattr(throttling, "GROW_SECONDS", 0.0)

    def grown(*, troubled: bool = False) -> int:
        run.refresh_from_db()
        throttling.grow(run, troubled=troubled)
        run.refresh_from_db()
        return throttling.limit_of(run)

    assert grown(troubled=True) == 12, "server errors pause the growth"
    assert [grown() for _ in range(5)] == [14, 16, 18, 20, 20]
    assert run.seat_limit is None


def test_one_seat_is_always_left(start: StartRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "BURST_SECONDS", 0.0)
    run = start(["x"], concurrency=3)
    assert [throttling.shrink(run.pk, "429") for _ in range(4)] == [2, 1, 1, 1]


def test_a_paused_run_finishes_what_is_in_flight_and_begins_nothing(start: StartRun) -> None:
    run = start([str(n) for n in range(300)], target="python:slow-echo", concurrency=4)
    thread = worker(run)
    wait_for(lambda: Result.objects.filter(run=run).exists())
    Run.objects.filter(pk=run.pk).update(paused_at="2026-01-01T00:00Z")
    thread.join(timeout=5)
    assert not thread.is_alive(), "the worker has left"
    paused_at = recount(run)["results"]
    assert 0 < paused_at < 300
    sweep()
    work(run.pk)
    assert recount(run)["results"] == paused_at
    Run.objects.filter(pk=run.pk).update(paused_at=None)
    work(run.pk)
    run.refresh_from_db()
    assert run.status == "completed"
    assert recount(run) == {"results": 300, "scores": 300, "double": 0}


def reopen(run: Run) -> None:
    """What the retry action does."""
    newest = Result.objects.filter(run=run).aggregate(newest=Max("pk"))["newest"]
    for shard in Shard.objects.filter(run=run, state="done"):
        Shard.objects.filter(pk=shard.pk).update(size=shard.size - shard.failed, failed=0)
    Run.objects.filter(pk=run.pk).update(
        status="running",
        finished_at=None,
        retry_up_to=newest,
        retry_after=0,
        score_revision=run.score_revision + 1,
    )
    run.refresh_from_db()


def test_a_retry_replaces_errors_alone_and_leaves_every_other_result_as_it_was(
    start: StartRun,
) -> None:
    items = [{"input": {"key": n, "times": n % 2}} for n in range(300)]
    run = start(items, target="python:fails-at-first", scorers=["contains"], repetitions=2)
    # One count per key, so of an odd item's two repetitions one fails.
    work(run.pk)
    run.refresh_from_db()
    assert (run.succeeded, run.failed) == (450, 150)
    before = dict(Result.objects.filter(run=run, error_type="").values_list("pk", "completed_at"))
    reopen(run)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded, run.failed) == ("completed", 600, 0)
    assert recount(run) == {"results": 600, "scores": 600, "double": 0}
    after = dict(Result.objects.filter(run=run).values_list("pk", "completed_at"))
    assert {pk: after[pk] for pk in before} == before
    assert run.retry_up_to is None


def test_an_error_stays_until_its_new_result_is_there(start: StartRun) -> None:
    run = start(keyed(3, 1), target="python:fails-at-first", scorers=[])
    work(run.pk)
    run.refresh_from_db()
    reopen(run)
    claim = planning.claim_next(run.pk, "dies")
    assert claim is not None
    assert Result.objects.filter(run=run).exclude(error_type="").count() == 3
    writing.flush([recorded(claim)], [])
    errors = Result.objects.filter(run=run).exclude(error_type="")
    assert (errors.count(), Result.objects.filter(run=run).count()) == (2, 3)
    Shard.objects.filter(pk=claim.shard.pk).update(lease_until=None)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.succeeded, run.failed) == ("completed", 3, 0)


def test_what_fails_again_in_a_retry_is_an_error_again_and_can_be_retried_again(
    start: StartRun,
) -> None:
    run = start(keyed(5, 2), target="python:fails-at-first", scorers=[])
    work(run.pk)
    for succeeded in (0, 5):
        run.refresh_from_db()
        reopen(run)
        work(run.pk)
        run.refresh_from_db()
        assert run.succeeded == succeeded
    assert recount(run)["results"] == 5


def test_an_error_policy_by_count_fails_the_run_with_its_reason(start: StartRun) -> None:
    run = start(keyed(600, 99), target="python:fails-at-first", stop_after_errors=10, concurrency=4)
    work(run.pk)
    run.refresh_from_db()
    assert run.status == "failed"
    assert "errors, and it stops at 10." in run.reason
    assert 10 <= run.failed < 600
    assert run.failed == recount(run)["results"]


def test_an_error_policy_by_share_waits_for_twenty_results(start: StartRun) -> None:
    items = [{"input": {"key": n, "times": 0 if n % 4 else 9}} for n in range(40)]
    run = start(items, target="python:fails-at-first", stop_error_share=0.3, scorers=[])
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.failed) == ("completed", 10), "a quarter is below the share"


def test_scores_of_replaced_errors_are_not_there_twice(start: StartRun) -> None:
    run = start(keyed(4, 1), target="python:fails-at-first", scorers=["contains", "exact_match"])
    work(run.pk)
    run.refresh_from_db()
    reopen(run)
    work(run.pk)
    assert Score.objects.filter(run_scorer__run=run).count() == 8
