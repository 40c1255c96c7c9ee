"""Scoring a run again: what it shows before and after, and that a worker may die at any moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from django.db import transaction

from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from evalhub.kit.errors import Conflict, Invalid
from runs_app import queries
from runs_app.actions import delete_run, rescore_run
from runs_app.engine import removing, rescoring
from runs_app.models import Rescore, Result, Run, RunScorer, Score
from runs_app.models.work import RescoreState
from tests.factories import make_active_run, make_dataset, make_finished_run, questions

pytestmark = [pytest.mark.db, pytest.mark.django_db]

RIGHT, WRONG, BROKEN = "answer", "nothing", ValueError("no")


@pytest.fixture
def sums(project: Project, owner: User) -> Dataset:
    return make_dataset(project, owner, questions(6))


@pytest.fixture
def run(sums: Dataset, owner: User) -> Run:
    """Six results: three right, two wrong, one error; scored by "first" and "second"."""
    outputs: list[object] = [f"{RIGHT} 1", f"{RIGHT} 2", WRONG, BROKEN, f"{RIGHT} 5", WRONG]
    scores = {"first": [1, 1, 1, None, 1, 1], "second": [0, 0, 0, None, 0, 0]}
    return make_finished_run(sums, owner, outputs, scores)


def scorers(run: Run) -> list[str]:
    run = Run.objects.get(pk=run.pk)
    return [scorer.name for scorer in run.scorers.all()]


def values(run: Run, name: str) -> list[float | None]:
    found = Score.objects.filter(run_scorer__run=run, run_scorer__name=name)
    return list(found.order_by("item_number", "repetition").values_list("value", flat=True))


def mean(run: Run, name: str) -> float:
    run = Run.objects.get(pk=run.pk)
    figure: float = queries.summary(run)["scores"][name]["mean"]
    return figure


# --- what comes of it -----------------------------------------------------------------------------
def test_nothing_is_shown_until_every_score_is_there(run: Run, owner: User) -> None:
    job = rescore_run(run=run, scorers=["exact_match"], by=owner)
    before = queries.summary(run)
    found = rescoring.Rescore.objects.filter(pk=job.pk).claim("one")
    assert found is not None
    places = rescoring._next_places(found)
    assert [place[0] for place in places] == [1, 2, 3, 5, 6], "an error gets no score"
    new = RunScorer.objects.get(rescore=job)
    bound = [rescoring.bind(new.pk, new.spec)]
    rescoring._write(found, places, rescoring._scores(found, run, bound, places))
    assert new.scores.count() == 5
    assert scorers(run) == ["first", "second"]
    assert queries.summary(Run.objects.get(pk=run.pk)) == before
    under_way = queries.rescoring(run)
    assert under_way == queries.Rescoring(["exact_match"], 5, 5)


def test_another_scorer_is_added_after_those_that_are_there(run: Run, owner: User) -> None:
    job = rescore_run(run=run, scorers=["exact_match"], by=owner)
    rescoring.work(job.pk)
    job.refresh_from_db()
    run.refresh_from_db()
    assert (job.state, job.done, run.score_revision) == (RescoreState.DONE, 5, 1)
    assert scorers(run) == ["first", "second", "exact_match"]
    assert values(run, "exact_match") == [1, 1, 0, 1, 0]
    assert mean(run, "exact_match") == 0.6
    assert queries.summary(run)["failed"] == 1
    assert run.events.get().message == "Scored again with exact_match for owner."
    assert queries.rescoring(run) is None


def test_a_scorer_of_the_same_name_takes_the_place_of_the_old_one(run: Run, owner: User) -> None:
    old = run.scorers.get(name="first")
    given = [{"use": "contains", "name": "new"}, {"use": "exact_match", "name": "first"}]
    job = rescore_run(run=run, scorers=given, by=owner)
    rescoring.work(job.pk)
    assert scorers(run) == ["first", "second", "new"]
    assert values(run, "first") == [1, 1, 0, 1, 0]
    assert mean(run, "first") == 0.6
    assert not RunScorer.objects.filter(pk=old.pk).exists()
    assert not Score.objects.filter(run_scorer=old.pk).exists()


def test_all_scorers_are_replaced_when_that_is_asked_for(run: Run, owner: User) -> None:
    job = rescore_run(run=run, scorers=["contains", "exact_match"], by=owner, mode="replace")
    rescoring.work(job.pk)
    assert scorers(run) == ["contains", "exact_match"]
    assert queries.summary(Run.objects.get(pk=run.pk))["primary"] == "contains"
    assert RunScorer.objects.count() == 2
    assert Score.objects.count() == 10


def test_every_repetition_is_scored(run: Run, owner: User, small: None) -> None:
    first = list(Result.objects.filter(run=run))
    for result in first:
        for repetition in (1, 2):
            result.pk, result.repetition = None, repetition
            result.save(force_insert=True)
    Run.objects.filter(pk=run.pk).update(repetitions=3, total_results=18)
    job = rescore_run(run=run, scorers=["exact_match"], by=owner)
    rescoring.work(job.pk)
    assert values(run, "exact_match") == [1] * 6 + [0] * 3 + [1] * 3 + [0] * 3
    assert Rescore.objects.get().done == 15


def test_a_scorer_that_fails_is_a_score_in_error(
    run: Run, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    Result.objects.filter(run=run, item_number=2).update(output_json='"' + "(" * 30 + '"')
    job = rescore_run(run=run, scorers=["numeric_match"], by=owner)
    rescoring.work(job.pk)
    states = set(Score.objects.filter(run_scorer__name="numeric_match").values_list("state"))
    assert states <= {("scored",), ("not_scored",), ("error",)}
    assert Score.objects.filter(run_scorer__name="numeric_match").count() == 5


# --- dying ----------------------------------------------------------------------------------------
class Killed(BaseException):
    """Stands for kill -9: nothing of ours runs after it."""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescoring, "BATCH", 4)
    monkeypatch.setattr(rescoring, "SLICE_CHARS", 15)
    monkeypatch.setattr(removing, "BATCH", 2)


@contextmanager
def killed_at(n: int, *, after: bool) -> Iterator[None]:
    """Within it, the n-th transaction that our code opens is the last: before or after its commit."""
    real, opened = transaction.atomic, count(1)

    class Atomic:
        def __enter__(self) -> None:
            self.number, self.inner = next(opened), real()
            self.inner.__enter__()

        def __exit__(self, *error: Any) -> None:
            last = self.number == n and error[0] is None
            if last and not after:
                error = (Killed, Killed(), None)
            self.inner.__exit__(*error)
            if last:
                raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transaction, "atomic", Atomic)
        with pytest.raises(Killed):
            yield


CLAIM, FIRST_BATCH, LAST_BATCH, PUBLISH, FIRST_REMOVAL, LAST_REMOVAL = 1, 2, 6, 7, 8, 10


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "n", [CLAIM, FIRST_BATCH, 3, LAST_BATCH, PUBLISH, FIRST_REMOVAL, LAST_REMOVAL]
)
def test_a_worker_that_dies_anywhere_leaves_the_rest_to_the_next(
    run: Run, owner: User, small: None, monkeypatch: pytest.MonkeyPatch, n: int, after: bool
) -> None:
    monkeypatch.setattr(rescoring, "BATCH", 2)
    job = rescore_run(run=run, scorers=[{"use": "exact_match", "name": "first"}], by=owner)
    with killed_at(n, after=after):
        rescoring.work(job.pk)
    assert scorers(run) == ["first", "second"]
    published = n > PUBLISH or (n == PUBLISH and after)
    assert values(run, "first") == ([1, 1, 0, 1, 0] if published else [1] * 5)
    Rescore.objects.filter(pk=job.pk).update(lease_until=None)
    rescoring.work(job.pk)
    assert values(run, "first") == [1, 1, 0, 1, 0]
    assert mean(run, "first") == 0.6
    assert RunScorer.objects.count() == 2
    assert Score.objects.count() == 10
    assert run.events.count() == 1
    assert Rescore.objects.get().done == 5


def test_a_worker_whose_lease_was_taken_writes_nothing_more(
    run: Run, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = rescore_run(run=run, scorers=["exact_match"], by=owner)
    real = rescoring._scores

    def overtaken(*args: Any) -> Any:
        rows = real(*args)
        Rescore.objects.filter(pk=job.pk).update(lease_until=None)
        assert Rescore.objects.filter(pk=job.pk).claim("another") is not None
        return rows

    monkeypatch.setattr(rescoring, "_scores", overtaken)
    rescoring.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.lease_owner) == (RescoreState.OPEN, 0, "another")
    assert not Score.objects.filter(run_scorer__rescore=job).exists()


def test_a_worker_that_must_leave_wakes_another(
    run: Run, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = rescore_run(run=run, scorers=["exact_match"], by=owner)
    woken: list[tuple[Any, ...]] = []
    monkeypatch.setattr(rescoring, "wake_now", lambda *args: woken.append(args))
    monkeypatch.setattr(rescoring, "BUDGET_SECONDS", 0.0)
    rescoring.work(job.pk)
    assert woken == [("runs.rescore", job.pk)]
    assert Rescore.objects.claimable().count() == 1


def test_a_rescore_that_kills_its_workers_is_given_up_and_the_run_keeps_its_scores(
    run: Run, owner: User
) -> None:
    given = [{"use": "exact_match", "name": "first"}, "contains"]
    job = rescore_run(run=run, scorers=given, by=owner)
    for _ in range(rescoring.MAX_ATTEMPTS):
        assert Rescore.objects.filter(pk=job.pk).claim("doomed") is not None
        Rescore.objects.filter(pk=job.pk).update(lease_until=None)
    rescoring.work(job.pk)
    job.refresh_from_db()
    assert job.state == RescoreState.CANCELLED
    assert scorers(run) == ["first", "second"]
    assert values(run, "first") == [1, 1, 1, 1, 1]
    assert RunScorer.objects.count() == 2
    assert run.events.get().message.startswith("The rescore was given up: the worker stopped")
    rescore_run(run=run, scorers=["contains"], by=owner)


# --- refusals -------------------------------------------------------------------------------------
def test_what_cannot_be_rescored_is_refused(sums: Dataset, run: Run, owner: User) -> None:
    with pytest.raises(Conflict, match="is running"):
        rescore_run(run=make_active_run(sums, owner), scorers=["contains"], by=owner)
    cases: tuple[tuple[list[Any], str, str], ...] = (
        ([], "add", "/scorers"),
        (["nothing"], "add", "/scorers/0/use"),
        (["contains"], "swap", "/mode"),
        ([{"use": "contains", "name": f"c{n}"} for n in range(19)], "add", "/scorers"),
    )
    for given, mode, pointer in cases:
        with pytest.raises(Invalid) as caught:
            rescore_run(run=run, scorers=given, by=owner, mode=mode)  # type: ignore[arg-type]
        assert caught.value.errors[0].pointer == pointer
    assert not Rescore.objects.exists()
    rescore_run(run=run, scorers=["contains"], by=owner)
    with pytest.raises(Conflict, match="is being scored again"):
        rescore_run(run=run, scorers=["contains"], by=owner)


def test_deleting_the_run_ends_its_rescore(run: Run, owner: User) -> None:
    job = rescore_run(run=run, scorers=["contains"], by=owner)
    held = Rescore.objects.filter(pk=job.pk).claim("at work")
    assert held is not None
    delete_run(run=run, by=owner)
    assert not held.extend()
    rescoring.work(job.pk)
    assert not RunScorer.objects.filter(name="contains").exists()
