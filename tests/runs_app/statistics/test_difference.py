"""The difference of two runs from arrays, one kind of scorer at a time."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from runs_app.statistics import difference
from runs_app.statistics.intervals import tango
from runs_app.statistics.judging import judge
from runs_app.statistics.values import Target


def paired_passes(both: int, only_a: int, only_b: int, neither: int):
    a = np.repeat([1.0, 1.0, 0.0, 0.0], [both, only_a, only_b, neither])
    b = np.repeat([1.0, 0.0, 1.0, 0.0], [both, only_a, only_b, neither])
    return a, b


def test_a_binary_scorer_gets_the_four_cells_tango_and_mid_p():
    a, b = paired_passes(80, 12, 5, 3)
    counts = difference.count_binary(a, b)
    assert (counts.both_pass, counts.fell, counts.rose, counts.both_fail) == (80, 12, 5, 3)
    assert counts.unchanged == 83
    found = difference.binary_difference(a, b)
    assert found.delta == -0.07
    assert found.ci95.to_json() == pytest.approx([-0.1574, 0.0119], abs=6e-5)
    assert (found.ci_method, found.p_method) == ("tango", "mcnemar_midp")
    assert found.p == pytest.approx(0.096, abs=5e-4)
    assert found.detectable == pytest.approx(0.1138, abs=1e-4)


def test_the_standard_error_of_a_binary_difference_is_that_of_the_differences():
    a, b = paired_passes(30, 10, 6, 14)
    found = difference.binary_difference(a, b)
    assert found.standard_error == pytest.approx(float((b - a).std(ddof=1)) / 60**0.5)
    assert found.correlation == pytest.approx(np.corrcoef(a, b)[0, 1])


def test_the_reference_figures_of_every_pair_of_real_runs_are_met():
    folder = os.environ.get("EVALHUB_REFERENCE_DATA")
    if not folder:
        pytest.skip("EVALHUB_REFERENCE_DATA names no folder with the reference figures")
    reference = json.loads((Path(folder) / "reference" / "gsm8k_statistics.json").read_text())
    assert len(reference["paired"]) == 6
    for pair, expected in reference["paired"].items():
        correct_a, correct_b = (reference["runs"][run]["correct"] for run in pair.split(" -> "))
        both = correct_a - expected["regressed"]
        neither = reference["n"] - correct_b - expected["regressed"]
        a, b = paired_passes(both, expected["regressed"], expected["improved"], neither)
        counts, found = difference.count_binary(a, b), difference.binary_difference(a, b)
        assert (counts.rose, counts.fell, counts.unchanged) == (
            expected["improved"],
            expected["regressed"],
            expected["unchanged"],
        )
        assert found.delta == pytest.approx(expected["delta"], rel=1e-12)
        assert found.ci95.to_json() == pytest.approx(expected["tango_95"], rel=1e-9)
        assert found.p == pytest.approx(expected["mcnemar_mid_p"], rel=1e-9)
        assert found.exact_p == pytest.approx(expected["mcnemar_exact_p"], rel=1e-9)
        assert found.standard_error == pytest.approx(expected["standard_error"], rel=1e-9)
        assert found.correlation == pytest.approx(expected["pearson_r"], rel=1e-9)
        as_means = difference.continuous_difference(a, b, 1.0)
        assert as_means.ci95.to_json() == pytest.approx(expected["ci95_t"], rel=1e-9)
        assert as_means.p == pytest.approx(expected["paired_t_p"], rel=1e-9)


def test_a_continuous_scorer_gets_the_paired_t_interval():
    generator = np.random.default_rng(1)
    a = generator.random(300)
    b = np.clip(a + generator.normal(0.03, 0.1, 300), 0, 1)
    found = difference.continuous_difference(a, b, 1.0)
    assert (found.ci_method, found.p_method) == ("t", "paired_t")
    assert found.delta == pytest.approx(b.mean() - a.mean())
    assert found.ci95.low < found.ci90.low < found.delta < found.ci90.high < found.ci95.high
    assert found.detectable == pytest.approx(2.8016 * found.standard_error, rel=1e-4)


def test_changes_within_the_tie_tolerance_are_unchanged_in_the_counts():
    a = np.array([0.5, 0.5, 0.5, 0.5])
    counts = difference.count_continuous(a, np.array([0.54, 0.46, 0.6, 0.4]), 0.05)
    assert (counts.rose, counts.fell, counts.unchanged) == (1, 1, 2)
    assert (counts.both_pass, counts.both_fail) == (None, None)


def test_what_rounding_leaves_of_equal_scores_is_no_change():
    a, b = np.full(20, 0.1 + 0.2), np.full(20, 0.3)
    assert a[0] != b[0]
    assert difference.count_continuous(a, b, 0.0).unchanged == 20
    assert not difference.continuous_difference(a, b, 1.0).changed


def test_without_a_change_the_interval_keeps_a_width_when_the_range_is_known():
    same = np.linspace(0, 10, 54)
    found = difference.continuous_difference(same, same, 10.0)
    assert (found.changed, found.delta, found.p) == (False, 0.0, 1.0)
    assert found.ci95.to_json() == pytest.approx([-0.664, 0.664], abs=6e-4)
    assert found.ci_method == "tango"


def test_without_a_change_and_without_a_range_there_is_no_interval():
    same = np.linspace(0, 10, 54)
    found = difference.continuous_difference(same, same, None)
    assert (found.ci95, found.ci90, found.ci_method) == (None, None, None)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.random.default_rng(1).normal(size=49), "fewer than 50 pairs"),
        (np.concatenate([np.zeros(60), [1.0, -1.0] * 25]), "more than half of the differences"),
        (np.random.default_rng(1).exponential(size=200), "skewed"),
    ],
    ids=["few", "zeros", "skewed"],
)
def test_a_second_opinion_is_asked_for_where_t_is_in_doubt(values, reason):
    assert reason in difference.second_opinion(values, seed=1).reason


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(1).normal(size=50),
        np.concatenate([np.zeros(50), [1.0, -1.0] * 25]),
        np.random.default_rng(1).exponential(size=1_001),
    ],
    ids=["enough and even", "exactly half are 0", "above 1,000"],
)
def test_a_second_opinion_is_not_asked_for_elsewhere(values):
    assert difference.second_opinion(values, seed=1) is None


def test_the_target_is_3_points_until_they_can_be_detected_and_the_margin_after():
    a, b = paired_passes(80, 12, 5, 3)
    found, counts = difference.binary_difference(a, b), difference.count_binary(a, b)
    assert difference.target(found, counts, 0.01, 2.0) == Target(
        3.0, pytest.approx(1474.7, abs=0.1)
    )
    a, b = paired_passes(1_600, 100, 100, 200)
    found, counts = difference.binary_difference(a, b), difference.count_binary(a, b)
    assert found.detectable == pytest.approx(0.0198, abs=1e-4)
    assert difference.target(found, counts, 0.01, 1.5).points == 1.5
    assert difference.target(found, counts, 0.01, 2.0) is None
    assert difference.target(found, counts, None, 1.5) is None


def test_a_continuous_target_comes_from_the_variance_of_the_differences():
    a = np.zeros(100)
    b = np.tile([0.3, -0.3], 50)
    found, counts = (
        difference.continuous_difference(a, b, 1.0),
        difference.count_continuous(a, b, 0),
    )
    needed = 2.801585**2 * b.var(ddof=1) / 0.03**2
    assert difference.target(found, counts, 0.01, 2.0).items == pytest.approx(needed, rel=1e-5)


def test_from_one_end_to_the_other_the_interval_is_tangos_and_signs_give_p():
    """20 items that all failed in A and all pass in B, each several times."""
    found = judge("continuous", np.zeros(20), np.ones(20), 1.0, seed=1)
    assert found.found.ci95.to_json() == pytest.approx(tango(20, 0, 20).to_json())
    assert found.found.ci90.to_json() == pytest.approx(tango(20, 0, 20, 0.9).to_json())
    many = judge("continuous", np.zeros(60), np.ones(60), 1.0, seed=1)
    assert (many.p, many.p_method) == (2.0**-59, "sign_flip")
    clustered = judge("continuous", np.ones(24), np.zeros(24), 1.0, 1, np.arange(24) // 2)
    assert clustered.found.ci95.to_json() == pytest.approx(tango(0, 12, 12).to_json())
