"""What runs put into the pages of datasets."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from evalhub.kit import slots
from runs_app import states
from tests.factories import make_dataset, make_finished_run, make_run, questions

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def three(project: Project, owner: User) -> Dataset:
    return make_dataset(project, owner, questions(3))


def run_with(dataset: Dataset, by: User, exact: list[float | None], **options: Any) -> None:
    make_finished_run(dataset, by, ["x"] * len(exact), {"exact": exact, "other": exact}, **options)


def test_tabs_count_the_runs_of_every_dataset_in_one_query(
    three: Dataset, project: Project, owner: User, django_assert_num_queries: Any
) -> None:
    never_run = make_dataset(project, owner, questions(1))
    run_with(three, owner, [1, 0, 1])
    make_run(three, owner, 3, status=states.RUNNING)
    with django_assert_num_queries(1):
        found = slots.fill("dataset.tab_counts", [three.pk, never_run.pk])
    assert found == {three.pk: {"runs": 2}, never_run.pk: {"runs": 0}}


def test_the_last_run_is_the_newest_that_is_over(
    three: Dataset, project: Project, owner: User, django_assert_num_queries: Any
) -> None:
    never_run = make_dataset(project, owner, questions(1))
    run_with(three, owner, [0, 0, 0])
    make_finished_run(three, owner, ["x"] * 3, {"length": [0.5, 0.5, 0.2]})
    run_with(three, owner, [1, 0, 0], name="Newest", status=states.CANCELLED)
    make_run(three, owner, 3, status=states.RUNNING)
    with django_assert_num_queries(1):
        found = slots.fill("dataset.last_run", [three.pk, never_run.pk])
    assert list(found) == [three.pk]
    last = found[three.pk]
    assert (last["number"], last["name"], last["status"]) == (3, "Newest", "cancelled")
    assert (last["scorer"], last["kind"], last["mean"]) == ("exact", "binary", 1 / 3)
    assert last["ci95"][0] < 1 / 3 < last["ci95"][1]
    assert last["means"] == [0.0, None, 1 / 3]


def test_the_trend_holds_twelve_runs_of_each_dataset(
    three: Dataset, project: Project, owner: User
) -> None:
    other = make_dataset(project, owner, questions(1))
    run_with(other, owner, [1])
    for _ in range(13):
        run_with(three, owner, [1, 0, 1])
    found = slots.fill("dataset.last_run", [three.pk, other.pk])
    assert [len(found[each.pk]["means"]) for each in (three, other)] == [12, 1]


def test_the_sidebar_counts_the_runs_that_go_on_with_one_query(
    three: Dataset,
    project: Project,
    owner: User,
    viewer: User,
    client_for: Any,
    django_assert_num_queries: Any,
) -> None:
    make_run(three, owner, 3, status=states.RUNNING)
    make_run(three, owner, 3, status=states.PENDING)
    make_run(three, owner, 3)
    with django_assert_num_queries(1):
        assert slots.fill("project.running", [project.pk]) == {project.pk: 2}
    html = client_for(viewer).get(reverse("datasets:list", args=[project.slug])).content.decode()
    assert '<span class="count" id="running-count">2<' in html


def test_the_shape_of_the_last_runs_is_told_in_words(three: Dataset, owner: User) -> None:
    run_with(three, owner, [1, 0, 0])
    run_with(three, owner, [1, 1, 1])
    told = slots.fill("dataset.last_run", [three.pk])[three.pk]["trend"]
    assert told == "exact, run by run whatever the target, oldest first: 33.3%, 100%"


def test_a_last_run_without_scorers_has_no_mean(three: Dataset, owner: User) -> None:
    make_finished_run(three, owner, ["x"] * 3, {})
    last = slots.fill("dataset.last_run", [three.pk])[three.pk]
    assert (last["scorer"], last["mean"], last["means"]) == (None, None, [None])


def test_items_show_their_last_five_results_newest_last(
    three: Dataset, owner: User, django_assert_num_queries: Any
) -> None:
    for exact in ([0, 0, 0], [1, 1, 0], [0, None, 1], [1, 1, 1], [0, 1, None], [1, 0]):
        run_with(three, owner, exact)
    with django_assert_num_queries(3):
        found = slots.fill("item.last_results", [1, 2, 3, 99], dataset_id=three.pk)
    assert found == {1: "pfpfp", 2: "p-ppf", 3: "fpp--"}


def test_an_error_is_no_failed_result(three: Dataset, owner: User) -> None:
    make_finished_run(three, owner, ["x", TimeoutError("slow")], {"exact": [1, None]})
    assert slots.fill("item.last_results", [1, 2], dataset_id=three.pk) == {1: "p"}


def test_a_dataset_that_never_ran_has_no_results(three: Dataset, project: Project) -> None:
    assert slots.fill("item.last_results", [1], dataset_id=three.pk) == {}
    assert slots.fill("item.runs", [1], dataset_id=three.pk, project_slug=project.slug) == {}


def test_an_item_lists_its_newest_runs_with_output_and_verdict(
    three: Dataset, project: Project, owner: User, django_assert_num_queries: Any
) -> None:
    run_with(three, owner, [1, 1, 1])
    make_finished_run(three, owner, ["first", "second"], {"exact": [1, 0]})
    make_finished_run(three, owner, ["one", TimeoutError("slow")], {"exact": [1, None]})
    with django_assert_num_queries(4):
        found = slots.fill("item.runs", [2], dataset_id=three.pk, project_slug=project.slug)
    newest, middle, oldest = found[2]
    assert [row["number"] for row in found[2]] == [3, 2, 1]
    assert (newest["error_type"], newest["output_json"], newest["score"]) == (
        "TimeoutError",
        None,
        None,
    )
    assert (middle["output_json"], middle["score"].passed) == ('"second"', False)
    assert oldest["url"].endswith(f"/p/{project.slug}/runs/1/results/2")


def test_a_dataset_links_to_its_runs_and_to_a_new_one(project: Project) -> None:
    found = slots.fill("dataset.links", ["gsm8k"], project_slug=project.slug)
    assert found["gsm8k"]["runs"].endswith(f"/p/{project.slug}/datasets/gsm8k/runs")
    assert found["gsm8k"]["new_run"].endswith("/runs/new?dataset=gsm8k")
    assert found["gsm8k"]["compare"].endswith("/compare?dataset=gsm8k")
