"""The paired tests against published vectors, statsmodels, scipy.stats and whole numbers."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from runs_app.statistics import paired

A = np.array([0.9, 0.8, 0.75, 0.6, 1, 0.4, 0.85, 0.7, 0.95, 0.5])
B = np.array([0.8, 0.85, 0.6, 0.55, 1, 0.3, 0.8, 0.72, 0.9, 0.35])


@pytest.mark.parametrize(
    ("b", "c", "exact", "midp"),
    [
        (0, 5, 0.0625, 0.03125),
        (1, 6, 0.125, 0.0703125),
        (2, 10, 0.0385742, 0.0224609),
        (5, 15, 0.0413895, 0.0266037),
        (12, 30, 0.00791590, 0.00540157),
        (40, 20, 0.0134893, 0.0098535),
        (0, 0, 1, 1),
    ],
)
def test_mcnemar_gives_the_documented_p(b, c, exact, midp):
    assert paired.mcnemar_exact(b, c) == pytest.approx(exact, rel=2e-6)
    assert paired.mcnemar_midp(b, c) == pytest.approx(midp, rel=2e-5 if b == 40 else 2e-6)


@pytest.mark.parametrize(("b", "c"), [(3, 9), (9, 3), (7, 7), (64, 293), (1, 0)])
def test_exact_mcnemar_agrees_with_statsmodels(b, c):
    oracle = mcnemar([[10, b], [c, 10]], exact=True).pvalue
    assert paired.mcnemar_exact(b, c) == pytest.approx(oracle, rel=1e-9)


@pytest.mark.parametrize(("b", "c"), [(64, 293), (43, 499), (2000, 3000), (100, 900), (0, 800)])
def test_mid_p_keeps_nine_digits_far_out_in_the_tail(b, c):
    n, fewer = b + c, min(b, c)
    weights = 2 * sum(comb(n, k) for k in range(fewer + 1)) - comb(n, fewer)
    assert paired.mcnemar_midp(b, c) == pytest.approx(float(Fraction(weights, 2**n)), rel=1e-9)


def test_mid_p_of_a_million_changes_is_that_of_the_normal_test():
    b, c = 501_500, 498_500
    z = (b - c) / (b + c) ** 0.5
    # Mid-p is the continuity-free p: its error at this size is of order 1/n.
    assert paired.mcnemar_midp(b, c) == pytest.approx(2 * stats.norm.sf(z), rel=1e-5)


def test_mid_p_of_as_many_up_as_down_is_1():
    assert paired.mcnemar_midp(500_000, 500_000) == 1.0


def test_paired_t_gives_the_documented_figures():
    test = paired.paired_t(A - B)
    assert test.mean == pytest.approx(0.058)
    assert test.standard_error == pytest.approx(0.0215407, rel=2e-6)
    assert test.t == pytest.approx(2.692582, rel=1e-6)
    assert test.p == pytest.approx(0.0246919, rel=2e-6)
    assert (test.ci95.low, test.ci95.high) == pytest.approx((0.0092716, 0.1067284), abs=6e-8)


def test_paired_t_agrees_with_statsmodels_far_out_in_the_tail():
    from statsmodels.stats.weightstats import DescrStatsW

    differences = np.random.default_rng(5).normal(0.4, 1.0, 2_000)
    oracle = DescrStatsW(differences)
    test = paired.paired_t(differences)
    assert (test.t, test.p) == pytest.approx(oracle.ttest_mean(0)[:2], rel=1e-9)
    assert test.p < 1e-50
    assert (test.ci90.low, test.ci90.high) == pytest.approx(oracle.tconfint_mean(alpha=0.1))


def test_equal_differences_have_no_t():
    assert paired.paired_t(np.full(12, 0.5)).t is None
    assert paired.paired_t(np.full(12, 0.5)).p == 0.0
    assert paired.paired_t(np.zeros(12)).p == 1.0


def test_paired_t_needs_two_differences():
    with pytest.raises(ValueError, match="at least two"):
        paired.paired_t(np.array([0.3]))


def test_sign_flip_gives_the_documented_exact_p():
    assert paired.sign_flip(A - B, seed=1) == 0.0390625


def test_sign_flip_is_exact_up_to_14_nonzero_differences():
    differences = np.concatenate([np.full(14, 0.1), np.zeros(100)])
    assert paired.sign_flip(differences, seed=1) == 2 / 2**14


def test_sign_flip_draws_above_14_and_is_never_0():
    assert paired.sign_flip(np.full(60, 0.1), seed=1) == 1 / 10_000


def test_sign_flip_by_draws_is_near_the_t_test_for_normal_differences():
    differences = np.random.default_rng(3).normal(0.15, 1.0, 200)
    assert paired.sign_flip(differences, seed=1) == pytest.approx(
        paired.paired_t(differences).p, abs=0.01
    )


def test_sign_flip_of_nothing_is_1():
    assert paired.sign_flip(np.zeros(20), seed=1) == 1.0


def test_the_seed_fixes_the_draws():
    differences = np.random.default_rng(3).normal(0.2, 1.0, 40)
    assert paired.sign_flip(differences, 7) == paired.sign_flip(differences, 7)
    assert paired.bca(differences, 7) == paired.bca(differences, 7)
    assert paired.bca(differences, 7) != paired.bca(differences, 8)


def test_bca_agrees_with_scipy_on_skewed_differences():
    differences = np.random.default_rng(11).exponential(1.0, 40) - 0.7
    oracle = stats.bootstrap(
        (differences,), np.mean, n_resamples=9_999, method="BCa", rng=np.random.default_rng(2)
    ).confidence_interval
    bca95, bca90 = paired.bca(differences, seed=1)
    # Two sets of draws: their ends differ by a few hundredths of a standard error (0.16 here).
    assert (bca95.low, bca95.high) == pytest.approx((oracle.low, oracle.high), abs=0.03)
    assert bca95.low < bca90.low < bca90.high < bca95.high
    # Unlike t, it leans to the long tail.
    assert bca95.high - differences.mean() > differences.mean() - bca95.low


def test_bca_of_equal_differences_has_no_width():
    assert paired.bca(np.full(10, 0.25), seed=1)[0].to_json() == [0.25, 0.25]


def test_skewness_agrees_with_scipy_and_is_0_for_equal_values():
    values = np.random.default_rng(4).exponential(1.0, 300)
    assert paired.skewness(values) == pytest.approx(stats.skew(values))
    assert paired.skewness(np.full(5, 0.2)) == 0.0


def test_correlation_is_pearsons_and_none_for_equal_scores():
    assert paired.correlation(A, B) == pytest.approx(np.corrcoef(A, B)[0, 1])
    assert paired.correlation(A, np.ones(10)) is None
