"""Adjusted p-values against the published vector and statsmodels."""

import pytest
from statsmodels.stats.multitest import multipletests

from runs_app.statistics.multiplicity import benjamini_hochberg, holm

PS = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205]


def test_benjamini_hochberg_gives_the_documented_q():
    documented = [0.008, 0.032, 0.0672, 0.0672, 0.0672, 0.08, 0.0845714, 0.205]
    assert benjamini_hochberg(PS) == pytest.approx(documented, rel=1e-6)


def test_holm_starts_as_documented():
    assert holm(PS)[:3] == pytest.approx([0.008, 0.056, 0.234])


@pytest.mark.parametrize(
    ("adjust", "name"), [(benjamini_hochberg, "fdr_bh"), (holm, "holm")], ids=["bh", "holm"]
)
def test_adjusted_values_keep_the_order_of_the_input_and_agree_with_statsmodels(adjust, name):
    shuffled = [0.5, 0.001, 0.04, 0.04, 1.0, 0.0, 0.9]
    assert adjust(shuffled) == pytest.approx(multipletests(shuffled, method=name)[1])


@pytest.mark.parametrize("adjust", [benjamini_hochberg, holm])
def test_one_p_stays_and_none_gives_none(adjust):
    assert adjust([0.03]) == [0.03]
    assert adjust([]) == []
