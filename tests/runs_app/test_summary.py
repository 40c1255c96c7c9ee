"""What a run came to, computed from its rows."""

from __future__ import annotations

import json

import pytest

from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from runs_app import states
from runs_app.engine.summary import summarise
from runs_app.models import Score
from tests.factories import make_dataset, make_finished_run, make_run, questions

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def ten(project: Project, owner: User) -> Dataset:
    return make_dataset(project, owner, questions(10))


def test_a_binary_scorer_has_its_share_with_the_wilson_interval(ten: Dataset, owner: User) -> None:
    run = make_finished_run(ten, owner, ["x"] * 10, {"exact": [1] * 8 + [0] * 2})
    found = summarise(run)
    figures = found["scores"]["exact"]
    assert (figures["n"], figures["mean"], figures["passed"]) == (10, 0.8, 8)
    assert figures["ci95"] == pytest.approx([0.490162, 0.943318], abs=1e-6)
    assert found["distribution"]["exact"] == {"kind": "binary", "passed": 8, "failed": 2}
    assert found["primary"] == "exact"


def test_a_continuous_scorer_has_its_mean_with_the_t_interval(ten: Dataset, owner: User) -> None:
    values = [0.9, 0.8, 0.75, 0.6, 1.0, 0.4, 0.85, 0.7, 0.95, 0.5]
    run = make_finished_run(ten, owner, ["x"] * 10, {"near": values})
    found = summarise(run)
    figures = found["scores"]["near"]
    assert (figures["n"], figures["passed"]) == (10, 9)
    assert figures["mean"] == pytest.approx(0.745)
    assert figures["ci95"] == pytest.approx([0.604485, 0.885515], abs=1e-6)
    assert found["distribution"]["near"] == {
        "kind": "continuous",
        "low": 0.0,
        "high": 1.0,
        "bins": [0, 0, 0, 0, 1, 1, 1, 2, 2, 3],
    }


def test_bin_edges_belong_to_the_bin_above_and_the_top_to_the_last(
    ten: Dataset, owner: User
) -> None:
    values = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    run = make_finished_run(ten, owner, ["x"] * 10, {"near": values})
    assert summarise(run)["distribution"]["near"]["bins"] == [1] * 10


def test_without_a_range_the_bins_span_the_values(ten: Dataset, owner: User) -> None:
    run = make_finished_run(
        ten,
        owner,
        ["x"] * 3,
        {"length": [10.0, 20.0, 30.0]},
        scorers={"length": {"low": None, "high": None, "threshold": None}},
    )
    found = summarise(run)
    shape = found["distribution"]["length"]
    assert (shape["low"], shape["high"]) == (10.0, 30.0)
    assert shape["bins"] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert found["scores"]["length"]["passed"] is None


def test_errors_and_missing_scores_are_counted_and_are_no_zeros(ten: Dataset, owner: User) -> None:
    slow, refused = TimeoutError("slow"), ConnectionError("refused")
    run = make_finished_run(
        ten,
        owner,
        ["a", slow, "c", refused, refused, "f"],
        {"exact": [1, None, None, None, None, 1], "near": [1.0, None, 0.2, None, None, 0.4]},
    )
    Score.objects.filter(run_scorer__name="near", item_number=6).update(state="error", value=None)
    run.total_results = 10
    found = summarise(run)
    assert (found["succeeded"], found["failed"], found["skipped"]) == (3, 3, 4)
    assert list(found["errors"].items()) == [("ConnectionError", 2), ("TimeoutError", 1)]
    exact, near = found["scores"]["exact"], found["scores"]["near"]
    assert (exact["n"], exact["mean"], exact["errors"], exact["not_scored"]) == (2, 1.0, 0, 1)
    assert (near["n"], near["errors"], near["not_scored"]) == (2, 1, 0)
    assert found["filters"] == {"fail": 1, "not_scored": 2}


def test_lower_is_better_passes_the_low_values(ten: Dataset, owner: User) -> None:
    run = make_finished_run(
        ten,
        owner,
        ["x"] * 4,
        {"leak": [0, 0, 0, 1], "edits": [0.1, 0.5, 0.6, 0.9]},
        scorers={"leak": {"higher_is_better": False}, "edits": {"higher_is_better": False}},
    )
    scores = summarise(run)["scores"]
    assert (scores["leak"]["mean"], scores["leak"]["passed"]) == (0.25, 3)
    assert scores["edits"]["passed"] == 2


def test_latency_is_that_of_the_results_that_succeeded(ten: Dataset, owner: User) -> None:
    run = make_finished_run(
        ten,
        owner,
        ["a", "b", "c", "d", TimeoutError("slow")],
        {},
        latencies=[10.0, 20.0, 30.0, 40.0, 60_000.0],
    )
    found = summarise(run)
    assert found["latency_ms"] == pytest.approx({"p50": 25.0, "p95": 38.5, "p99": 39.7})
    assert found["latency_bins"]["max_ms"] == 40.0
    assert sum(found["latency_bins"]["counts"]) == 4
    assert found["latency_bins"]["counts"][20] == 1  # 10 ms is half way on a square-root axis


def test_a_run_in_which_nothing_succeeded_has_nulls_and_no_zeros(ten: Dataset, owner: User) -> None:
    run = make_finished_run(
        ten, owner, [TimeoutError("slow")] * 2, {"exact": [None] * 2, "near": [None] * 2},
        scorers={"near": {"kind": "continuous"}},
        status=states.FAILED,
    )  # fmt: skip
    found = summarise(run)
    assert found["latency_ms"] == {"p50": None, "p95": None, "p99": None}
    assert found["latency_bins"] is None
    for name in ("exact", "near"):
        figures = found["scores"][name]
        assert (figures["n"], figures["mean"], figures["ci95"]) == (0, None, None)


def test_a_run_without_results_and_scorers_has_a_summary_too(ten: Dataset, owner: User) -> None:
    found = summarise(make_run(ten, owner, 10, status=states.CANCELLED))
    assert (found["succeeded"], found["skipped"], found["primary"]) == (0, 10, None)
    assert found["scores"] == {}


def test_a_summary_of_results_of_another_run_keeps_apart(ten: Dataset, owner: User) -> None:
    make_finished_run(ten, owner, ["x"] * 10, {"exact": [0] * 10})
    run = make_finished_run(ten, owner, ["x"] * 10, {"exact": [1] * 10})
    found = summarise(run)
    assert (found["succeeded"], found["scores"]["exact"]["mean"]) == (10, 1.0)


def test_a_summary_is_plain_json(ten: Dataset, owner: User) -> None:
    run = make_finished_run(ten, owner, ["x"] * 3, {"exact": [1, 0, 1], "near": [0.1, 0.2, 0.3]})
    found = summarise(run)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
