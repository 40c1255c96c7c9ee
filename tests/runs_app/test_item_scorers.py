"""An item may name the scorers of a run that apply to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from datasets_app.public import ItemRow
from runs_app.engine.scoring import NONE_ASKED, OTHERS_ASKED, bind, score

ITEM = ItemRow(1, 1, 1, None, '"2"', '"2"', "{}", None, "0" * 32)
SCORERS = [
    bind(1, {"use": "exact_match"}),
    bind(2, {"use": "contains", "name": "mentions"}),
]


@pytest.mark.parametrize(
    ("scorers_json", "scored"),
    [
        (None, [1, 2]),
        ('["exact_match"]', [1]),
        ('["mentions"]', [2]),
        ('["contains"]', [2]),
        ('[{"use": "contains", "name": "mentions"}]', [2]),
        ('["levenshtein"]', []),
        ("[]", []),
    ],
)
def test_what_the_item_leaves_out_is_not_scored(
    scorers_json: str | None, scored: list[int]
) -> None:
    rows = score(SCORERS, replace(ITEM, scorers_json=scorers_json), 0, '"2"')
    assert [row[0] for row in rows] == [1, 2]
    assert [row[0] for row in rows if row[3] == "scored"] == scored
    for row in rows:
        if row[0] not in scored:
            assert (row[3], row[4]) == ("not_scored", None)
            assert row[5] == (NONE_ASKED if scorers_json == "[]" else OTHERS_ASKED)
