"""Planning figures against published vectors."""

import pytest

from runs_app.statistics import power


def test_required_items_follows_miller():
    assert power.required_items(1 / 9, 0.03) == pytest.approx(968.997, abs=5e-4)


def test_repetitions_divide_the_noise_within_items():
    once = power.required_items(0.1, 0.03, variance_a=0.2, variance_b=0.1)
    often = power.required_items(
        0.1, 0.03, variance_a=0.2, repetitions_a=4, variance_b=0.1, repetitions_b=2
    )
    assert once / often == pytest.approx((0.1 + 0.3) / (0.1 + 0.05 + 0.05))


@pytest.mark.parametrize(
    ("n", "points"), [(50, 17.7), (100, 12.5), (200, 8.9), (500, 5.6), (1000, 4.0)]
)
def test_smallest_detectable_difference_at_20_percent_changed(n, points):
    detectable = power.smallest_detectable_binary(n // 5, 0.0, n)
    assert 100 * detectable == pytest.approx(points, abs=0.051)


def test_at_least_5_percent_are_taken_to_change():
    assert power.smallest_detectable_binary(0, 0.0, 100) == power.smallest_detectable_binary(
        5, 0.0, 100
    )


def test_the_worked_example_needs_about_1470_items_for_3_points():
    assert power.required_items_binary(17, 100, 0.03) == pytest.approx(1474.7, abs=0.1)


def test_a_difference_above_the_share_changed_still_has_a_size():
    assert power.required_items_binary(1, 100, 0.5) > 0
