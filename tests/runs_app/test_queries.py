"""Finding runs, their progress and their stored summary."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from evalhub.access.models import Project, User
from evalhub.kit.errors import NotFound
from runs_app import queries, states
from runs_app.models import Run, Shard
from runs_app.models.work import ShardState
from tests.factories import make_dataset, make_finished_run, make_project, make_run, questions

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def two_runs(project: Project, owner: User) -> tuple[Run, Run]:
    dataset = make_dataset(project, owner, questions(2))
    first = make_finished_run(dataset, owner, ["a", "b"], {"exact": [1, 0]}, name="Small model")
    second = make_finished_run(dataset, owner, ["a", "b"], {"exact": [1, 1]}, name="Large model")
    return first, second


def add_shard(run: Run, first: int, size: int, **columns: Any) -> Shard:
    return Shard.objects.create(
        run=run,
        items=[],
        first_number=first,
        last_number=first + size - 1,
        size=size,
        **columns,
    )


def test_runs_come_newest_first(owner: User, project: Project, two_runs: tuple[Run, Run]) -> None:
    assert [run.number for run in queries.runs(owner, project)] == [2, 1]


def test_a_stranger_sees_no_runs_and_finds_none(
    stranger: User, project: Project, two_runs: tuple[Run, Run]
) -> None:
    assert list(queries.runs(stranger, project)) == []
    for ref in ("1", str(two_runs[0].uuid)):
        with pytest.raises(NotFound):
            queries.find_run(stranger, project, ref)


def test_a_run_of_another_project_of_the_same_person_is_not_found(
    owner: User, project: Project, two_runs: tuple[Run, Run]
) -> None:
    other = make_project(owner)
    with pytest.raises(NotFound):
        queries.find_run(owner, other, str(two_runs[0].uuid))


@pytest.mark.parametrize("ref", ["2", "#2", 2])
def test_a_run_is_found_by_number(
    owner: User, project: Project, two_runs: tuple[Run, Run], ref: str | int
) -> None:
    assert queries.find_run(owner, project, ref) == two_runs[1]


def test_a_run_is_found_by_uuid(owner: User, project: Project, two_runs: tuple[Run, Run]) -> None:
    assert queries.find_run(owner, project, str(two_runs[0].uuid)) == two_runs[0]


@pytest.mark.parametrize("ref", ["", "0", "99999999999999999999", "²", "latest", "#"])
def test_a_reference_that_names_no_run_is_not_found(
    owner: User, project: Project, two_runs: tuple[Run, Run], ref: str
) -> None:
    with pytest.raises(NotFound):
        queries.find_run(owner, project, ref)


def test_runs_are_searched_by_name_target_and_number(
    owner: User, project: Project, two_runs: tuple[Run, Run]
) -> None:
    def numbers(q: str) -> list[int]:
        return [run.number for run in queries.runs(owner, project, q=q)]

    assert numbers("small") == [1]
    assert numbers("echo") == [2, 1]
    assert numbers("#2") == [2]
    assert numbers("medium") == []


def test_runs_are_filtered_by_dataset_and_status(
    owner: User, project: Project, two_runs: tuple[Run, Run]
) -> None:
    other = make_dataset(project, owner, questions(1))
    waiting = make_run(other, owner, 1, status=states.PENDING)
    assert list(queries.runs(owner, project, dataset_id=other.pk)) == [waiting]
    assert list(queries.runs(owner, project, status="active")) == [waiting]
    assert list(queries.runs(owner, project, status="completed")) == [two_runs[1], two_runs[0]]
    assert list(queries.runs(owner, project, status="bogus")) == []


def test_listing_runs_takes_the_same_queries_for_two_and_for_many(
    owner: User, project: Project, two_runs: tuple[Run, Run], django_assert_num_queries: Any
) -> None:
    def read() -> list[str]:
        return [
            f"{run.created_by} {[scorer.name for scorer in run.scorers.all()]}"
            for run in queries.runs(owner, project)
        ]

    with django_assert_num_queries(2):
        assert len(read()) == 2
    dataset = make_dataset(project, owner, questions(1))
    for _ in range(10):
        make_finished_run(dataset, owner, ["a"], {"exact": [1]})
    with django_assert_num_queries(2):
        assert len(read()) == 12


def test_progress_of_an_active_run_is_summed_over_its_shards_in_one_query(
    owner: User, project: Project, django_assert_num_queries: Any
) -> None:
    dataset = make_dataset(project, owner, questions(3))
    run = make_run(dataset, owner, 100, status=states.RUNNING)
    run.started_at = timezone.now() - timedelta(seconds=10)
    add_shard(run, 1, 30, succeeded=28, failed=2, state=ShardState.DONE)
    add_shard(run, 31, 30, succeeded=9, failed=1)
    with django_assert_num_queries(1):
        now = queries.progress(run)
    assert (now.total, now.done, now.succeeded, now.failed) == (100, 40, 37, 3)
    assert (now.share, now.shards_open) == (0.4, 1)
    assert now.elapsed_s == pytest.approx(10, abs=2)
    assert now.rate == pytest.approx(4, rel=0.2)
    assert now.eta_s == pytest.approx(15, rel=0.2)


def test_a_run_that_has_not_begun_has_no_rate_and_no_eta(owner: User, project: Project) -> None:
    run = make_run(make_dataset(project, owner, questions(1)), owner, 1, status=states.PENDING)
    run.started_at = None
    now = queries.progress(run)
    assert (now.done, now.share) == (0, 0.0)
    assert (now.rate, now.eta_s, now.elapsed_s) == (None, None, None)


def test_a_start_in_the_future_of_this_clock_gives_no_negative_time(
    owner: User, project: Project
) -> None:
    run = make_run(make_dataset(project, owner, questions(1)), owner, 9, status=states.RUNNING)
    run.started_at = timezone.now() + timedelta(seconds=5)
    add_shard(run, 1, 9, succeeded=3)
    now = queries.progress(run)
    assert (now.elapsed_s, now.rate, now.eta_s) == (0.0, None, None)


def test_progress_of_a_finished_run_asks_the_database_nothing(
    two_runs: tuple[Run, Run], django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        now = queries.progress(two_runs[0])
    assert (now.done, now.share, now.eta_s, now.shards_open) == (2, 1.0, None, 0)
    assert now.rate == pytest.approx(0.2)


def test_the_stored_summary_is_read_and_keeps_its_orders(owner: User, project: Project) -> None:
    dataset = make_dataset(project, owner, questions(1))
    run = make_finished_run(dataset, owner, ["a"], {"zeta": [1], "alpha": [0]})
    stored = run.summary
    assert stored is not None
    stored["scores"] = dict(sorted(stored["scores"].items()))
    stored["errors"] = {"a": 1, "b": 4, "c": 4}
    stored["failed"] = 17  # so that a computed one would be told apart
    found = queries.summary(run)
    assert list(found["scores"]) == ["zeta", "alpha"]
    assert list(found["errors"]) == ["b", "c", "a"]
    assert found["failed"] == 17


def test_the_summary_of_an_active_run_is_computed_from_what_is_there(
    owner: User, project: Project
) -> None:
    dataset = make_dataset(project, owner, questions(3))
    run = make_finished_run(dataset, owner, ["a", "b"], {"exact": [1, 0]}, status=states.RUNNING)
    run.total_results = 3
    found = queries.summary(run)
    assert run.summary is None
    assert (found["succeeded"], found["skipped"]) == (2, 0)
    assert found["scores"]["exact"]["mean"] == 0.5
