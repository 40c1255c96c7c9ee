"""The messy file, from its bytes to the version and the file of errors."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from datasets_app.actions.imports import apply_import, check_import, map_import, stage_import
from datasets_app.importing.mapping import Mapping
from datasets_app.models import Dataset, ImportJob
from evalhub.access.models import User
from tests.datasets_app.jobs import ended, items
from tests.messy import BAD, NAME, ROWS, write_messy

pytestmark = [
    pytest.mark.db,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_messages"),
]

COLUMNS = [
    {"column": "id", "destination": "external_id"},
    {"column": "subject", "destination": "input"},
    {"column": "body", "destination": "input"},
    {"column": "channel", "destination": "metadata", "key": "via.channel"},
    {"column": "queue", "destination": "expected_output"},
    {"column": "priority", "destination": "expected_output", "read_as": "number"},
    {"column": "details", "destination": "metadata", "key": "", "read_as": "json"},
    {"column": "created at", "destination": "metadata", "key": "created"},
]


@pytest.fixture
def staged(tmp_path: Path, empty: Dataset, owner: User) -> ImportJob:
    data = write_messy(tmp_path).read_bytes()
    job = stage_import(dataset=empty, filename=NAME, chunks=[data], by=owner)
    reading = job.reading
    assert (reading["format"], reading["encoding"], reading["delimiter"]) == ("csv", "cp1252", ";")
    return map_import(job=job, mapping=Mapping.from_dict({"columns": COLUMNS}), by=owner)


def test_the_check_finds_all_bad_rows_and_says_of_each_where_and_why(
    staged: ImportJob, owner: User
) -> None:
    checked = ended(check_import(job=staged, by=owner))
    assert (checked.state, checked.rows_total) == ("checked", ROWS)
    assert (checked.rows_good, checked.rows_bad) == (ROWS - BAD, BAD)
    counts = {one["title"]: one["count"] for one in checked.problems}
    assert counts == {
        "Not a number: priority": 12,
        "Not valid JSON: details": 8,
        "Row too short: details": 6,
        "Row too long": 4,
        "NUL character: subject": 3,
        "Stray quote": 2,
        "External ID taken: id": 2,
    }
    with checked.problems_file.open(newline="", encoding="utf-8") as file:
        told = list(csv.DictReader(file))
    assert len(told) == BAD
    assert all(one["line"] and one["kind"] and one["reason"] and one["row"] for one in told)
    assert {one["suggestion"] for one in told} >= {
        "Did you mean 1.5? Or read the column as numbers with a decimal comma.",
        'It is written as in Python. Did you mean {"browser":"Safari"}?',
    }


def test_the_good_rows_become_one_version_with_everything_in_its_place(
    staged: ImportJob, empty: Dataset, owner: User
) -> None:
    done = ended(apply_import(job=staged, by=owner))
    assert (done.state, done.version) == ("done", 1)
    found = items(empty)
    assert len(found) == ROWS - BAD
    second = found[1]
    assert second.external_id == "T-0001"
    assert second.input["body"] == "Hello,\nmy card shows “two” payments; please refund 1 €."
    assert second.expected_output == {"queue": "account", "priority": 2}
    assert list(second.metadata) == ["via", "browser", "seen", "created"]
