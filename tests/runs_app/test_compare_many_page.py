"""The page of three runs and more: who leads, each against the baseline, and the grid of items."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from runs_app import packing, states
from runs_app.models import Run, Shard
from tests.factories import make_dataset, make_finished_run, questions

pytestmark = pytest.mark.django_db
ClientFor = Callable[..., Client]
N = 40


@pytest.fixture
def items(project: Project, owner: User) -> Dataset:
    return make_dataset(project, owner, questions(N), name="Questions")


@pytest.fixture
def three(items: Dataset, owner: User) -> list[Run]:
    """10, 30 and 32 of 40 pass; the second and third differ on items 31 and 32 alone."""
    return [
        make_finished_run(items, owner, ["x"] * N, {"answer": [1] * n + [0] * (N - n)}, name=name)
        for n, name in ((10, "Old"), (30, "New"), (32, "Newer"))
    ]


def address(project: Project, runs: Sequence[Run], **more: object) -> str:
    asked = [f"run={run.number}" for run in runs] + [f"{key}={more[key]}" for key in more]
    return reverse("runs:compare", args=[project.slug]) + "?" + "&".join(asked)


def test_the_leader_the_top_group_and_each_change_are_told(
    project: Project, three: list[Run], viewer: User, client_for: ClientFor
) -> None:
    page = client_for(viewer).get(address(project, three))
    html = page.content.decode()
    assert page.status_code == 200
    assert "C, Newer, leads on answer, with B not clearly behind" in html
    panel = page.context["panels"][0]
    assert [line.in_top_group for line in panel.lines] == [False, True, True]
    assert [line.is_baseline for line in panel.lines] == [True, False, False]
    assert panel.lines[1].delta == pytest.approx(0.5)
    assert (panel.lines[2].improved, panel.lines[2].regressed) == (22, 0)
    assert "At least one run differs." in html
    assert "adjusted p &lt; 0.001" in html
    assert "Cochran&#x27;s Q" in html


@pytest.mark.parametrize(
    ("low", "high", "said", "delta"),
    [
        (0.0, 10.0, "+12.5 points against A, 95% CI 12.1 to 12.9", 0.125),
        (None, None, "+1.250 against A, 95% CI 1.2", 1.25),
    ],
)
def test_changes_are_in_points_where_a_scorer_has_a_range(
    low: float | None,
    high: float | None,
    said: str,
    delta: float,
    items: Dataset,
    project: Project,
    owner: User,
    client_for: ClientFor,
) -> None:
    kind = {"stars": {"kind": "continuous", "low": low, "high": high}}
    spread = [2.0 + place / N for place in range(N)]
    better = [value + (1.125 if place % 2 else 1.375) for place, value in enumerate(spread)]
    runs = [
        make_finished_run(items, owner, ["x"] * N, {"stars": values}, scorers=kind)
        for values in (spread, spread, better)
    ]
    page = client_for(owner).get(address(project, runs))
    assert said in page.content.decode()
    line = page.context["panels"][0].lines[2]
    assert (line.delta, line.in_points) == (pytest.approx(delta), low is not None)


def test_another_baseline_turns_the_changes(
    project: Project, three: list[Run], viewer: User, client_for: ClientFor
) -> None:
    page = client_for(viewer).get(address(project, three, baseline=three[2].number))
    lines = page.context["panels"][0].lines
    assert lines[2].is_baseline
    assert lines[0].delta == pytest.approx(-0.55)
    assert lines[0].kind == "bad"
    assert f"baseline={three[2].number}" in page.context["base_url"]


def test_a_run_is_taken_out_and_two_that_are_left_have_the_page_of_two(
    project: Project, three: list[Run], viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    chosen = client.get(address(project, three)).context["chosen"]
    assert client.get(chosen[2].without).context["comparison"].b.number == three[1].number


def test_the_items_begin_where_the_runs_disagree_most(
    project: Project, three: list[Run], viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    grid = client.get(address(project, three)).context["grid"]
    # Where one of three differs: 11 to 32. Where all agree comes after.
    assert [row.number for row in grid.rows] == list(range(11, 31))
    assert [one.better for one in grid.rows[0].cells] == [None, True, True]
    assert grid.text.startswith("1 to 20 of 40, 22 with different scores")
    second = client.get(grid.next).context["grid"]
    assert [row.number for row in second.rows][:3] == [31, 32, 1]
    assert grid.rows[0].cells[1].url == reverse(
        "runs:result", args=[project.slug, three[1].number, 11]
    )


def test_only_items_of_all_runs_count_unless_pairs_are_asked_for(
    project: Project,
    items: Dataset,
    three: list[Run],
    owner: User,
    viewer: User,
    client_for: ClientFor,
) -> None:
    outputs: list[object] = ["x"] * 30
    outputs[0] = TimeoutError("too slow")
    short = make_finished_run(items, owner, outputs, {"answer": [1.0] * 30}, name="Short")
    client = client_for(viewer)
    runs = [*three, short]
    common = client.get(address(project, runs)).context
    assert {line.n for line in common["panels"][0].lines} == {29}
    assert common["grid"].page.total == 29
    pairwise = client.get(address(project, runs, items="pairwise")).context
    assert [line.n for line in pairwise["panels"][0].lines] == [40, 40, 40, 29]
    assert pairwise["grid"].page.total == 40
    states_of_first = {
        row.number: row.cells[3].cell.state
        for after in (0, 20)
        for row in client.get(address(project, runs, items="pairwise", after=after))
        .context["grid"]
        .rows
    }
    assert (states_of_first[1], states_of_first[2], states_of_first[40]) == (
        "error",
        "scored",
        "missing",
    )


def test_check_boxes_of_three_runs_lead_to_the_oldest_as_the_baseline(
    project: Project, three: list[Run], viewer: User, client_for: ClientFor
) -> None:
    answer = client_for(viewer).get(address(project, three[::-1], pick=1))
    assert answer["Location"] == address(project, three)


def test_while_one_goes_on_there_are_means_so_far_and_the_page_fills_itself(
    project: Project,
    items: Dataset,
    three: list[Run],
    owner: User,
    viewer: User,
    client_for: ClientFor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    going = make_finished_run(
        items,
        owner,
        ["x"] * 10,
        {"answer": [1.0] * 8 + [0.0] * 2},
        status=states.RUNNING,
        name="Underway",
    )
    Shard.objects.create(
        run=going, items=[], first_number=1, last_number=N, size=N, succeeded=10, failed=0
    )
    Run.objects.filter(pk=going.pk).update(total_results=N, total_items=N)
    client = client_for(viewer)
    page = client.get(address(project, [*three, going]))
    html = page.content.decode()
    assert "1 of 4 runs is still going: 130 of 160 results." in html
    assert "10 of 40" in html
    assert 'hx-trigger="every 2s"' in html
    assert "Means so far, each over its own results." in html
    lines = page.context["panels"][0].lines
    assert [(line.n, line.mean_text) for line in lines][3] == (10, "80.0%")
    assert lines[3].interval == "49.0 to 94.3"  # Wilson, 8 of 10
    for never in ("leads on", "Top group", "p, adjusted", "baseline</span></td>"):
        assert never not in html
    assert "grid" not in page.context
    report = client.get(
        address(project, [*three, going]).replace("compare?", "compare/report?") + "&format=md"
    )
    assert "80.0%" in report.content.decode()
    monkeypatch.setattr("runs_app.views.compared_many.LIVE_MEANS_UP_TO", 100)
    large = client.get(address(project, [*three, going])).content.decode()
    assert "So many results are read when the last one is in." in large
    assert "Means so far" not in large


def test_a_scorer_that_is_not_shared_is_not_found_and_none_shared_is_said(
    project: Project,
    items: Dataset,
    three: list[Run],
    owner: User,
    viewer: User,
    client_for: ClientFor,
) -> None:
    client = client_for(viewer)
    assert client.get(address(project, three, by="nobody")).status_code == 404
    other = make_finished_run(items, owner, ["x"] * N, {"style": [1.0] * N})
    html = client.get(address(project, [*three, other])).content.decode()
    assert "No scorer in common" in html


def test_twenty_runs_fit_on_one_page(
    project: Project, owner: User, viewer: User, client_for: ClientFor
) -> None:
    dataset = make_dataset(project, owner, questions(12))
    runs = [
        make_finished_run(
            dataset, owner, ["x"] * 12, {"answer": [1.0] * (i % 12) + [0.0] * (12 - i % 12)}
        )
        for i in range(20)
    ]
    page = client_for(viewer).get(address(project, runs))
    assert len(page.context["panels"][0].lines) == 20
    assert page.context["addable"] == []
    assert ">T</span>" in page.content.decode()


def test_queries_do_not_grow_with_the_items(
    project: Project, owner: User, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    counts = []
    for n in (12, 60):
        dataset = make_dataset(project, owner, questions(n))
        runs = [
            make_finished_run(dataset, owner, ["x"] * n, {"answer": [passed] * n})
            for passed in (1.0, 0.0, 1.0)
        ]
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address(project, runs)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 40


def test_very_large_runs_are_prepared_first_and_the_page_says_how_far(
    project: Project,
    three: list[Run],
    viewer: User,
    client_for: ClientFor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packing, "PACKED_FROM", 20)
    monkeypatch.setattr(packing, "HEAVY", 50)
    client = client_for(viewer)
    pair = three[:2]
    report = address(project, pair).replace("compare?", "compare/report?")
    for runs, parts in ((three, 9), (pair, 6)):
        page = client.get(address(project, runs, slice="", margin=5))
        html = page.content.decode()
        assert f"Preparing the comparison: 0 of {parts} parts." in html
        assert f'hx-get="{page.context["here"]}"'.replace("&", "&amp;") in html
        assert "grid" not in page.context
    assert client.get(report)["Location"] == address(project, pair)
    for run in three:
        packing.work(run.pk)
    assert client.get(address(project, three)).context["grid"].page.total == N
    assert client.get(report).status_code == 200
