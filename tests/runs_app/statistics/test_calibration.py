"""A scorer against people's labels, beside statsmodels and scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa as oracle_kappa

from runs_app.statistics.calibration import calibrate, cohens_kappa, ranks

pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=60)


@settings(deadline=None)
@given(pairs)
def test_kappa_agrees_with_statsmodels(rows):
    a, b = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    table = np.zeros((4, 4))
    np.add.at(table, (a.astype(int), b.astype(int)), 1)
    found = cohens_kappa(a, b)
    if found is None:
        assert len(set(a) | set(b)) == 1
    else:
        assert found == pytest.approx(oracle_kappa(table, return_results=False), abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=50))
def test_ranks_share_what_equal_values_have(values):
    assert ranks(np.array(values, dtype=float)).tolist() == stats.rankdata(values).tolist()


def test_a_judge_is_held_against_labels_at_its_pass_mark():
    scores = np.array([0.9, 0.8, 0.4, 0.2, 0.7, 0.1])
    labels = np.array([1.0, 1, 0, 0, 0, 1])
    found = calibrate(scores, labels, pass_mark=0.5)
    assert (found.n, found.agreement) == (6, pytest.approx(4 / 6))
    assert found.kappa == pytest.approx(1 / 3)
    assert found.pearson == pytest.approx(stats.pearsonr(scores, labels)[0])
    assert found.spearman == pytest.approx(stats.spearmanr(scores, labels)[0])
    assert found.mean_error == pytest.approx((scores - labels).mean())
    assert found.mean_absolute_error == pytest.approx(np.abs(scores - labels).mean())
    assert found.mean_error_ci95.low < found.mean_error < found.mean_error_ci95.high


def test_without_a_mark_values_agree_within_a_tolerance():
    scores, labels = np.array([3.0, 4.0, 5.0]), np.array([3.0, 4.5, 3.0])
    assert calibrate(scores, labels).agreement == pytest.approx(1 / 3)
    assert calibrate(scores, labels, tolerance=0.5).agreement == pytest.approx(2 / 3)


def test_raters_who_never_vary_have_no_kappa_and_no_correlation():
    same = np.ones(5)
    found = calibrate(same, same)
    assert (found.agreement, found.kappa, found.pearson, found.spearman) == (1.0, None, None, None)
    with pytest.raises(ValueError, match="aligned"):
        calibrate(same, same[:2])
