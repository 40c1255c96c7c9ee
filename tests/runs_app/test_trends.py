"""The figures of a dataset's runs over time: which there are, what narrows them, where they lead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app.actions import add_items
from datasets_app.items import parse_item
from datasets_app.models import Dataset
from evalhub.access.models import User
from runs_app import trends
from runs_app.models import Run
from tests.factories import make_finished_run

pytestmark = [pytest.mark.db, pytest.mark.django_db]

ClientFor = Callable[..., Client]


def run_of(dataset: Dataset, by: User, answer: list[float], **columns: Any) -> Run:
    scores = {"answer": answer, "level": [value * 0.5 for value in answer]}
    latencies = [100.0, 200.0, 300.0]
    run = make_finished_run(dataset, by, ["2"] * 3, scores, latencies=latencies)
    for name, value in columns.items():
        setattr(run, name, value)
    run.save()
    return run


def page(dataset: Dataset) -> str:
    return reverse("runs:of_dataset", args=[dataset.project.slug, dataset.slug])


def chart(runs: list[Run], key: str) -> trends.Trend:
    series = {each.key: each for each in trends.series_of(runs)}
    found = trends.trend(runs, series[key])
    assert found is not None
    return found


def test_each_scorer_has_a_series_and_so_have_latency_and_cost(
    dataset: Dataset, owner: User
) -> None:
    runs = [run_of(dataset, owner, [1, 0, 0]), run_of(dataset, owner, [1, 1, 0])][::-1]
    keys = [each.key for each in trends.series_of(runs)]
    assert keys == ["scorer:answer", "scorer:level", "p50", "p95"]
    answer, level = chart(runs, "scorer:answer"), chart(runs, "scorer:level")
    assert answer.unit == "share"
    assert [round(point.value, 3) for point in answer.points] == [0.333, 0.667]
    low, high = answer.points[0].low, answer.points[0].high
    assert low is not None
    assert high is not None
    assert low < 1 / 3 < high
    assert level.unit == "number"
    latency = chart(runs, "p50")
    assert (latency.unit, latency.points[0].value, latency.points[0].low) == ("ms", 200.0, None)
    for run in runs:
        assert run.summary is not None
        run.summary["cost_usd"] = 0.25
    assert chart(runs, "cost").label == "Cost: $0.25 in the first of 2 runs, $0.25 in the last"


def test_another_version_of_the_dataset_is_marked(dataset: Dataset, owner: User) -> None:
    first = run_of(dataset, owner, [1, 0, 0])
    add_items(dataset=dataset, contents=[parse_item({"input": "4th"})], by=owner)
    dataset.refresh_from_db()
    second, third = run_of(dataset, owner, [1, 0, 0]), run_of(dataset, owner, [1, 1, 0])
    found = chart([third, second, first], "scorer:answer")
    assert [point.new_version for point in found.points] == [False, True, False]


def test_a_run_without_the_figure_is_passed_over(dataset: Dataset, owner: User) -> None:
    runs = [run_of(dataset, owner, [1, 0, 0]), run_of(dataset, owner, [1, 1, 0])]
    bare = make_finished_run(dataset, owner, ["x"] * 3, {})
    found = chart([*runs[::-1], bare], "scorer:answer")
    assert len(found.points) == 2
    series = trends.series_of([bare, runs[0]])
    assert trends.trend([bare, runs[0]], series[0]) is None


def test_the_page_shows_one_figure_and_links_to_the_others_and_to_each_run(
    dataset: Dataset, owner: User, viewer: User, client_for: ClientFor
) -> None:
    runs = [run_of(dataset, owner, [1, 0, 0]), run_of(dataset, owner, [1, 1, 0])]
    client = client_for(viewer)
    answer = client.get(page(dataset), {"show": "p95", "status": "completed"})
    html = answer.content.decode()
    assert answer.context["trend"].series.label == "Latency p95"
    assert f'href="{page(dataset)}?status=completed&amp;show=scorer%3Alevel"' in html
    for run in runs:
        address = reverse("runs:detail", args=[dataset.project.slug, run.number])
        assert f'<a href="{address}" aria-label="Run {run.number}, ' in html
    unknown = client.get(page(dataset), {"show": "scorer:nosuch"})
    assert unknown.context["trend"].series.label == "answer"


def test_target_and_tag_narrow_the_chart_the_list_and_its_counts(
    dataset: Dataset, owner: User, viewer: User, client_for: ClientFor
) -> None:
    mine = [
        run_of(dataset, owner, [1, 0, 0], target_ref="other", tags=["Größe", "x"]),
        run_of(dataset, owner, [1, 1, 0], target_ref="other", tags=["Größe"]),
    ]
    run_of(dataset, owner, [0, 0, 0], tags=["Größer"])
    client = client_for(viewer)
    for narrow in ({"target": "other"}, {"tag": "Größe"}, {"target": "other", "tag": "Größe"}):
        context = client.get(page(dataset), narrow).context
        assert [row.run.number for row in context["rows"]] == [run.number for run in mine[::-1]]
        assert len(context["trend"].points) == 2
        assert context["filters"][0].count == 2
    assert client.get(page(dataset), {"tag": "nosuch"}).context["rows"] == []
    html = client.get(page(dataset), {"tag": "x", "q": "Run"}).content.decode()
    assert "<option selected>x</option>" in html
    assert "Fewer than two completed runs have this figure." in html


def test_the_page_takes_as_many_queries_for_many_runs(
    dataset: Dataset,
    owner: User,
    viewer: User,
    client_for: ClientFor,
    django_assert_max_num_queries: Any,
) -> None:
    client = client_for(viewer)
    for _ in range(12):
        run_of(dataset, owner, [1, 0, 0], tags=["x"])
    with django_assert_max_num_queries(25):
        client.get(page(dataset), {"tag": "x", "target": "python:echo"})
