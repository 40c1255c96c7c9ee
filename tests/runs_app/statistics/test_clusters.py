"""Clustered figures against the documented vectors and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from runs_app.statistics import difference
from runs_app.statistics.clusters import clustered_mean
from runs_app.statistics.judging import difference_of, judge
from runs_app.statistics.paired import paired_t

CODES = np.repeat(np.arange(4), 3)
DIFFERENCES = np.array([0.3, 0.2, 0.25, -0.1, -0.05, 0, 0.4, 0.35, 0.1, 0.05, 0, -0.05])


def test_the_documented_mean_gets_its_cluster_robust_error():
    found = clustered_mean(np.array([1.0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1, 0]), CODES)
    assert found.mean == pytest.approx(0.583333, abs=1e-6)
    assert found.naive_standard_error == pytest.approx(0.148647, abs=1e-6)
    assert found.standard_error == pytest.approx(0.209718, abs=1e-6)


def test_the_documented_differences_get_their_t_interval_by_cluster():
    found = clustered_mean(DIFFERENCES, CODES)
    assert found.mean == pytest.approx(0.1208333, abs=1e-7)
    assert found.naive_standard_error == pytest.approx(0.0497944, abs=1e-7)
    assert paired_t(DIFFERENCES).p == pytest.approx(0.0336, abs=5e-5)
    assert found.standard_error == pytest.approx(0.0850857, abs=1e-7)
    assert found.ci95.to_json() == pytest.approx([-0.14995, 0.39161], abs=5e-6)
    assert found.p == pytest.approx(0.25065, abs=5e-6)
    assert found.ratio == pytest.approx(0.0850857 / 0.0497944, rel=1e-5)


def test_clustered_errors_agree_with_statsmodels():
    generator = np.random.default_rng(3)
    codes = generator.integers(0, 40, 500)
    values = generator.normal(0.1, 1, 500) + generator.normal(0, 0.5, 40)[codes]
    fit = sm.OLS(values, np.ones(500)).fit(
        cov_type="cluster", cov_kwds={"groups": codes, "use_correction": False}
    )
    # statsmodels' own correction also has (n - 1) / (n - 1) for the mean: C / (C - 1) remains.
    expected = float(fit.bse[0]) * (40 / 39) ** 0.5
    assert clustered_mean(values, codes).standard_error == pytest.approx(expected, rel=1e-9)


@settings(deadline=None)
@given(st.lists(st.floats(-1, 1).map(lambda each: round(each, 3)), min_size=2, max_size=40))
def test_every_value_a_cluster_of_its_own_is_the_plain_t_test(values):
    differences = np.array(values)
    clustered = clustered_mean(differences, np.arange(len(values)))
    plain = paired_t(differences)
    assert clustered.standard_error == pytest.approx(plain.standard_error, rel=1e-9, abs=1e-12)
    assert clustered.p == pytest.approx(plain.p, rel=1e-6, abs=1e-12)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=4, max_size=40).filter(lambda codes: len(set(codes)) > 1)
)
def test_the_order_and_the_names_of_clusters_do_not_matter(codes):
    values = np.linspace(-1, 1, len(codes)) ** 3
    places = np.array(codes)
    found = clustered_mean(values, places)
    other = clustered_mean(values[::-1], (5 - places)[::-1])
    assert other.standard_error == pytest.approx(found.standard_error, rel=1e-9, abs=1e-12)
    assert found.clusters == len(set(codes))


def test_one_cluster_is_none():
    with pytest.raises(ValueError, match="two clusters"):
        clustered_mean(DIFFERENCES, np.zeros(12, dtype=np.int64))
    a = np.zeros(12)
    found = difference_of("continuous", a, DIFFERENCES, 1.0, np.zeros(12, dtype=np.int64))
    assert (found.ci_method, found.clusters) == ("t", None)


def test_without_a_change_a_whole_cluster_counts_as_one_pair():
    same = np.linspace(0, 1, 12)
    found = difference.clustered_difference(same, same, 1.0, CODES)
    assert not found.changed
    assert found.ci95 == difference.constant_change(0.0, 4, 1.0)


def test_a_binary_scorer_with_clusters_is_judged_by_cluster():
    a, b = np.zeros(12), np.repeat([1.0, 0.0], 6)
    judged = judge("binary", a, b, 1.0, 1, CODES)
    assert (judged.p_method, judged.found.ci_method, judged.second) == (
        "cluster_t",
        "cluster_t",
        None,
    )


@pytest.mark.parametrize("kind", ["binary", "continuous"])
def test_equal_differences_say_no_more_than_the_signs_of_their_clusters(kind):
    a = np.zeros(60)
    found = judge(kind, a, a + 1.0, 1.0, 1, np.repeat(np.arange(12), 5))
    assert found.found.standard_error == 0
    assert (found.p, found.p_method) == (2 / 2**12, "sign_flip")
