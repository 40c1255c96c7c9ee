"""The intervals against published vectors and statsmodels."""

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from runs_app.statistics.intervals import constant_mean, mean_t, mean_within, tango, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (0, 10, 0, 0.277533),
        (10, 10, 0.722467, 1),
        (8, 10, 0.490162, 0.943318),
        (45, 50, 0.786398, 0.956524),
        (0, 30, 0, 0.113513),
        (655, 1000, 0.624994, 0.683819),
    ],
)
def test_wilson_gives_the_documented_interval(successes, n, low, high):
    interval = wilson(successes, n)
    assert interval.low == pytest.approx(low, abs=6e-7)
    assert interval.high == pytest.approx(high, abs=6e-7)


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (3, 7), (999_999, 1_000_000)])
def test_wilson_agrees_with_statsmodels(successes, n):
    low, high = proportion_confint(successes, n, method="wilson")
    interval = wilson(successes, n)
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-12, abs=1e-15)


def test_wilson_ends_exactly_at_0_and_1():
    assert wilson(0, 7).low == 0.0
    assert wilson(7, 7).high == 1.0


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_counts_that_are_no_share(successes, n):
    with pytest.raises(ValueError, match="is not a share"):
        wilson(successes, n)


@pytest.mark.parametrize(
    ("improved", "regressed", "n", "low", "high"),
    [
        (12, 2, 50, 0.0611, 0.3447),
        (14, 0, 50, 0.1747, 0.4167),
        (30, 10, 54, 0.1461, 0.5549),
        (5, 12, 100, -0.1574, 0.0119),
        (0, 5, 30, -0.3356, -0.0342),
        (0, 0, 54, -0.0664, 0.0664),
    ],
)
def test_tango_gives_the_documented_interval(improved, regressed, n, low, high):
    interval = tango(improved, regressed, n)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=6e-5)


def test_tango_reaches_1_when_every_pair_improved():
    interval = tango(12, 0, 12)
    assert interval.high == 1.0
    assert 0.5 < interval.low < 1.0


def test_tango_works_for_one_pair():
    interval = tango(0, 1, 1)
    assert interval.low == -1.0
    assert -1.0 < interval.high < 1.0


def test_tango_narrows_with_less_confidence():
    wide, narrow = tango(5, 12, 100, 0.95), tango(5, 12, 100, 0.90)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_tango_nears_the_normal_interval_for_a_million_pairs():
    interval = tango(60_000, 50_000, 1_000_000)
    error = ((0.11 - 0.01**2) / 1_000_000) ** 0.5
    assert interval.low == pytest.approx(0.01 - 1.959964 * error, abs=1e-6)
    assert interval.high == pytest.approx(0.01 + 1.959964 * error, abs=1e-6)


@pytest.mark.parametrize(("improved", "regressed", "n"), [(1, 1, 1), (0, 0, 0), (-1, 2, 5)])
def test_tango_refuses_counts_that_are_not_among_the_pairs(improved, regressed, n):
    with pytest.raises(ValueError, match="are not among"):
        tango(improved, regressed, n)


def test_a_mean_has_no_interval_below_two_values():
    assert mean_t(np.array([])).mean is None
    single = mean_t(np.array([0.4]))
    assert (single.mean, single.standard_error, single.interval) == (0.4, None, None)


def test_a_mean_comes_with_its_t_interval():
    figures = mean_t(np.array([0.1, 0.4, 0.4, 0.9]))
    assert figures.mean == pytest.approx(0.45)
    assert figures.standard_error == pytest.approx(0.1658312)
    # t(3) at 97.5% is 3.182446.
    assert figures.interval.high - figures.mean == pytest.approx(3.182446 * 0.1658312, rel=1e-6)


@pytest.mark.parametrize("n", [1, 5, 10, 60, 1_000_000])
@pytest.mark.parametrize("confidence", [0.95, 0.90])
def test_equal_values_at_a_bound_have_the_score_intervals(n, confidence):
    def ends(value, bounds):
        return constant_mean(value, n, bounds, confidence).to_json()

    assert ends(0.0, (0.0, 1.0)) == pytest.approx(wilson(0, n, confidence).to_json(), abs=1e-12)
    assert ends(1.0, (0.0, 1.0)) == pytest.approx(wilson(n, n, confidence).to_json(), abs=1e-12)
    for delta, counts in ((0.0, (0, 0)), (1.0, (n, 0)), (-1.0, (0, n))):
        expected = tango(*counts, n, confidence).to_json()
        assert ends(delta, (-1.0, 1.0)) == pytest.approx(expected, abs=1e-10)


def test_equal_values_inside_their_bounds_reach_towards_both():
    """10 items: 27.7533% may lie elsewhere, at worst at 0 or at 1."""
    found = mean_within(np.full(10, 0.4), (0.0, 1.0))
    assert (found.mean, found.standard_error) == (0.4, 0.0)
    assert found.interval.to_json() == pytest.approx(
        [0.4 - 0.4 * 0.277533, 0.4 + 0.6 * 0.277533], abs=1e-6
    )


def test_no_mean_outside_the_bounds_is_claimed_possible():
    values = np.array([0.1, 0.4, 0.4, 0.9])
    free, held = mean_t(values), mean_within(values, (0.0, 1.0))
    assert free.interval.low < 0.0
    assert held.interval.to_json() == [0.0, free.interval.high]
    assert (held.n, held.mean, held.standard_error) == (free.n, free.mean, free.standard_error)
    assert mean_within(-values, (-1.0, 0.0)).interval.to_json() == [-free.interval.high, 0.0]


def test_values_beyond_the_declared_bounds_are_not_cut_away():
    values = np.array([0.5, 0.5, 1.5, 1.4])
    assert mean_within(values, (0.0, 1.0)).interval.high == min(mean_t(values).interval.high, 1.5)


def test_equal_values_without_bounds_have_no_interval_and_others_that_of_t():
    assert mean_within(np.full(10, 7.0), None).interval is None
    assert mean_within(np.full(10, 0.1 + 0.2) - 0.3, None).interval is None
    varied = np.array([0.1, 0.4, 0.4, 0.9])
    assert mean_within(varied, (-1.0, 2.0)) == mean_t(varied)
    assert mean_within(np.array([0.4]), (0.0, 1.0)).interval is None
