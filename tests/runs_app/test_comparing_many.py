"""Several runs beside each other."""

from __future__ import annotations

import json

import pytest

from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from evalhub.kit.errors import Invalid
from runs_app import states
from runs_app.comparing_many import compare
from runs_app.models import Run
from runs_app.statistics.intervals import wilson
from tests.factories import make_dataset, make_finished_run, questions

pytestmark = [pytest.mark.db, pytest.mark.django_db]

N = 60


@pytest.fixture
def items(project: Project, owner: User) -> Dataset:
    return make_dataset(project, owner, questions(N))


@pytest.fixture
def runs(items: Dataset, owner: User) -> list[Run]:
    """30, 33, 54 of 60 pass; the third did not score the last ten, and has two errors first."""
    broken = RuntimeError("broken")
    third = [1] * 54 + [0] * 6
    return [
        make_finished_run(items, owner, ["x"] * N, {"exact": [1] * 30 + [0] * 30, "own": [1] * N}),
        make_finished_run(items, owner, ["x"] * N, {"exact": [1] * 33 + [0] * 27}),
        make_finished_run(
            items, owner, [broken, broken, *["x"] * 58], {"exact": [*third[:50], *[None] * 10]},
            results={"cost_usd": [0.5] * N, "input_tokens": [2] * N},
        ),
    ]  # fmt: skip


def test_every_run_is_held_against_the_baseline_over_common_items(runs: list[Run]) -> None:
    found = compare(runs)
    assert [run.info.number for run in found.runs] == [1, 2, 3]
    assert [scorer.name for scorer in found.scorers] == ["exact"]
    figures = found.scorers[0].figures
    assert (found.paired, figures.common) == (60, 48)
    assert figures.runs[0].against is None
    assert [run.n for run in figures.runs] == [48, 48, 48]
    third = figures.runs[2].against
    assert third is not None
    assert (third.rose, third.fell, third.delta) == (20, 0, pytest.approx(20 / 48))
    assert [run.in_top_group for run in figures.runs] == [False, False, True]
    assert found.scorers[0].sentence(found.runs) == (
        "At least one run differs. Not significantly behind the best: #3."
    )
    assert (found.runs[2].error_rate, found.runs[2].cost_usd) == (pytest.approx(2 / 60), 30.0)
    assert found.runs[0].tokens is None


def test_pairwise_uses_what_each_pair_has(runs: list[Run]) -> None:
    figures = compare(runs, items="pairwise").scorers[0].figures
    assert [run.n for run in figures.runs] == [60, 60, 48]
    assert [run.against.n for run in figures.runs if run.against] == [60, 48]


def test_another_run_can_be_the_baseline(runs: list[Run]) -> None:
    found = compare(runs, baseline=2)
    assert found.scorers[0].figures.runs[2].against is None
    assert found.scorers[0].figures.runs[0].against is not None
    assert found.to_json()["baseline"] == 3


def test_the_json_is_plain_and_unrounded(runs: list[Run]) -> None:
    answer = json.loads(json.dumps(compare(runs).to_json(), allow_nan=False))
    scorer = answer["scorers"][0]
    assert (scorer["best"], scorer["top_group"], scorer["omnibus"]["test"]) == (3, [3], "cochran_q")
    assert scorer["runs"][1]["against_baseline"]["improved"] == 3
    assert scorer["runs"][0]["against_baseline"] is None


def test_runs_of_other_datasets_pair_by_content(
    runs: list[Run], project: Project, owner: User
) -> None:
    other = make_dataset(project, owner, list(reversed(questions(N))))
    turned = make_finished_run(other, owner, ["x"] * N, {"exact": [0] * 30 + [1] * 30})
    against = compare([runs[0], turned]).scorers[0].figures.runs[1].against
    assert against is not None
    assert (against.n, against.unchanged) == (60, 60)


def test_while_a_run_goes_on_there_are_means_alone_each_over_its_own_results(
    runs: list[Run], items: Dataset, owner: User
) -> None:
    live = make_finished_run(items, owner, ["x"] * 5, {"exact": [1] * 5}, status=states.RUNNING)
    found = compare([*runs, live])
    assert not found.finished
    scorer = found.scorers[0]
    lines = scorer.figures.runs
    assert (lines[3].n, lines[3].mean, lines[3].ci95) == (5, 1.0, wilson(5, 5))
    finished = compare(runs, items="pairwise").scorers[0].figures.runs
    assert [(each.n, each.mean) for each in lines[:3]] == [(each.n, each.mean) for each in finished]
    assert {each.against for each in lines} == {each.in_top_group for each in lines} == {None}
    assert (scorer.figures.best, scorer.figures.omnibus) == (None, None)
    assert found.to_json()["scorers"][0]["sentence"] == "Means so far, each over its own results."


def test_a_run_alone_or_twice_is_refused(runs: list[Run]) -> None:
    for given in (runs[:1], [runs[0], runs[0]], runs * 7):
        with pytest.raises(Invalid) as refused:
            compare(given)
        assert refused.value.errors[0].pointer == "/runs"
