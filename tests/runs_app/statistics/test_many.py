"""N runs: the omnibus tests, differences to the baseline, and the top group."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import cochrans_q

from runs_app.statistics.intervals import wilson
from runs_app.statistics.many import compare_many
from runs_app.statistics.multiplicity import holm
from runs_app.statistics.omnibus import cochran_q, friedman

generator = np.random.default_rng(11)
PASSES = [(generator.random(200) < share).astype(float) for share in (0.5, 0.55, 0.8)]
tables = st.integers(2, 4).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 3), min_size=k, max_size=k), min_size=3, max_size=25)
)


def test_cochrans_q_agrees_with_statsmodels():
    oracle = cochrans_q(np.array(PASSES).T)
    found = cochran_q(PASSES)
    assert (found.statistic, found.p) == pytest.approx((oracle.statistic, oracle.pvalue), rel=1e-9)
    assert found.degrees == 2


@settings(deadline=None)
@given(tables.filter(lambda table: len(table[0]) > 2))
def test_friedman_agrees_with_scipy_ties_included(table):
    runs = [np.array(column, dtype=float) for column in zip(*table, strict=True)]
    found = friedman(runs)
    with np.errstate(invalid="ignore", divide="ignore"):
        oracle = stats.friedmanchisquare(*runs)
    if np.isnan(oracle.statistic):
        assert found.p == 1.0
    else:
        assert found.statistic == pytest.approx(oracle.statistic, abs=1e-9)
        assert found.p == pytest.approx(oracle.pvalue, abs=1e-9)


@settings(deadline=None)
@given(tables)
def test_the_order_of_the_runs_does_not_matter_to_the_omnibus(table):
    runs = [np.array(column, dtype=float) for column in zip(*table, strict=True)]
    assert friedman(runs).statistic == pytest.approx(friedman(runs[::-1]).statistic, abs=1e-9)


def test_runs_that_agree_on_every_item_are_alike():
    assert cochran_q([PASSES[0]] * 3).p == 1.0
    assert friedman([PASSES[0]] * 3).p == 1.0


def test_each_run_has_its_interval_and_its_difference_to_the_baseline():
    found = compare_many(PASSES, 0, "binary")
    assert (found.common, found.best, found.omnibus.test) == (200, 2, "cochran_q")
    for run, values in zip(found.runs, PASSES, strict=True):
        assert run.ci95 == wilson(int(values.sum()), 200)
    assert found.runs[0].against is None
    others = [run.against for run in found.runs[1:]]
    assert [each.p_holm for each in others] == pytest.approx(holm([each.p for each in others]))
    assert others[1].delta == pytest.approx(PASSES[2].mean() - PASSES[0].mean())


def test_the_top_group_is_who_is_not_significantly_behind_the_best():
    found = compare_many([*PASSES, PASSES[2]], 0, "binary")
    assert [run.in_top_group for run in found.runs] == [False, False, True, True]


def test_lower_is_better_turns_the_top_group():
    found = compare_many(PASSES, 0, "binary", higher_is_better=False)
    assert found.best == 0
    assert [run.in_top_group for run in found.runs] == [True, True, False]


def test_items_common_to_all_by_default_and_pairwise_when_asked():
    holes = [values.copy() for values in PASSES]
    holes[1][:50] = np.nan
    holes[2][150:] = np.nan
    common = compare_many(holes, 0, "binary")
    assert (common.common, [run.n for run in common.runs]) == (100, [100, 100, 100])
    pairwise = compare_many(holes, 0, "binary", pairwise=True)
    assert [run.n for run in pairwise.runs] == [200, 150, 150]
    assert [run.against.n for run in pairwise.runs[1:]] == [150, 150]
    assert pairwise.common == 100


def test_below_10_common_items_there_are_means_only():
    found = compare_many([values[:9] for values in PASSES], 0, "binary")
    assert found.omnibus is None
    assert [(run.against, run.in_top_group) for run in found.runs] == [(None, None)] * 3


def test_clusters_widen_the_differences():
    codes = np.repeat(np.arange(20), 10)
    shared = np.repeat(generator.normal(0, 0.3, 20), 10)
    runs = [generator.random(200), generator.random(200) + shared]
    plain = compare_many(runs, 0, "continuous").runs[1].against
    clustered = compare_many(runs, 0, "continuous", clusters=codes).runs[1].against
    assert clustered.ci_method == "cluster_t"
    assert clustered.ci95.high - clustered.ci95.low > plain.ci95.high - plain.ci95.low


def test_one_run_and_arrays_that_are_not_aligned_are_refused():
    with pytest.raises(ValueError, match="two runs or more"):
        compare_many(PASSES[:1], 0, "binary")
    with pytest.raises(ValueError, match="aligned"):
        compare_many([PASSES[0], PASSES[1][:5]], 0, "binary")


def test_the_four_reference_systems_have_their_rates_and_differences():
    folder = os.environ.get("EVALHUB_REFERENCE_DATA")
    if not folder:
        pytest.skip("EVALHUB_REFERENCE_DATA names no folder with the reference figures")
    reference = json.loads((Path(folder) / "reference" / "gsm8k_statistics.json").read_text())
    for pair, expected in reference["paired"].items():
        correct = [reference["runs"][run]["correct"] for run in pair.split(" -> ")]
        down, up = expected["regressed"], expected["improved"]
        cells = [correct[0] - down, down, up, reference["n"] - correct[1] - down]
        a = np.repeat([1.0, 1.0, 0.0, 0.0], cells)
        b = np.repeat([1.0, 0.0, 1.0, 0.0], cells)
        run = compare_many([a, b], 0, "binary").runs[1]
        assert run.mean == pytest.approx(correct[1] / reference["n"])
        assert run.against.ci95.to_json() == pytest.approx(expected["tango_95"], rel=1e-9)
        assert run.against.p_holm == pytest.approx(expected["mcnemar_mid_p"], rel=1e-9)
