"""Files made to break a database: every row is stored or named as a problem, on both backends."""

from __future__ import annotations

import json

import pytest

from datasets_app.actions.imports import apply_import, check_import, stage_import
from datasets_app.models import Dataset
from evalhub.access.models import User
from tests.datasets_app.jobs import ended, items

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

HOSTILE = [
    "a\x00b",
    "\ud800",
    "\U0001f600",
    "\u2028",
    "\\u0000",
    "\\ud800",
    "\x1b[31m",
    "NaN",
    "1e999",
    "9" * 500,
    "x" * 100_000,
    "\\.",
    "\\N",
    "\t\\t",
]


def _csv() -> bytes:
    lines = ["id,q,split,a"]
    lines += [f'"{v}","{v}","{v}",{n}' for n, v in enumerate(HOSTILE)]
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _jsonl() -> bytes:
    rows = [
        {"external_id": value, "input": {value: value}, "split": value, "expected_output": value}
        for value in HOSTILE
    ]
    raw = ['{"input": NaN}', '{"input": 1e999}', '{"input": "\\u0000"}', "{", "[" * 5000, "\x00"]
    return ("\n".join([json.dumps(row) for row in rows] + raw) + "\n").encode()


@pytest.mark.parametrize("checked", [False, True])
@pytest.mark.parametrize(("name", "content"), [("h.csv", _csv()), ("h.jsonl", _jsonl())])
def test_hostile_rows_never_stop_an_import(
    dataset: Dataset, owner: User, name: str, content: bytes, checked: bool
) -> None:
    job = stage_import(dataset=dataset, filename=f"{'n' * 250}{name}", chunks=[content], by=owner)
    if checked:
        job = ended(check_import(job=job, by=owner))
        assert job.state == "checked"
    job = ended(apply_import(job=job, by=owner))
    assert job.state == "done", job.message
    assert job.rows_good + job.rows_bad == job.rows_done > len(HOSTILE) - 3
    assert len(items(dataset)) == 3 + job.rows_good
