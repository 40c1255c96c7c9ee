"""Panels of a run's page: the slowest and the worst results, and outputs as classes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from runs_app import classes
from runs_app.classes import class_fields, class_report
from runs_app.models import Run
from runs_app.notable import slowest, worst
from tests.factories import make_dataset, make_finished_run, questions

pytestmark = [pytest.mark.db, pytest.mark.django_db]

ClientFor = Callable[..., Client]

QUEUES = ["billing"] * 4 + ["technical"] * 3 + ["other"]


@pytest.fixture
def tickets(project: Project, owner: User) -> Dataset:
    payloads = [{"input": n, "expected_output": queue} for n, queue in enumerate(QUEUES)]
    return make_dataset(project, owner, payloads)


def run_of(dataset: Dataset, by: User, outputs: list[Any], **options: Any) -> Run:
    scores = {"exact": [1.0] * len(outputs)}
    return make_finished_run(dataset, by, outputs, scores, **options)


def url(run: Run, name: str) -> str:
    return reverse(f"runs:{name}", args=[run.project.slug, run.number])


def test_a_few_expected_texts_are_classes(
    tickets: Dataset, owner: User, django_assert_num_queries: Any
) -> None:
    run = run_of(tickets, owner, QUEUES)
    with django_assert_num_queries(2):
        assert class_fields(run) == ["expected_output"]
    with django_assert_num_queries(0):
        assert class_fields(run) == ["expected_output"]


def test_fields_of_an_expected_object_are_classes_of_their_own(
    project: Project, owner: User
) -> None:
    payloads = [
        {"input": n, "expected_output": {"queue": queue, "text": f"text {n}", "urgent": n % 2 == 0}}
        for n, queue in enumerate(QUEUES)
    ]
    dataset = make_dataset(project, owner, payloads)
    outputs: list[Any] = [{"queue": queue, "urgent": True} for queue in QUEUES]
    outputs[0] = "no object"
    run = run_of(dataset, owner, outputs)
    assert class_fields(run) == ["expected_output.queue", "expected_output.urgent"]
    report = class_report(run, "expected_output.queue")
    assert report is not None
    assert report.figures.accuracy == 7 / 8
    assert report.figures.classes[0].label == "(no class)"


def test_many_different_texts_are_no_classes(project: Project, owner: User) -> None:
    run = run_of(make_dataset(project, owner, questions(20)), owner, ["x"] * 20)
    assert class_fields(run) == []
    bare = make_dataset(project, owner, [{"input": n} for n in range(4)])
    run = run_of(bare, owner, ["x"] * 4)
    assert class_fields(run) == []
    assert class_report(run, "expected_output") is None


def test_of_long_outputs_the_class_alone_is_kept(
    project: Project, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    payloads = [{"input": n, "expected_output": {"queue": "ab"[n % 2]}} for n in range(40)]
    dataset = make_dataset(project, owner, payloads)
    outputs: list[Any] = [{"queue": "a", "text": "x" * 200_000}] * 40
    run = run_of(dataset, owner, outputs)
    monkeypatch.setattr(classes, "CHUNK", 2)
    tracemalloc.start()
    try:
        assert class_report(run, "expected_output.queue") is not None
        assert tracemalloc.get_traced_memory()[1] < 4_000_000, "of 8 million characters"
    finally:
        tracemalloc.stop()


def test_the_report_counts_errors_apart(tickets: Dataset, owner: User) -> None:
    outputs: list[Any] = [*QUEUES[:6], "billing", TimeoutError("slow")]
    run = run_of(tickets, owner, outputs)
    report = class_report(run, "expected_output")
    assert report is not None
    assert (report.figures.n, report.errors, report.left_out) == (7, 1, 0)
    assert [each.label for each in report.figures.classes] == ["billing", "technical"]
    assert report.figures.matrix == ((4, 0), (1, 2))
    assert report.figures.classes[0].precision == 4 / 5


def test_the_slowest_and_the_worst_come_first(tickets: Dataset, owner: User) -> None:
    values = [0.5, 0.1, 0.9, 0.3, 0.7, 0.2, 0.8, 0.6]
    run = make_finished_run(
        tickets, owner, QUEUES, {"level": values}, latencies=[10, 80, 30, 70, 50, 60, 40, 20]
    )
    assert [(each.number, each.value) for each in slowest(run)][:3] == [(2, 80), (4, 70), (6, 60)]
    scorer = run.scorers.get()
    assert [each.number for each in worst(scorer)] == [2, 6, 4, 1, 8]
    scorer.higher_is_better = False
    assert [each.number for each in worst(scorer)][:2] == [3, 7]


def test_the_page_offers_the_panels_and_each_is_a_page_without_script(
    tickets: Dataset, owner: User, viewer: User, client_for: ClientFor
) -> None:
    run = run_of(tickets, owner, ["billing"] * 8)
    client = client_for(viewer)
    html = client.get(url(run, "detail")).content.decode()
    for name in ("notable", "classes"):
        assert f'hx-get="{url(run, name)}" hx-trigger="toggle once"' in html
        assert f'<a href="{url(run, name)}">' in html
    whole = client.get(url(run, "classes")).content.decode()
    assert "<h1" in whole
    assert "Accuracy 50.0%" in whole
    part = client.get(url(run, "classes"), headers={"HX-Request": "true"}).content.decode()
    assert "<h1" not in part
    assert 'class="num right-5">4<' in part
    assert 'class="num wrong-5">3<' in part
    listed = client.get(url(run, "notable")).content.decode()
    assert reverse("runs:result", args=[run.project.slug, run.number, 8]) in listed


def test_a_run_without_classes_says_so(
    project: Project, owner: User, viewer: User, client_for: ClientFor
) -> None:
    run = run_of(make_dataset(project, owner, questions(3)), owner, ["x"] * 3)
    client = client_for(viewer)
    assert url(run, "classes") not in client.get(url(run, "detail")).content.decode()
    assert "there are no classes" in client.get(url(run, "classes")).content.decode()


def test_panels_take_as_many_queries_for_many_results(
    project: Project,
    owner: User,
    viewer: User,
    client_for: ClientFor,
    django_assert_max_num_queries: Any,
) -> None:
    payloads = [{"input": n, "expected_output": "ab"[n % 2]} for n in range(300)]
    run = run_of(make_dataset(project, owner, payloads), owner, ["a"] * 300)
    client = client_for(viewer)
    htmx = {"HX-Request": "true"}
    for name, most in (("classes", 12), ("notable", 10)):
        with django_assert_max_num_queries(most):
            client.get(url(run, name), headers=htmx)


def test_a_stranger_sees_no_panel(
    tickets: Dataset, owner: User, stranger: User, client_for: ClientFor
) -> None:
    run = run_of(tickets, owner, QUEUES)
    for name in ("notable", "classes"):
        assert client_for(stranger).get(url(run, name)).status_code == 404
