"""JSON Schemas of a dataset: what may be one, what it refuses, and that every way in asks it."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from datasets_app import leased_job, public, queries
from datasets_app.actions import add_items, update_item
from datasets_app.actions.item_schemas import set_schemas
from datasets_app.actions.items import current_item
from datasets_app.actions.versions import stored_schemas
from datasets_app.bulk import job as bulk_job
from datasets_app.bulk.schema_check import problems_file
from datasets_app.items import parse_item
from datasets_app.models import Dataset
from evalhub.access.models import User
from evalhub.kit.errors import Conflict, Invalid
from tests.datasets_app.jobs import items

pytestmark = [pytest.mark.db, pytest.mark.django_db]

TEXT = {"input": {"type": "string"}}
QUESTION = {
    "input": {
        "type": "object",
        "required": ["question"],
        "properties": {"question": {"type": "string", "minLength": 2}},
    }
}


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    sent: list[tuple[Any, ...]] = []
    for module in ("evalhub.kit.dispatch", "datasets_app.leased_job"):
        monkeypatch.setattr(f"{module}.wake_now", lambda *args: sent.append(args))
    return sent


def test_a_schema_is_a_version_and_is_carried_forward(empty: Dataset, owner: User) -> None:
    job = set_schemas(dataset=empty, schemas=QUESTION, by=owner)
    assert job is not None
    assert (job.state, job.version) == ("done", 1)
    version = queries.versions(empty).get(number=1)
    assert (version.message, version.item_count) == ("Schema of input set", 0)
    add_items(dataset=empty, contents=[parse_item({"input": {"question": "Why?"}})], by=owner)
    assert stored_schemas(empty.pk, 2) == stored_schemas(empty.pk, 1)
    assert stored_schemas(empty.pk, 0) == {}
    assert set_schemas(dataset=empty, schemas=stored_schemas(empty.pk, 2), by=owner) is None
    gone = set_schemas(dataset=empty, schemas={}, by=owner)
    assert gone is not None
    assert (gone.version, stored_schemas(empty.pk, 3)) == (3, {})
    assert queries.versions(empty).get(number=3).message == "Schema of input removed"


def test_a_schema_reads_as_it_was_written(empty: Dataset, owner: User) -> None:
    text = '{"type": "object",\n  "required": ["z", "a"], "maxProperties": 12345678901234567890}'
    set_schemas(dataset=empty, schemas={"metadata": text}, by=owner)
    assert stored_schemas(empty.pk, 1) == {"metadata": text}


def test_every_way_in_asks_the_schema(empty: Dataset, owner: User) -> None:
    set_schemas(dataset=empty, schemas=QUESTION, by=owner)
    good = parse_item({"input": {"question": "Why?"}})
    numbers = add_items(dataset=empty, contents=[good], by=owner)
    bad = [parse_item({"input": {"question": "?"}}), parse_item({"input": "Why?"})]
    with pytest.raises(Invalid, match="2 items do not match") as refused:
        add_items(dataset=empty, contents=[good, *bad], by=owner)
    assert [error.pointer for error in refused.value.errors] == [
        "/items/1/input/question",
        "/items/2/input",
    ]
    current = current_item(empty, numbers[0])
    with pytest.raises(Invalid) as refused:
        update_item(dataset=empty, number=1, revision=current.pk, content=bad[0], by=owner)
    assert [error.pointer for error in refused.value.errors] == ["/input/question"]
    row = public.datasets_by_id([empty.pk])[empty.pk]
    with pytest.raises(Invalid):
        public.add_item(dataset=row, payload={"input": 3}, by=owner)
    assert [item.input for item in items(empty)] == [{"question": "Why?"}]


def test_a_schema_that_items_break_is_refused_with_the_first_ten_and_the_whole_list(
    empty: Dataset, owner: User
) -> None:
    contents = [
        parse_item({"input": n if n % 2 else "t", "external_id": f"=id{n}"}) for n in range(1, 31)
    ]
    add_items(dataset=empty, contents=contents, by=owner)
    job = set_schemas(dataset=empty, schemas=TEXT | {"metadata": {"required": ["topic"]}}, by=owner)
    assert job is not None
    assert job.state == "failed"
    assert job.message == "30 of 30 items do not match. The schema was not changed."
    assert job.params["kinds"] == {"wrong type": 15, "missing field": 30}
    assert len(job.problems) == 10
    assert job.problems[0] == {
        "pointer": "/items/1/input",
        "detail": "1 is a number; text is needed.",
    }
    with problems_file(job).open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["item", "external_id", "pointer", "kind", "reason"]
    assert rows[2] == ["1", "'=id1", "/metadata/topic", "missing field", "“topic” is missing."]
    assert len(rows) == 46
    empty.refresh_from_db()
    assert (empty.version, empty.pending_version, stored_schemas(empty.pk, 1)) == (1, None, {})


def test_many_items_are_checked_in_the_background_and_a_crash_repeats_no_problem(
    empty: Dataset, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets_app.actions.item_schemas.INLINE_ITEMS", 10)
    monkeypatch.setattr(bulk_job, "BATCH_ITEMS", 7)
    add_items(dataset=empty, contents=[parse_item({"input": n}) for n in range(30)], by=owner)
    job = set_schemas(dataset=empty, schemas=TEXT, by=owner)
    assert job is not None
    assert job.state == "working"
    with pytest.raises(Conflict):
        add_items(dataset=empty, contents=[parse_item({"input": "late"})], by=owner)
    left = [2]
    monkeypatch.setattr(leased_job, "stopping", lambda: left.append(left.pop() - 1) or left[0] <= 0)
    bulk_job.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == ("working", 14)
    with problems_file(job).open("ab") as file:
        file.write(b"half a li")
    left[0] = 99
    bulk_job.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.params["broken"]) == ("failed", 30)
    with problems_file(job).open(newline="") as file:
        assert [row[0] for row in csv.reader(file)][1:] == [str(n) for n in range(1, 31)]


def test_only_a_schema_that_changes_is_checked_again(empty: Dataset, owner: User) -> None:
    add_items(dataset=empty, contents=[parse_item({"input": "a"})], by=owner)
    set_schemas(dataset=empty, schemas=TEXT, by=owner)
    job = set_schemas(dataset=empty, schemas=TEXT | {"metadata": {"type": "object"}}, by=owner)
    assert job is not None
    assert list(job.params["check"]) == ["metadata"]
    removed = set_schemas(dataset=empty, schemas=TEXT, by=owner)
    assert removed is not None
    assert (removed.state, removed.done) == ("done", 0)
