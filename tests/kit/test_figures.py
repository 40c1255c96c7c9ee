"""Numbers as words."""

import math

import pytest

from evalhub.kit import figures


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 ms"),
        (0.4, "0.40 ms"),
        (0.004, "< 0.01 ms"),
        (0.996, "1 ms"),
        (9, "9 ms"),
        (340, "340 ms"),
        (999.6, "1.0 s"),
        (5_800, "5.8 s"),
        (59_960, "1 min"),
        (125_000, "2 min 5 s"),
        (3_840_000, "1 h 4 min"),
        (3_599_800, "1 h"),
        (180_000_000, "2 days 2 h"),
        (-700, "−700 ms"),
        (None, "–"),
    ],
)
def test_durations_use_the_two_largest_units(ms: float | None, text: str) -> None:
    assert figures.duration_ms(ms) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.913, "91.3%"),
        (1, "100%"),
        (0, "0%"),
        (0.9999, "99.99%"),
        (0.0002, "0.02%"),
        (-0.02, "−2.0%"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_a_share_near_the_end_never_reads_as_the_end(share: float | None, text: str) -> None:
    assert figures.percent(share) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0168, "p = 0.017"),
        (0.0995, "p = 0.10"),
        (0.16, "p = 0.16"),
        (0.001, "p = 0.0010"),
        (0.00099, "p < 0.001"),
        (0.0, "p < 0.001"),
        (1.0, "p = 1"),
        (None, "p –"),
    ],
)
def test_p_values_have_two_significant_digits_and_are_never_zero(
    p: float | None, text: str
) -> None:
    assert figures.p_value(p) == text


def test_a_p_value_without_its_name_fits_a_column() -> None:
    assert [figures.p_value(p, "") for p in (0.5, 0.0001)] == ["0.50", "< 0.001"]


def test_points_carry_a_true_minus_sign_and_no_signed_zero() -> None:
    assert figures.points(0.172) == "17.2 points"
    assert figures.points(-0.027, signed=True) == "−2.7 points"
    assert figures.points(0.172, signed=True, unit=False) == "+17.2"
    assert figures.points(-0.0001, signed=True) == "0.0 points"
    assert figures.points(None) == "–"


def test_money_shows_more_digits_below_ten_cents() -> None:
    assert [figures.money(v) for v in (0.84, 0.0123, 0, 1234.5)] == [
        *("$0.84", "$0.0123", "$0.00", "$1,234.50"),
    ]


def test_sizes_are_decimal() -> None:
    assert [figures.filesize(v) for v in (1, 340, 1_400_000, 999_960)] == [
        *("1 byte", "340 bytes", "1.4 MB", "1.0 MB"),
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5, "just now"),
        (720, "12 min ago"),
        (5 * 3600, "5 hours ago"),
        (86_400, "yesterday"),
        (3 * 86_400, "3 days ago"),
        (21 * 86_400, "3 weeks ago"),
        (40 * 86_400, "1 month ago"),
        (800 * 86_400, "2 years ago"),
        (-180, "in 3 min"),
    ],
)
def test_ages_are_told_in_one_unit(seconds: float, text: str) -> None:
    assert figures.ago(seconds) == text
