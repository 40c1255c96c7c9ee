"""Latency by Hodges-Lehmann, tokens and cost by paired t."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from runs_app.statistics import hodges_lehmann as module
from runs_app.statistics.hodges_lehmann import hodges_lehmann
from runs_app.statistics.measures import measure
from runs_app.statistics.paired import paired_t


def averages(values):
    rows, columns = np.triu_indices(len(values))
    return (values[rows] + values[columns]) / 2


values = st.lists(st.integers(-1_000, 1_000), min_size=1, max_size=40).map(
    lambda each: np.array(each, dtype=float)
)


@settings(deadline=None)
@given(values)
def test_the_estimate_is_the_median_of_all_pairwise_means(differences):
    estimate, interval = hodges_lehmann(differences)
    assert estimate == pytest.approx(float(np.median(averages(differences))))
    assert interval.low <= estimate <= interval.high


@settings(deadline=None)
@given(values)
def test_the_runs_swapped_mirror_estimate_and_interval(differences):
    estimate, interval = hodges_lehmann(differences)
    back, mirrored = hodges_lehmann(-differences)
    assert back == pytest.approx(-estimate)
    assert mirrored.to_json() == pytest.approx(interval.mirrored().to_json())


@pytest.mark.parametrize("n", [8, 15, 30])
def test_the_interval_holds_the_shifts_that_wilcoxon_does_not_refuse(n):
    differences = np.random.default_rng(n).normal(2, 10, n)
    _, interval = hodges_lehmann(differences)

    def p(shift: float) -> float:
        return float(stats.wilcoxon(differences - shift, method="exact").pvalue)

    step = 1e-6
    assert p(interval.low + step) > 0.05 >= p(interval.low - step)
    assert p(interval.high - step) > 0.05 >= p(interval.high + step)


@pytest.mark.parametrize("seed", range(4))
def test_counting_finds_what_making_all_averages_finds(seed, monkeypatch):
    generator = np.random.default_rng(seed)
    differences = generator.lognormal(3, 1, 3_000) - generator.lognormal(3, 1, 3_000)
    if seed == 3:
        differences = np.round(differences / 20)  # ties make stairs of the counts
    counted = hodges_lehmann(differences)
    monkeypatch.setattr(module, "ALL_AVERAGES", 5_000)
    exact = hodges_lehmann(differences)
    assert counted[0] == pytest.approx(exact[0], abs=1e-3)
    assert counted[1].to_json() == pytest.approx(exact[1].to_json(), abs=1e-3)


def test_equal_differences_have_no_width():
    estimate, interval = hodges_lehmann(np.full(5_000, 3.0))
    assert (estimate, interval.to_json()) == (3.0, [3.0, 3.0])


def test_a_few_very_slow_calls_do_not_move_latency():
    generator = np.random.default_rng(1)
    a = generator.normal(200, 20, 400)
    b = a + generator.normal(10, 5, 400)
    b[:5] += 1e6
    found = measure("latency_ms", a, b, "hodges_lehmann")
    assert found.delta == pytest.approx(10, abs=1)
    assert (found.change, found.method, found.p) == ("higher", "hodges_lehmann", None)


def test_tokens_and_cost_are_compared_by_paired_t_where_both_runs_say_them():
    a = np.array([10.0] * 12 + [np.nan, 5])
    b = np.concatenate([a[:12] + np.arange(12) * 0.1 - 2, [1.0, np.nan]])
    found = measure("tokens", a, b, "paired_t")
    test = paired_t((b - a)[:12])
    assert (found.n, found.delta, found.p) == (12, pytest.approx(test.mean), pytest.approx(test.p))
    assert found.change == "lower"


def test_below_10_pairs_there_are_means_only():
    found = measure("cost_usd", np.full(9, 1.0), np.full(9, 2.0), "paired_t")
    assert (found.n, found.a, found.b, found.delta, found.change) == (9, 1.0, 2.0, None, "none")
    empty = measure("cost_usd", np.full(9, np.nan), np.full(9, 2.0), "paired_t")
    assert (empty.n, empty.a) == (0, None)
