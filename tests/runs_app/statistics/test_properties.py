"""What holds for every input."""

from math import inf, isclose

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs_app.statistics import paired
from runs_app.statistics.intervals import normal_quantile, tango, wilson
from runs_app.statistics.multiplicity import benjamini_hochberg, holm

# The first call of a function imports scipy, which a deadline would take for slowness.
UNHURRIED = settings(deadline=None)

counts = st.integers(0, 2_000)
cells = st.tuples(counts, counts, counts).filter(lambda cell: sum(cell) > 0)
differences = st.lists(
    st.floats(-1, 1, allow_nan=False).map(lambda value: round(value, 3)), min_size=2, max_size=60
).map(np.array)
ps = st.lists(st.floats(0, 1), max_size=20)


@UNHURRIED
@given(cells)
def test_swapping_the_runs_mirrors_tangos_interval(cell):
    up, down, _ = cell
    assert tango(up, down, sum(cell)) == tango(down, up, sum(cell)).mirrored()


@UNHURRIED
@given(cells)
def test_tangos_interval_holds_the_difference_and_stays_within_1(cell):
    up, down, _ = cell
    n = sum(cell)
    interval = tango(up, down, n)
    assert -1 <= interval.low <= (up - down) / n <= interval.high <= 1


@UNHURRIED
@given(st.integers(1, 1_000_000))
def test_without_a_changed_pair_tango_is_z2_over_n_plus_z2(n):
    z2 = normal_quantile(0.95) ** 2
    interval = tango(0, 0, n)
    assert interval.high == pytest.approx(z2 / (n + z2), rel=1e-9)
    assert interval.low == -interval.high


@UNHURRIED
@given(cells)
def test_tangos_ends_are_where_the_score_test_turns(cell):
    """The definition, with the constrained share found by its own equation instead of a root."""
    up, down, _ = cell
    n = sum(cell)
    end = tango(up, down, n).high
    if end > 1 - 1e-9:
        return
    share = _likeliest_share(up, down, n, end)
    variance = n * (2 * share + end * (1 - end))
    assert isclose(
        (n * end - (up - down)) ** 2, normal_quantile(0.95) ** 2 * variance, rel_tol=1e-6
    )


def _likeliest_share(up: int, down: int, n: int, delta: float) -> float:
    """The share of falls with the greatest likelihood when rises exceed falls by delta."""
    low, high = max(0.0, -delta), (1 - delta) / 2

    def slope(q: float) -> float:
        terms = ((down, q), (up, q + delta), (-2 * (n - up - down), 1 - 2 * q - delta))
        return sum(count / share if share > 0 else count * inf for count, share in terms if count)

    for _ in range(200):
        middle = (low + high) / 2
        if slope(middle) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@UNHURRIED
@given(st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_mirrors(case):
    successes, n = case
    interval, other = wilson(successes, n), wilson(n - successes, n)
    assert 0 <= interval.low <= successes / n <= interval.high <= 1
    assert interval.low == pytest.approx(1 - other.high, abs=1e-12)


@UNHURRIED
@given(counts, counts)
def test_mid_p_lies_between_half_the_exact_p_and_the_exact_p(b, c):
    exact = paired.mcnemar_exact(b, c)
    assert exact / 2 <= paired.mcnemar_midp(b, c) <= exact * (1 + 1e-12)
    assert paired.mcnemar_midp(b, c) == paired.mcnemar_midp(c, b)


@UNHURRIED
@given(differences)
def test_swapping_the_runs_mirrors_the_t_interval_and_keeps_p(values):
    there, back = paired.paired_t(values), paired.paired_t(-values)
    assert there.ci95 == back.ci95.mirrored()
    assert there.p == back.p
    assert there.ci95.low <= there.ci90.low <= there.mean <= there.ci90.high <= there.ci95.high


@settings(max_examples=15, deadline=None)
@given(differences)
def test_swapping_the_runs_keeps_the_sign_flip_p_and_mirrors_bca(values):
    assert paired.sign_flip(values, 3) == paired.sign_flip(-values, 3)
    there, back = paired.bca(values, 3)[0], paired.bca(-values, 3)[0].mirrored()
    assert (there.low, there.high) == pytest.approx((back.low, back.high), abs=1e-9)


@UNHURRIED
@given(ps)
def test_adjusting_never_makes_a_p_smaller_and_holm_is_the_stricter(values):
    for raw, q, strict in zip(values, benjamini_hochberg(values), holm(values), strict=True):
        assert raw <= q * (1 + 1e-12)
        assert q <= strict * (1 + 1e-12)
        assert strict <= 1
