"""Figures in words."""

import pytest

from runs_app.statistics import wording
from runs_app.statistics.values import Interval


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0166, "p = 0.017"),
        (0.71, "p = 0.71"),
        (0.5, "p = 0.50"),
        (1.0, "p = 1.0"),
        (0.0026873, "p = 0.0027"),
        (0.001, "p = 0.0010"),
        (0.00099999, "p < 0.001"),
        (2.4e-36, "p < 0.001"),
        (0.0, "p < 0.001"),
    ],
)
def test_p_has_two_significant_digits_and_is_never_0(p, text):
    assert wording.p_text(p) == text


def test_q_is_written_the_same_way():
    assert wording.p_text(0.04, "q") == "q = 0.040"


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.07, "−7.0"), (0.012, "+1.2"), (0.0, "0.0"), (-0.0003, "−0.03"), (1e-9, "0.0")],
)
def test_points_have_their_sign_and_never_round_to_a_false_0(value, text):
    assert wording.signed(value, 0.01) == text


@pytest.mark.parametrize(
    ("value", "text"), [(-0.0712, "−0.0712"), (12345.6, "+12,346"), (0.0, "0"), (0.5, "+0.5")]
)
def test_without_a_range_a_figure_stays_in_its_own_unit(value, text):
    assert wording.signed(value, None) == text


def test_an_interval_says_to():
    assert wording.span(Interval(-0.13, -0.014), 0.01) == "−13.0 to −1.4"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1474.7, "1,470"), (968.6, "969"), (1475.2, "1,480"), (23_456.0, "23,500"), (12.4, "12")],
)
def test_planned_counts_have_three_significant_digits(value, text):
    assert wording.three_digits(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.1138, "11 points"), (0.0396, "4.0 points"), (0.0997, "10 points")]
)
def test_what_can_be_detected_is_only_about(value, text):
    assert wording.about(value, 0.01) == text


def test_one_is_singular():
    assert (wording.items(1), wording.items(1319)) == ("1 item", "1,319 items")
    assert (wording.points(1), wording.points(2.5)) == ("1 point", "2.5 points")
