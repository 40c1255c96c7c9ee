"""Two runs whose outputs are classes: figures checked by hand, the panel, report and API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from runs_app import comparing_classes
from runs_app.comparing_classes import compare_classes, shared_class_fields
from runs_app.models import Run
from runs_app.statistics.intervals import tango, wilson
from tests.factories import make_dataset, make_finished_run, questions

pytestmark = [pytest.mark.db, pytest.mark.django_db]

ClientFor = Callable[..., Client]

EXPECTED = ["a"] * 6 + ["b"] * 4
FIRST = ["a", "a", "a", "a", "b", "b", "b", "b", "a", "a"]
SECOND = ["a"] * 6 + ["b", "b", "b", "a"]
BROKEN = RuntimeError("broken")


@pytest.fixture
def letters(project: Project, owner: User) -> Dataset:
    """Ten items of two classes; then two more, and one that expects nothing."""
    payloads: list[dict[str, Any]] = [
        {"input": n, "expected_output": {"letter": letter}}
        for n, letter in enumerate([*EXPECTED, "a", "b"])
    ]
    return make_dataset(project, owner, [*payloads, {"input": 99}])


@pytest.fixture
def pair(letters: Dataset, owner: User) -> tuple[Run, Run]:
    """A is right on 6 of 10, B on 9; A fails on item 11, B on item 12."""
    first: list[Any] = [{"letter": each} for each in FIRST]
    second: list[Any] = [{"letter": each} for each in SECOND]
    scores = {"exact": [1.0] * 13}
    return (
        make_finished_run(letters, owner, [*first, BROKEN, {"letter": "b"}, "x"], scores),
        make_finished_run(letters, owner, [*second, {"letter": "a"}, BROKEN, "x"], scores),
    )


def address(project: Project, *runs: Run, **more: str) -> str:
    asked = [f"run={run.number}" for run in runs] + [f"{key}={more[key]}" for key in more]
    return reverse("runs:compare_classes", args=[project.slug]) + "?" + "&".join(asked)


def test_the_figures_are_those_of_the_pairs_that_both_answered(pair: tuple[Run, Run]) -> None:
    assert shared_class_fields(*pair) == ["expected_output.letter"]
    found = compare_classes(*pair, "expected_output.letter")
    assert found is not None
    assert (found.a.n, found.b.n, found.errors, found.left_out) == (10, 10, 2, 1)
    assert found.a.matrix == ((4, 2), (2, 2))
    assert found.b.matrix == ((6, 0), (1, 3))
    assert (found.a.accuracy, found.b.accuracy) == (0.6, 0.9)
    assert found.a.accuracy_ci95 == wilson(6, 10)
    assert found.difference.accuracy == 0.3
    assert found.difference.accuracy_ci95 == tango(3, 0, 10)
    assert found.difference.matrix == ((2, -2), (-1, 1))
    # F1 is 2 hits / (expected + predicted).
    assert found.a.macro.f1 == pytest.approx((8 / 12 + 4 / 8) / 2)
    assert found.difference.macro_f1 == pytest.approx((12 / 13 + 6 / 7 - 8 / 12 - 4 / 8) / 2)
    by_class = {each.label: each for each in found.difference.classes}
    assert by_class["a"].precision == pytest.approx(6 / 7 - 4 / 6)
    assert by_class["b"].recall == pytest.approx(3 / 4 - 2 / 4)
    macro = found.difference.macro_f1_ci95
    assert macro is not None
    assert macro.low < found.difference.macro_f1 < macro.high


def test_swapped_runs_turn_every_sign(pair: tuple[Run, Run]) -> None:
    there = compare_classes(*pair, "expected_output.letter")
    back = compare_classes(*reversed(pair), "expected_output.letter")
    assert there is not None
    assert back is not None
    assert back.difference.accuracy == -there.difference.accuracy
    assert back.difference.matrix == ((-2, 2), (1, -1))
    assert back.a == there.b


def test_with_repetitions_the_item_counts_once(letters: Dataset, owner: User) -> None:
    """The first result of each item that is no error."""
    twice: list[Any] = []
    for each in FIRST:
        twice += [{"letter": each}, {"letter": "b"}]
    twice[0] = BROKEN  # item 1 is now b
    runs = [
        make_finished_run(letters, owner, twice, {"exact": [1.0] * 20}, repetitions=2)
        for _ in range(2)
    ]
    found = compare_classes(runs[0], runs[1], "expected_output.letter")
    assert found is not None
    assert found.repeated
    assert found.a.matrix == ((3, 3), (2, 2))


def test_a_class_that_one_run_alone_gives_is_in_both_tables(letters: Dataset, owner: User) -> None:
    outputs: list[Any] = [{"letter": each} for each in EXPECTED]
    odd: list[Any] = [{"other": 1}, *outputs[1:]]
    scores = {"exact": [1.0] * 10}
    runs = [make_finished_run(letters, owner, each, scores) for each in (outputs, odd)]
    found = compare_classes(runs[0], runs[1], "expected_output.letter")
    assert found is not None
    assert [each.label for each in found.a.classes] == ["(no class)", "a", "b"]
    assert found.a.classes[0].precision is None
    assert found.difference.classes[0].precision is None
    assert found.difference.matrix[1] == (1, -1, 0)


def test_the_panel_opens_in_the_comparison_and_is_a_page_without_script(
    project: Project, pair: tuple[Run, Run], viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    compared = reverse("runs:compare", args=[project.slug])
    html = client.get(f"{compared}?run={pair[0].number}&run={pair[1].number}").content.decode()
    here = address(project, *pair)
    assert f'hx-get="{here.replace("&", "&amp;")}" hx-trigger="toggle once"' in html
    whole = client.get(here).content.decode()
    assert f'<h1 tabindex="-1">Classes of run {pair[1].number} against run' in whole
    assert "+30.0 pts" in whole
    assert "2 with an error in A or B left out; 1 without an expected class left out" in whole
    part = client.get(here, headers={"HX-Request": "true"}).content.decode()
    assert "<h1" not in part
    assert 'class="num right-2" title="A 4, B 6">+2<' in part
    assert 'class="num right-2" title="A 2, B 0">\N{MINUS SIGN}2<' in part
    assert "wrong-" not in part  # nothing got worse
    turned = client.get(address(project, *reversed(pair)), headers={"HX-Request": "true"})
    assert b"right-" not in turned.content


def test_without_classes_the_comparison_has_no_panel_and_the_page_says_why(
    project: Project, owner: User, viewer: User, client_for: ClientFor
) -> None:
    dataset = make_dataset(project, owner, questions(12))
    scores = {"exact": [1.0] * 12}
    runs = [make_finished_run(dataset, owner, ["x"] * 12, scores) for _ in range(2)]
    client = client_for(viewer)
    compared = reverse("runs:compare", args=[project.slug])
    html = client.get(f"{compared}?run={runs[0].number}&run={runs[1].number}").content.decode()
    assert "compare/classes" not in html
    assert "no classes to compare" in client.get(address(project, *runs)).content.decode()


def test_no_pair_with_a_class_and_too_many_results_are_said(
    project: Project,
    letters: Dataset,
    owner: User,
    viewer: User,
    client_for: ClientFor,
    pair: tuple[Run, Run],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = client_for(viewer)
    broken: list[Any] = [BROKEN] * 10
    failed = make_finished_run(letters, owner, broken, {"exact": [1.0] * 10})
    assert compare_classes(pair[0], failed, "expected_output.letter") is None
    monkeypatch.setattr(comparing_classes, "MOST_RESULTS", 5)
    assert compare_classes(*pair, "expected_output.letter") is None
    assert "too many results" in client.get(address(project, *pair)).content.decode()


def test_the_report_has_the_classes(
    project: Project, pair: tuple[Run, Run], viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    here = reverse("runs:compare_report", args=[project.slug])
    here += f"?run={pair[0].number}&run={pair[1].number}"
    html = client.get(f"{here}&format=html").content.decode()
    assert "<h2>Change of the confusion matrix</h2>" in html
    assert "+30.0 points" in html
    data = client.get(f"{here}&format=json").json()
    assert data["classes"]["difference"]["matrix"] == [[2, -2], [-1, 1]]


def test_the_panel_takes_as_many_queries_for_many_items(
    project: Project,
    owner: User,
    viewer: User,
    client_for: ClientFor,
    django_assert_max_num_queries: Any,
) -> None:
    payloads = [{"input": n, "expected_output": "ab"[n % 2]} for n in range(300)]
    dataset = make_dataset(project, owner, payloads)
    scores = {"exact": [1.0] * 300}
    runs = [make_finished_run(dataset, owner, ["a"] * 300, scores) for _ in range(2)]
    client = client_for(viewer)
    with django_assert_max_num_queries(20):
        client.get(address(project, *runs), headers={"HX-Request": "true"})


def test_only_two_runs_that_one_may_see(
    project: Project,
    pair: tuple[Run, Run],
    viewer: User,
    stranger: User,
    client_for: ClientFor,
) -> None:
    assert client_for(stranger).get(address(project, *pair)).status_code == 404
    one = client_for(viewer).get(address(project, pair[0]))
    assert one.status_code == 302
