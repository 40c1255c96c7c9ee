"""What counts as a whole number in an address or a form."""

from __future__ import annotations

import pytest

from evalhub.kit.whole import LARGEST_ID, LARGEST_NUMBER, whole


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("007", 7),
        (str(LARGEST_NUMBER), LARGEST_NUMBER),
        (str(LARGEST_NUMBER + 1), None),
        ("9" * 5_000, None),
        ("", None),
        ("-1", None),
        ("1.0", None),
        ("²", None),
    ],
)
def test_a_text_is_a_whole_number_that_a_column_holds_or_none(text: str, number: int) -> None:
    assert whole(text) == number


def test_an_id_may_be_larger() -> None:
    assert whole(str(LARGEST_ID), LARGEST_ID) == LARGEST_ID
    assert whole(str(LARGEST_ID + 1), LARGEST_ID) is None
