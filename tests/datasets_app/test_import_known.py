"""Rows that are known: left out, refused, or updating their items as part of the one version."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from datasets_app.actions import add_items
from datasets_app.actions.imports import (
    apply_import,
    cancel_import,
    check_import,
    map_import,
    stage_import,
)
from datasets_app.actions.item_schemas import set_schemas
from datasets_app.importing import job, known_ids
from datasets_app.importing.mapping import Mapping
from datasets_app.items import parse_item
from datasets_app.models import Dataset, DatasetVersion, ImportJob, ItemRevision
from evalhub.access.models import User
from evalhub.kit.errors import Invalid
from tests.datasets_app.jobs import Crash, StopAfter, ended, expire, items

pytestmark = [
    pytest.mark.db,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_messages"),
]

Load = Callable[..., ImportJob]


@pytest.fixture
def filled(empty: Dataset, owner: User) -> Dataset:
    """Items a to d with metadata that the files here do not name."""
    contents = [
        {"external_id": key, "input": f"q {key}", "expected_output": "old", "metadata": {"m": key}}
        for key in "abcd"
    ]
    add_items(dataset=empty, contents=[parse_item(one) for one in contents], by=owner)
    return empty


@pytest.fixture
def load(empty: Dataset, owner: User) -> Load:
    """Stages a file with the columns id, q and a."""

    def load(text: str, are: str, by: str = "external_id", with_id: bool = True) -> ImportJob:
        staged = stage_import(dataset=empty, filename="f.csv", chunks=[text.encode()], by=owner)
        mapping = Mapping.from_options(
            staged.columns,
            input=["q"],
            expected=["a"],
            external_id="id" if with_id else None,
            metadata=["m"] if "m" in staged.columns else [],
        )
        return map_import(job=staged, mapping=mapping, by=owner, known_by=by, known_are=are)

    return load


FILE = "id,q,a\na,q a,old\nb,q b,new\ne,q e,x\ne,q e,x\n"


def counts(done: ImportJob) -> tuple[int, int, int, int]:
    return done.rows_new, done.rows_updated, done.rows_known, done.rows_bad


@pytest.mark.parametrize(
    ("are", "found"),
    [("skip", (1, 0, 2, 1)), ("update", (1, 1, 2, 0)), ("refuse", (1, 0, 0, 3))],
)
def test_a_check_and_an_import_count_known_rows_the_same(
    are: str, found: tuple[int, ...], load: Load, filled: Dataset, owner: User
) -> None:
    assert counts(ended(check_import(job=load(FILE, are), by=owner))) == found
    assert counts(ended(apply_import(job=load(FILE, are), by=owner))) == found


def test_an_update_is_a_revision_that_keeps_what_no_column_gives(
    load: Load, filled: Dataset, owner: User
) -> None:
    ended(apply_import(job=load(FILE, "update"), by=owner))
    version = DatasetVersion.objects.get(dataset=filled, number=2)
    assert (version.added, version.changed, version.item_count) == (1, 1, 5)
    now = items(filled)
    assert [one.number for one in now] == [1, 2, 3, 4, 5]
    assert (now[1].expected_output, now[1].metadata, now[1].version_from) == ("new", {"m": "b"}, 2)
    before = ItemRevision.objects.filter(dataset=filled).at(1).get(number=2)
    assert before.expected_output == "old"
    assert now[1].content_hash != before.content_hash
    fresh = parse_item({"input": "q b", "expected_output": "new"})
    assert now[1].content_hash == fresh.content_hash


def test_two_rows_of_a_file_with_one_id_and_other_content_are_no_two_updates(
    load: Load, filled: Dataset, owner: User
) -> None:
    done = ended(apply_import(job=load("id,q,a\nb,q b,1\nb,q b,2\n", "update"), by=owner))
    assert counts(done) == (0, 1, 0, 1)
    assert "belongs to f.csv, line 2" in done.problems[0]["examples"][0]["reason"]


@pytest.mark.parametrize("are", ["skip", "update", "refuse"])
def test_rows_are_known_by_their_content_too(
    are: str, load: Load, filled: Dataset, owner: User
) -> None:
    text = "q,a,m\nq a,old,a\nq b,old,other\nq x,y,z\nq x,y,z\n"
    found = {"skip": (1, 0, 3, 0), "update": (1, 1, 2, 0), "refuse": (1, 0, 0, 3)}[are]
    checked = ended(check_import(job=load(text, are, "content", False), by=owner))
    assert counts(checked) == found
    assert counts(ended(apply_import(job=load(text, are, "content", False), by=owner))) == found
    now = items(filled)
    assert now[1].metadata == {"m": "other" if are == "update" else "b"}
    assert now[1].external_id == "b"


def test_an_id_that_is_taken_is_told_even_when_rows_are_known_by_content(
    load: Load, filled: Dataset, owner: User
) -> None:
    done = ended(
        apply_import(job=load("id,q,a\na,other,x\nz,q z,x\n", "skip", "content"), by=owner)
    )
    assert counts(done) == (1, 0, 0, 1)
    assert done.problems[0]["kind"] == "external_id_taken"


ROWS = [f"{key},q {key},new" for key in "abcd"] + [f"n{n},q {n},x" for n in range(36)]


@pytest.mark.parametrize("committed", [1, 2, 3])
def test_updates_go_on_after_a_crash(
    committed: int,
    load: Load,
    filled: Dataset,
    owner: User,
    small_batches: None,
    stop_after: StopAfter,
) -> None:
    text = "id,q,a\n" + "\n".join(ROWS[committed:] + ROWS[:committed]) + "\n"
    started = apply_import(job=load(text, "update"), by=owner)
    stop_after(committed)
    with pytest.raises(Crash):
        job.work(started.pk)
    assert [one.expected_output for one in items(filled)] == ["old"] * 4
    expire(started)
    done = ended(started)
    assert (done.state, counts(done)) == ("done", (36, 4, 0, 0))
    now = items(filled)
    assert [one.expected_output for one in now] == ["new"] * 4 + ["x"] * 36
    assert len({one.external_id for one in now}) == 40


def test_a_cancelled_import_takes_its_updates_back(
    load: Load, filled: Dataset, owner: User, small_batches: None, stop_after: StopAfter
) -> None:
    started = apply_import(job=load("id,q,a\n" + "\n".join(ROWS) + "\n", "update"), by=owner)
    stop_after(2)
    with pytest.raises(Crash):
        job.work(started.pk)
    assert ItemRevision.objects.filter(dataset=filled, version_to=2).count() == 4
    cancel_import(job=started, by=owner)
    assert ended(started).state == "cancelled"
    assert [one.expected_output for one in items(filled)] == ["old"] * 4
    assert ItemRevision.objects.filter(dataset=filled, version_to=None).count() == 4
    assert ItemRevision.objects.filter(dataset=filled).count() == 4


def test_new_ids_are_left_to_the_database_and_looked_up_once_one_is_taken(
    load: Load,
    filled: Dataset,
    owner: User,
    small_batches: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[int] = []
    real = known_ids.by_external_id

    def look(dataset_id: int, wanted: Any) -> Any:
        looked.append(len(wanted))
        return real(dataset_id, wanted)

    monkeypatch.setattr(known_ids, "by_external_id", look)
    rows = [f"n{n},q {n},x" for n in range(20)] + ["n3,q 3,x"] + [f"m{n},q,x" for n in range(29)]
    done = ended(apply_import(job=load("id,q,a\n" + "\n".join(rows) + "\n", "skip"), by=owner))
    assert counts(done) == (49, 0, 1, 0)
    assert looked == [10, 10]  # the third batch, and the fourth until it is sure again


def test_a_row_that_breaks_a_schema_is_a_problem_with_its_column_and_a_suggestion(
    load: Load, empty: Dataset, owner: User
) -> None:
    schema = {"enum": ["billing", "sales"]}
    set_schemas(dataset=empty, schemas={"expected_output": schema}, by=owner)
    done = ended(apply_import(job=load("id,q,a\n1,q,biling\n2,q,sales\n", "skip"), by=owner))
    assert (done.rows_new, done.rows_bad) == (1, 1)
    (group,) = done.problems
    (told,) = group["examples"]
    assert group["title"] == "Against the schema: a"
    assert (told["line"], told["value"], told["suggestion"]) == (
        2,
        "biling",
        "Did you mean billing?",
    )


def test_the_mapping_is_remembered_for_the_next_file_with_the_same_columns(
    load: Load, empty: Dataset, owner: User
) -> None:
    first = load("id,q,a\n1,q,x\n", "skip")
    again = stage_import(dataset=empty, filename="g.csv", chunks=[b"id,q,a\n2,r,y\n"], by=owner)
    assert again.mapping == first.mapping
    other = stage_import(dataset=empty, filename="g.csv", chunks=[b"id,q,b\n2,r,y\n"], by=owner)
    assert other.mapping["columns"][2]["destination"] == "metadata"


def test_a_packed_upload_is_unpacked_and_a_choice_that_is_not_known_is_refused(
    load: Load, empty: Dataset, owner: User
) -> None:
    data = gzip.compress(b"id,q,a\n1,q,x\n")
    staged = stage_import(dataset=empty, filename="f.csv.gz", chunks=[data], by=owner)
    assert (staged.reading["inside"], staged.size) == ("f.csv", 13)
    mapping = Mapping.from_dict(staged.mapping)
    with pytest.raises(Invalid, match="“never” is not one of skip, update, refuse"):
        map_import(job=staged, mapping=mapping, by=owner, known_are="never")
