"""Repetitions: the item stays the unit, and its noise says what would help."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs_app.statistics import repetitions
from runs_app.statistics.intervals import mean_t
from runs_app.statistics.repetitions import item_moments, repeated_side, weigh


def moments(rows: list[list[float]]):
    codes = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    return item_moments(codes, np.array([each for row in rows for each in row]), len(rows))


def test_five_items_four_times_have_the_documented_errors_by_item_and_pooled():
    rows = [[1.0] * passed + [0.0] * (4 - passed) for passed in (0, 1, 1, 3, 3)]
    found = moments(rows)
    assert mean_t(found.mean).standard_error == pytest.approx(0.150, abs=5e-4)
    assert mean_t(np.array(rows).ravel()).standard_error == pytest.approx(0.112, abs=5e-4)
    assert mean_t(found.mean).n == 5


def test_the_moments_of_an_item_are_those_of_its_repetitions():
    found = moments([[1.0, 0, 1], [0.5], [0.2, 0.4]])
    assert found.mean.tolist() == pytest.approx([2 / 3, 0.5, 0.3])
    assert found.variance[[0, 2]].tolist() == pytest.approx([1 / 3, 0.02])
    assert np.isnan(found.variance[1])
    assert found.count.tolist() == [3, 1, 2]


def test_an_item_without_a_value_has_no_mean():
    found = item_moments(np.array([0, 0, 2]), np.array([1.0, 0.0, 1.0]), 3)
    assert np.isnan(found.mean[1])
    assert repeated_side(found, binary=True).repetitions == 1.5


def test_flaky_items_neither_always_pass_nor_always_fail():
    side = repeated_side(moments([[1.0, 1], [0.0, 0], [1.0, 0], [0.0, 1]]), binary=True)
    assert (side.flaky, side.k) == (2, 2)
    assert side.pass_at_k == pytest.approx(0.75)
    assert side.pass_hat_k == pytest.approx(0.25)
    assert side.within == pytest.approx(0.25)
    assert side.noise == pytest.approx(0.125)


def test_a_continuous_scorer_has_no_flaky_items():
    side = repeated_side(moments([[0.5, 0.7], [0.2, 0.2]]), binary=False)
    assert (side.flaky, side.k, side.pass_at_k) == (None, None, None)


def test_noise_inside_the_items_calls_for_repetitions_and_between_them_for_items():
    noisy = repeated_side(moments([[1.0, 0]] * 10), binary=True)
    calm = repeated_side(moments([[1.0, 1], [0.0, 0]] * 5), binary=True)
    assert weigh(noisy, noisy, 0.6).advice == "repetitions"
    assert weigh(noisy, noisy, 0.6).noise_share == pytest.approx(0.5 / 0.6)
    assert weigh(calm, calm, 0.5).advice == "items"


def test_a_run_without_repetitions_hides_its_noise():
    once = repeated_side(moments([[1.0], [0.0]]), binary=True)
    noisy = repeated_side(moments([[1.0, 0]] * 10), binary=True)
    assert weigh(once, once, 0.5).noise_share is None
    assert weigh(once, noisy, 0.3).advice == "repetitions"
    assert weigh(once, noisy, 5.0).advice is None
    assert weigh(noisy, noisy, None).advice is None


def test_the_documented_chances_of_k_tries():
    assert repetitions.pass_at_k(np.array([10]), np.array([3]), 5)[0] == pytest.approx(0.9166667)
    assert repetitions.pass_hat_k(np.array([10]), np.array([7]), 3)[0] == pytest.approx(0.2916667)
    with pytest.raises(ValueError, match="cannot be drawn"):
        repetitions.pass_at_k(np.array([2]), np.array([1]), 3)


@settings(deadline=None)
@given(
    st.integers(1, 7).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))
)
def test_the_chances_of_k_tries_are_those_of_all_draws(case):
    n, passed, k = case
    draws = list(combinations([1] * passed + [0] * (n - passed), k))
    tries, good = np.array([n]), np.array([passed])
    assert repetitions.pass_at_k(tries, good, k)[0] == pytest.approx(
        sum(map(max, draws)) / len(draws)
    )
    assert repetitions.pass_hat_k(tries, good, k)[0] == pytest.approx(
        sum(map(min, draws)) / len(draws)
    )
