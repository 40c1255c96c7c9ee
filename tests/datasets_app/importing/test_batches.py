from pathlib import Path
from typing import Any

import pytest

from datasets_app.importing import batches
from datasets_app.importing.batches import Record, Tally
from datasets_app.importing.detect import Detected
from datasets_app.importing.drafts import compile
from datasets_app.importing.mapping import Mapping
from datasets_app.importing.problems import Problem, group
from datasets_app.importing.rows import open_rows


def in_batches(path: Path, text: str) -> list[list[Record]]:
    path.write_text(text)
    mapping = Mapping.from_options(["q", "a"], input=["q"], expected=["a"])
    with open_rows(path, Detected("csv", "utf-8", ",")) as source:
        found = batches.records(source, compile(mapping, source.columns))
        return [list(batch) for batch in batches.batches(found)]


def test_every_row_is_in_one_batch_in_order_problems_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_ROWS", 3)
    found = in_batches(tmp_path / "f", "q,a\n1,2\n3\n5,6\n7,8\n9,10\n11\n")
    assert [[one.line for one in batch] for batch in found] == [[2, 3, 4], [5, 6, 7]]
    assert isinstance(found[0][1], Problem)


def test_a_batch_of_huge_rows_is_closed_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_CHARS", 100)
    found = in_batches(tmp_path / "f", "q,a\n" + f"{'x' * 60},y\n" * 5)
    assert [len(batch) for batch in found] == [2, 2, 1]


def test_a_tally_that_was_stored_on_the_way_equals_one_grouping_of_all() -> None:
    kinds = ["too_long", "bad_json", "bad_json", "nul", "bad_json", "too_long"] * 4
    problems = [
        Problem(line, "a" if line % 2 else None, "v", kind, "r") for line, kind in enumerate(kinds)
    ]
    stored: list[dict[str, Any]] = []
    for start in range(0, len(problems), 5):
        tally = Tally(stored)
        tally.add(problems[start : start + 5])
        stored = tally.to_list()
    together = {(one.kind, one.column): one.to_dict() for one in group(problems)}
    assert {(one["kind"], one["column"]): one for one in stored} == together
    assert [one["count"] for one in stored] == sorted(
        (one["count"] for one in stored), reverse=True
    )
