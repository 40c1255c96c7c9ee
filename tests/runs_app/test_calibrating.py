"""A scorer under test beside people's labels: figures by hand, the panel, the API."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from evalhub.access.models import Project, User
from runs_app import calibrating
from runs_app.calibrating import calibration
from runs_app.engine.stay import work
from runs_app.models import Run
from tests.factories import make_dataset, make_finished_run
from tests.runs_app.engine_help import starter

pytestmark = [pytest.mark.db, pytest.mark.django_db]

ClientFor = Callable[..., Client]
BROKEN = RuntimeError("broken")
NOTHING = object()


@pytest.fixture
def judged(project: Project, owner: User) -> Callable[..., Run]:
    """A function that makes a scorer's run from people's labels and what the scorer gave."""

    def make(
        labels: list[Any], outputs: list[Any], threshold: float | None = None, **more: Any
    ) -> Run:
        payloads = [
            {"input": {"output": f"answer {n}"}}
            | ({} if label is NOTHING else {"expected_output": label})
            for n, label in enumerate(labels)
        ]
        dataset = make_dataset(project, owner, payloads)
        run = make_finished_run(dataset, owner, outputs, {"exact": [1.0] * len(outputs)}, **more)
        spec = {"use": "levenshtein", "threshold": threshold}
        run.target = {"kind": "scorer", "transport": "scorer", "config": {"scorer": spec}}
        run.save()
        return run

    return make


def url(run: Run) -> str:
    return reverse("runs:calibration", args=[run.project.slug, run.number])


def test_two_valued_labels_give_agreement_and_kappa(judged: Callable[..., Run]) -> None:
    """Labels true or false; the scorer passes from 0.5: 4 of 6 agree, kappa 1/3."""
    run = judged([True, True, False, False, False, True], [1, 1, 0, 0, 1, 0])
    found = calibration(run)
    assert found is not None
    assert found.agreement is not None
    assert found.agreement.figures.accuracy == pytest.approx(4 / 6)
    assert found.agreement.kappa == pytest.approx(1 / 3)
    assert [each.label for each in found.agreement.figures.classes] == ["fail", "pass"]
    assert (found.mark, found.closeness) == (0.5, None)
    assert [(each.number, each.error) for each in found.disagreements] == [(5, 1.0), (6, -1.0)]


def test_a_threshold_of_the_scorer_is_its_mark(judged: Callable[..., Run]) -> None:
    found = calibration(judged([1, 1, 0], [0.9, 0.7, 0.75], threshold=0.8))
    assert found is not None
    assert found.agreement is not None
    assert found.mark == 0.8
    assert found.agreement.figures.matrix == ((1, 0), (1, 1))
    assert [each.number for each in found.disagreements] == [2]
    assert found.closeness is not None  # the scores are more than 0 and 1


def test_numbers_without_a_threshold_give_correlation_and_error(
    judged: Callable[..., Run],
) -> None:
    found = calibration(judged([3, 4, 5], [3.0, 4.5, 3.0]))
    assert found is not None
    assert found.agreement is None
    assert found.closeness is not None
    assert found.closeness.mean_error == pytest.approx(-0.5)
    assert found.closeness.mean_absolute_error == pytest.approx(2.5 / 3)
    assert [(each.number, each.error) for each in found.disagreements] == [(3, -2.0), (2, 0.5)]


def test_texts_are_classes(judged: Callable[..., Run]) -> None:
    found = calibration(judged(["good", "poor", "good"], ["good", "good", 1]))
    assert found is not None
    assert found.agreement is not None
    assert found.agreement.figures.accuracy == pytest.approx(1 / 3)
    assert [(each.label, each.given) for each in found.disagreements] == [
        ("poor", "good"),
        ("good", "1"),
    ]


def test_what_cannot_be_compared_is_counted(judged: Callable[..., Run]) -> None:
    labels = [1, 1, NOTHING, None, {"score": 1}, 10**300, 0]
    found = calibration(judged(labels, [1, BROKEN, 1, 1, 1, 1, {"value": 0}]))
    assert found is not None
    assert (found.n, found.errors, found.left_out) == (1, 1, 5)
    assert found.agreement is not None
    assert found.agreement.kappa is None
    assert calibration(judged([NOTHING], [1])) is None


def test_what_the_scorer_saw_is_not_read_for_the_figures(judged: Callable[..., Run]) -> None:
    run = judged([1, 1, 0], [1, 0, 0])
    with CaptureQueriesContext(connection) as asked:
        assert calibration(run) is not None
    assert not [query for query in asked.captured_queries if "input_json" in query["sql"]]


def test_of_long_outputs_the_value_alone_is_kept(
    judged: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = judged([1] * 40, [1, *["x" * 200_000] * 39])
    monkeypatch.setattr(calibrating, "CHUNK", 2)
    tracemalloc.start()
    try:
        assert calibration(run) is not None
        assert tracemalloc.get_traced_memory()[1] < 4_000_000, "of 8 million characters"
    finally:
        tracemalloc.stop()


def test_with_repetitions_an_item_counts_once(judged: Callable[..., Run]) -> None:
    found = calibration(judged([1, 0], [BROKEN, 1, 0, 1], repetitions=2))
    assert found is not None
    assert (found.n, found.errors, found.repeated) == (2, 0, True)
    assert found.disagreements == ()


@pytest.mark.django_db(transaction=True)
def test_a_run_of_a_real_scorer_is_held_against_labels(project: Project, owner: User) -> None:
    items = [
        {"input": {"output": "4", "expected_output": "4"}, "expected_output": 1},
        {"input": {"output": "four", "expected_output": "4"}, "expected_output": 1},
        {"input": {"output": "5", "expected_output": "4"}, "expected_output": 0},
    ]
    run = starter(project, owner)(items, target="scorer:exact_match")
    work(run.pk)
    run.refresh_from_db()
    found = calibration(run)
    assert found is not None
    assert [each.number for each in found.disagreements] == [2]


def test_the_panel_says_how_far_they_agree_and_lists_where_not(
    judged: Callable[..., Run], viewer: User, client_for: ClientFor
) -> None:
    run = judged([1] * 30, [1] * 5 + [0] * 25)
    client = client_for(viewer)
    page = client.get(reverse("runs:detail", args=[run.project.slug, run.number])).content.decode()
    assert f'hx-get="{url(run)}" hx-trigger="toggle once"' in page
    whole = client.get(url(run)).content.decode()
    assert "The scorer agrees with people on 16.7%" in whole
    assert "1 to 20 of 25" in whole
    assert reverse("runs:result", args=[run.project.slug, run.number, 6]) in whole
    rest = client.get(f"{url(run)}?after=20", headers={"HX-Request": "true"}).content.decode()
    assert "21 to 25 of 25" in rest
    assert "<h1" not in rest
    assert client.get(f"{url(run)}?after=999").status_code == 200


def test_other_runs_say_why_there_is_nothing(
    judged: Callable[..., Run],
    viewer: User,
    stranger: User,
    client_for: ClientFor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = judged([1, 0], [1, 0])
    assert client_for(stranger).get(url(run)).status_code == 404
    client = client_for(viewer)
    assert "says what people say on every item" in client.get(url(run)).content.decode()
    monkeypatch.setattr(calibrating, "MOST_RESULTS", 1)
    assert "too many results" in client.get(url(run)).content.decode()
    run.status = "running"
    run.save()
    assert "The run is still going" in client.get(url(run)).content.decode()
    run.target = {"kind": "agent"}
    run.save()
    assert "Only the run of a scorer" in client.get(url(run)).content.decode()
    page = client.get(reverse("runs:detail", args=[run.project.slug, run.number]))
    assert "/calibration" not in page.content.decode()
