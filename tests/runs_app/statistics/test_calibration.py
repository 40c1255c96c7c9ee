"""A scorer against people's labels, beside statsmodels and scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa as oracle_kappa

from runs_app.statistics.calibration import agreement, closeness, cohens_kappa, ranks
from runs_app.statistics.intervals import wilson

pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=60)


@settings(deadline=None)
@given(pairs)
def test_kappa_agrees_with_statsmodels(rows):
    a, b = zip(*rows, strict=True)
    table = np.zeros((4, 4))
    np.add.at(table, (a, b), 1)
    found = cohens_kappa([str(each) for each in a], [str(each) for each in b])
    if found is None:
        assert len(set(a) | set(b)) == 1
    else:
        assert found == pytest.approx(oracle_kappa(table, return_results=False), abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=50))
def test_ranks_share_what_equal_values_have(values):
    assert ranks(np.array(values, dtype=float)).tolist() == stats.rankdata(values).tolist()


def test_agreement_and_kappa_by_hand():
    """4 of 6 agree; by chance 1/2 would, so kappa is (2/3 - 1/2) / (1/2)."""
    found = agreement(
        ["pass", "pass", "fail", "fail", "fail", "pass"],
        ["pass"] * 2 + ["fail"] * 2 + ["pass", "fail"],
    )
    assert (found.figures.n, found.figures.accuracy) == (6, pytest.approx(4 / 6))
    assert found.figures.accuracy_ci95 == wilson(4, 6)
    assert found.figures.matrix == ((2, 1), (1, 2))
    assert found.kappa == pytest.approx(1 / 3)


def test_numbers_are_held_against_numbers():
    scores = np.array([0.9, 0.8, 0.4, 0.2, 0.7, 0.1])
    labels = np.array([1.0, 0.7, 0, 0.3, 0, 1])
    found = closeness(scores, labels)
    assert found.pearson == pytest.approx(stats.pearsonr(scores, labels)[0])
    assert found.spearman == pytest.approx(stats.spearmanr(scores, labels)[0])
    assert found.mean_error == pytest.approx((scores - labels).mean())
    assert found.mean_absolute_error == pytest.approx(np.abs(scores - labels).mean())
    expected = stats.ttest_1samp(scores - labels, 0).confidence_interval(0.95)
    assert found.mean_error_ci95.to_json() == pytest.approx([expected.low, expected.high])


def test_raters_who_never_vary_have_no_kappa_and_no_correlation():
    assert agreement(["pass"] * 5, ["pass"] * 5).kappa is None
    assert agreement(["pass"] * 5, ["fail"] * 5).kappa == 0
    same = closeness(np.ones(5), np.ones(5))
    assert (same.pearson, same.spearman, same.mean_error) == (None, None, 0)
    with pytest.raises(ValueError, match="aligned"):
        closeness(np.ones(5), np.ones(2))
