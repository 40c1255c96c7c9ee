"""The work of an import: exactly once, all or nothing, whatever happens on the way."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from datasets_app.actions import add_items, create_dataset
from datasets_app.actions.imports import (
    apply_import,
    cancel_import,
    check_import,
    map_import,
    reread_import,
    stage_import,
)
from datasets_app.actions.versions import content_of
from datasets_app.importing import batches, job, sweeper
from datasets_app.importing.mapping import Mapping, MappingError
from datasets_app.importing.preview import preview
from datasets_app.importing.problems import ImportFileError
from datasets_app.items import parse_item
from datasets_app.models import Dataset, ImportJob, ItemRevision
from evalhub.access.models import Project, User
from evalhub.kit.clock import in_seconds
from evalhub.kit.errors import Conflict, Invalid, Unavailable

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_messages(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The tests call work() themselves; what would have been sent is collected."""
    sent: list[tuple[str, Any]] = []

    def collect(task: str, *args: Any) -> None:
        sent.append((task, *args))

    monkeypatch.setattr("evalhub.kit.dispatch.wake_now", collect)
    monkeypatch.setattr(job, "wake_now", collect)
    monkeypatch.setattr(sweeper, "wake_now", collect)
    return sent


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_ROWS", 10)
    monkeypatch.setattr(job, "BATCH_ROWS", 10)


@pytest.fixture
def empty(project: Project, owner: User) -> Dataset:
    return create_dataset(project=project, name="Tickets", by=owner)


Stage = Callable[..., ImportJob]


@pytest.fixture
def stage(empty: Dataset, owner: User) -> Stage:
    """Stages CSV text with q as input, a as expected output and id, if there, as external id."""

    def stage(text: str, name: str = "tickets.csv", **options: Any) -> ImportJob:
        staged = stage_import(
            dataset=empty, filename=name, chunks=[text.encode()], by=owner, **options
        )
        mapping = Mapping.from_options(
            staged.columns,
            input=["q"],
            expected=["a"] if "a" in staged.columns else [],
            external_id="id" if "id" in staged.columns else None,
            rest="metadata",
        )
        return map_import(job=staged, mapping=mapping, by=owner)

    return stage


def rows_text(count: int, bad: tuple[int, ...] = ()) -> str:
    """A file of `count` rows, the first on line 2; those of `bad` have a cell too few."""
    lines = [f"q{n},a{n}" if n in bad else f"q{n},a{n},{n % 7}" for n in range(1, count + 1)]
    return "q,a,topic\n" + "\n".join(lines) + "\n"


def ended(started: ImportJob) -> ImportJob:
    job.work(started.pk)
    started.refresh_from_db()
    return started


def items(dataset: Dataset) -> list[ItemRevision]:
    dataset.refresh_from_db()
    return list(ItemRevision.objects.filter(dataset=dataset).at(dataset.version).order_by("number"))


def listed_problems(done: ImportJob) -> list[list[str]]:
    with done.problems_file.open(newline="") as file:
        return list(csv.reader(file))


def expire(started: ImportJob) -> None:
    ImportJob.objects.filter(pk=started.pk).update(lease_until=in_seconds(-1))


def test_all_good_rows_become_one_version(stage: Stage, empty: Dataset, owner: User) -> None:
    done = ended(apply_import(job=stage(rows_text(25)), by=owner))
    assert (done.state, done.rows_done, done.rows_good, done.rows_bad) == ("done", 25, 25, 0)
    assert done.message == "Imported 25 rows as version 1."
    found = items(empty)
    assert [(one.number, one.input, one.expected_output) for one in found] == [
        (n, f"q{n}", f"a{n}") for n in range(1, 26)
    ]
    assert found[16].source == "tickets.csv, line 18"
    assert found[16].metadata == {"topic": "3"}
    version = empty.versions.get()
    assert (version.number, version.added, version.item_count) == (1, 25, 25)
    assert (version.message, version.author) == ("Imported tickets.csv", owner)
    assert (empty.pending_version, empty.next_item_number) == (None, 26)
    assert not done.file.exists()


def test_a_stored_row_equals_its_preview(stage: Stage, empty: Dataset, owner: User) -> None:
    text = 'id,q,a,tags\nx-1,"two\nlines",,"red, blue"\n'
    staged = stage_import(dataset=empty, filename="t.csv", chunks=[text.encode()], by=owner)
    mapping = Mapping.from_dict(
        {
            "columns": [
                {"column": "id", "destination": "external_id"},
                {"column": "q", "destination": "input"},
                {"column": "a", "destination": "context"},
                {"column": "tags", "destination": "tags"},
            ]
        }
    )
    map_import(job=staged, mapping=mapping, by=owner)
    shown = [row.content for row in preview(staged)]
    ended(apply_import(job=staged, by=owner))
    assert [content_of(one) for one in items(empty)] == shown


def test_bad_rows_are_left_out_and_listed(stage: Stage, empty: Dataset, owner: User) -> None:
    done = ended(apply_import(job=stage(rows_text(12, bad=(3, 9))), by=owner))
    assert (done.state, done.rows_good, done.rows_bad) == ("done", 10, 2)
    assert done.message == (
        "Imported 10 rows as version 1. 2 rows with problems have been left out."
    )
    assert [one.number for one in items(empty)] == list(range(1, 11))
    assert [(one["kind"], one["count"]) for one in done.problems] == [("row_too_short", 2)]
    listed = listed_problems(done)
    assert [row[0] for row in listed] == ["line", "4", "10"]


def test_abort_writes_nothing_when_one_row_is_bad(
    stage: Stage, empty: Dataset, owner: User, small_batches: None
) -> None:
    started = apply_import(job=stage(rows_text(35, bad=(34,))), by=owner, on_error="abort")
    done = ended(started)
    assert (done.state, done.version) == ("failed", None)
    assert done.message == "1 of 35 rows has a problem. Nothing was imported."
    empty.refresh_from_db()
    assert (empty.version, empty.pending_version) == (0, None)
    assert not ItemRevision.objects.filter(dataset=empty).exists()
    # The file is still there: the person may choose to skip the row instead.
    assert ended(apply_import(job=done, by=owner)).rows_good == 34
    assert len(items(empty)) == 34


def test_abort_imports_a_file_without_problems(stage: Stage, empty: Dataset, owner: User) -> None:
    done = ended(apply_import(job=stage(rows_text(5)), by=owner, on_error="abort"))
    assert (done.state, done.rows_done, done.rows_total) == ("done", 5, 5)
    assert len(items(empty)) == 5


def test_no_good_row_makes_no_version(stage: Stage, empty: Dataset, owner: User) -> None:
    done = ended(apply_import(job=stage(rows_text(2, bad=(1, 2))), by=owner))
    assert done.state == "failed"
    assert done.message == "No row could be imported: all 2 have problems."
    empty.refresh_from_db()
    assert (empty.version, empty.pending_version) == (0, None)


def test_a_check_counts_without_writing(
    stage: Stage, empty: Dataset, owner: User, small_batches: None
) -> None:
    checked = ended(check_import(job=stage(rows_text(25, bad=(7,))), by=owner))
    assert (checked.state, checked.rows_total, checked.rows_good) == ("checked", 25, 24)
    assert checked.problems[0]["examples"][0]["line"] == 8
    assert not ItemRevision.objects.filter(dataset=empty).exists()
    assert ended(apply_import(job=checked, by=owner)).state == "done"


def test_an_external_id_with_the_same_content_is_known_and_with_other_content_a_problem(
    stage: Stage, empty: Dataset, owner: User
) -> None:
    add_items(
        dataset=empty,
        contents=[
            parse_item({"input": "old", "external_id": "x"}),
            parse_item({"input": "kept", "external_id": "y"}),
        ],
        by=owner,
    )
    text = "id,q\nx,new\ny,kept\nz,1\nz,1\nz,2\n,3\n,3\n"
    for act in (check_import, apply_import):
        done = ended(act(job=stage(text), by=owner))
        assert (done.rows_done, done.rows_good, done.rows_known, done.rows_bad) == (7, 5, 2, 2)
        assert [one["reason"] for group in done.problems for one in group["examples"]] == [
            "External id “x” belongs to item #1, whose content differs.",
            "External id “z” belongs to tickets.csv, line 4, whose content differs.",
        ]
    assert [(one.number, one.input, one.external_id) for one in items(empty)] == [
        (1, "old", "x"),
        (2, "kept", "y"),
        (3, "1", "z"),
        (4, "3", None),
        (5, "3", None),
    ]


def test_external_ids_are_compared_over_batches_too(
    stage: Stage, empty: Dataset, owner: User, small_batches: None
) -> None:
    lines = [f"i{n % 20},q{n % 20}" for n in range(45)] + ["i3,other"]
    text = "id,q\n" + "\n".join(lines) + "\n"
    for act in (check_import, apply_import):
        done = ended(act(job=stage(text), by=owner))
        assert (done.rows_good - done.rows_known, done.rows_known, done.rows_bad) == (20, 25, 1)
        assert done.problems[0]["examples"][0]["reason"] == (
            "External id “i3” belongs to tickets.csv, line 5, whose content differs."
        )
    assert [one.external_id for one in items(empty)] == [f"i{n}" for n in range(20)]


def test_the_same_file_again_changes_nothing(stage: Stage, empty: Dataset, owner: User) -> None:
    text = "id,q\n1,one\n2,two\n"
    ended(apply_import(job=stage(text), by=owner))
    again = ended(apply_import(job=stage(text), by=owner))
    assert (again.state, again.rows_known, again.version) == ("done", 2, None)
    assert again.message == "Nothing to import. 2 rows were in the dataset already."
    empty.refresh_from_db()
    assert (empty.version, empty.pending_version) == (1, None)


def test_a_quote_that_never_closes_fails_with_its_line_and_leaves_nothing(
    stage: Stage, empty: Dataset, owner: User, small_batches: None
) -> None:
    text = rows_text(80) + '"open,1,2\n'
    done = ended(apply_import(job=stage(text), by=owner))
    assert done.state == "failed"
    assert done.message.startswith("Line 82: a quote opens in 'q' and never closes")
    assert not ItemRevision.objects.filter(dataset=empty).exists()
    empty.refresh_from_db()
    assert (empty.version, empty.pending_version, empty.next_item_number) == (0, None, 1)


def test_nobody_sees_or_changes_anything_until_the_version_is_published(
    stage: Stage, empty: Dataset, owner: User, small_batches: None, stop_after: StopAfter
) -> None:
    started = apply_import(job=stage(rows_text(40)), by=owner)
    stop_after(2)
    with pytest.raises(Crash):
        job.work(started.pk)
    assert ItemRevision.objects.filter(dataset=empty).count() == 20
    assert items(empty) == []
    assert not ItemRevision.objects.filter(dataset=empty).published().exists()
    with pytest.raises(Conflict, match="An import is writing version 1"):
        add_items(dataset=empty, contents=[parse_item({"input": "me"})], by=owner)
    with pytest.raises(Conflict, match="An import is writing version 1"):
        apply_import(job=stage(rows_text(1)), by=owner)
    with pytest.raises(Conflict, match="This import is running"):
        map_import(job=started, mapping=Mapping.from_dict(started.mapping), by=owner)


class Crash(BaseException):
    """Stands for kill -9: nothing catches it."""


StopAfter = Callable[[int], None]


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> StopAfter:
    """Makes the batch after the first n crash inside its transaction, once its rows are written."""
    real = job.write_batch
    left = [-1]

    def write_batch(*args: Any, **options: Any) -> bool:
        if left[0] == 0:
            from datasets_app.importing import writing

            insert, extend = writing.bulk.insert, ImportJob.extend

            def crash(*given: Any) -> int:
                insert(*given)
                raise Crash

            def extend_and_crash(self: ImportJob, **values: Any) -> bool:
                assert extend(self, **values)
                if values.get("problems"):
                    with self.problems_file.open("ab") as file:
                        file.write(b"999,half a line")
                raise Crash

            left[0] = -1
            with monkeypatch.context() as patched:
                if options["first"] is None:
                    patched.setattr(ImportJob, "extend", extend_and_crash)
                else:
                    patched.setattr(writing.bulk, "insert", crash)
                return real(*args, **options)
        left[0] -= 1
        return real(*args, **options)

    monkeypatch.setattr(job, "write_batch", write_batch)

    def stop(batches: int) -> None:
        left[0] = batches

    return stop


BAD = (1, 9, 10, 11, 23, 35, 36, 54, 55)


@pytest.mark.parametrize("committed", [0, 1, 3, 5])
def test_after_a_crash_every_row_is_there_once_with_its_number_and_problem(
    committed: int,
    stage: Stage,
    empty: Dataset,
    owner: User,
    small_batches: None,
    stop_after: StopAfter,
) -> None:
    text = rows_text(55, bad=BAD)
    calm = ended(apply_import(job=stage(text), by=owner))
    expected = [(one.number + 46, one.input_json, one.source) for one in items(empty)]
    started = apply_import(job=stage(text), by=owner)
    stop_after(committed)
    with pytest.raises(Crash):
        job.work(started.pk)
    job.work(started.pk)  # the lease of the dead worker still runs: nothing to do
    started.refresh_from_db()
    assert started.rows_done == committed * 10
    expire(started)
    done = ended(started)
    assert (done.state, done.rows_done, done.rows_good, done.rows_bad) == ("done", 55, 46, 9)
    found = items(empty)
    assert [(one.number, one.input_json, one.source) for one in found[46:]] == expected
    assert len(found) == 92
    assert done.problems_file.read_bytes() == calm.problems_file.read_bytes()
    assert done.problems == calm.problems


def test_a_check_goes_on_after_a_crash_with_the_same_outcome(
    stage: Stage, empty: Dataset, owner: User, small_batches: None, stop_after: StopAfter
) -> None:
    lines = [f"i{n % 20},q{n % 23}" for n in range(60)]
    text = "id,q\n" + "\n".join(lines) + "\n"
    calm = ended(check_import(job=stage(text), by=owner))
    assert calm.rows_bad == 40
    started = check_import(job=stage(text), by=owner)
    stop_after(3)
    with pytest.raises(Crash):
        job.work(started.pk)
    expire(started)
    done = ended(started)
    for name in ("state", "rows_done", "rows_good", "rows_known", "rows_bad", "problems"):
        assert getattr(done, name) == getattr(calm, name), name
    assert done.problems_file.read_bytes() == calm.problems_file.read_bytes()


def test_cancel_on_the_way_removes_the_rows_before_the_version_is_free(
    stage: Stage,
    empty: Dataset,
    owner: User,
    small_batches: None,
    monkeypatch: pytest.MonkeyPatch,
    no_messages: list[tuple[str, Any]],
) -> None:
    started = apply_import(job=stage(rows_text(60)), by=owner)
    real = job.write_batch
    seen: list[bool] = []

    def write_batch(*args: Any, **options: Any) -> bool:
        if len(seen) == 3:
            no_messages.clear()
            cancel_import(job=ImportJob.objects.get(pk=started.pk), by=owner)
            empty.refresh_from_db()
            assert empty.pending_version == 1
            assert no_messages == [("datasets.import", started.pk)]
        seen.append(real(*args, **options))
        return seen[-1]

    monkeypatch.setattr(job, "write_batch", write_batch)
    done = ended(started)
    assert seen == [True, True, True, False]
    assert (done.state, done.version) == ("cancelled", None)
    assert done.message == "Cancelled. Nothing was imported."
    assert not ItemRevision.objects.filter(dataset=empty).exists()
    empty.refresh_from_db()
    assert (empty.version, empty.pending_version, empty.next_item_number) == (0, None, 1)
    assert not done.folder.exists()
    assert add_items(dataset=empty, contents=[parse_item({"input": 1})], by=owner) == [1]


def test_an_undo_that_crashed_is_finished_by_the_next_worker(
    stage: Stage,
    empty: Dataset,
    owner: User,
    small_batches: None,
    stop_after: StopAfter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = apply_import(job=stage(rows_text(40)), by=owner)
    stop_after(3)
    with pytest.raises(Crash):
        job.work(started.pk)
    cancel_import(job=started, by=owner)
    monkeypatch.setattr(job.ending, "DELETE_ROWS", 10)
    deletions = [0]
    extend = ImportJob.extend

    def crash_at_the_second(self: ImportJob, **values: Any) -> bool:
        deletions[0] += 1
        if deletions[0] == 2:
            raise Crash
        return extend(self, **values)

    with monkeypatch.context() as patched:
        patched.setattr(ImportJob, "extend", crash_at_the_second)
        with pytest.raises(Crash):
            job.work(started.pk)
    assert ItemRevision.objects.filter(dataset=empty).count() == 20
    empty.refresh_from_db()
    assert empty.pending_version == 1
    expire(started)
    assert ended(started).state == "cancelled"
    assert not ItemRevision.objects.filter(dataset=empty).exists()


@pytest.mark.parametrize("state", ["staged", "checking", "checked", "importing", "abort"])
def test_cancel_before_anything_is_written_ends_at_once(
    state: str, stage: Stage, empty: Dataset, owner: User
) -> None:
    started = stage(rows_text(3))
    if state in ("checking", "checked"):
        check_import(job=started, by=owner)
    if state == "checked":
        ended(started)
    if state in ("importing", "abort"):
        apply_import(job=started, by=owner, on_error="abort" if state == "abort" else "skip")
    cancelled = cancel_import(job=started, by=owner)
    assert (cancelled.state, cancelled.version) == ("cancelled", None)
    assert not cancelled.folder.exists()
    assert ended(cancelled).state == "cancelled"
    empty.refresh_from_db()
    assert (empty.version, empty.pending_version) == (0, None)
    with pytest.raises(Conflict, match="no longer kept"):
        apply_import(job=cancelled, by=owner)


def test_cancel_leaves_an_import_that_has_ended_as_it_is(
    stage: Stage, empty: Dataset, owner: User
) -> None:
    done = ended(apply_import(job=stage(rows_text(3)), by=owner))
    assert cancel_import(job=done, by=owner).state == "done"
    assert len(items(empty)) == 3


def test_of_two_claimants_one_works_and_the_frozen_one_can_commit_nothing(
    stage: Stage,
    empty: Dataset,
    owner: User,
    small_batches: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = apply_import(job=stage(rows_text(50, bad=(15, 44))), by=owner)
    real = job.write_batch
    mine: list[bool] = []

    def write_batch(*args: Any, **options: Any) -> bool:
        if len(mine) == 2:  # frozen before its third batch, for longer than the lease
            with monkeypatch.context() as patched:
                patched.setattr(job, "write_batch", real)
                job.work(started.pk)  # the lease runs: the second claimant gets nothing
                assert ImportJob.objects.get(pk=started.pk).rows_done == 20
                expire(started)
                job.work(started.pk)
                assert ImportJob.objects.get(pk=started.pk).state == "done"
        mine.append(real(*args, **options))
        return mine[-1]

    monkeypatch.setattr(job, "write_batch", write_batch)
    done = ended(started)
    assert mine == [True, True, False]
    assert (done.state, done.rows_done) == ("done", 50)
    assert [one.number for one in items(empty)] == list(range(1, 49))
    assert [row[0] for row in listed_problems(done)] == [
        "line",
        "16",
        "45",
    ]


def test_a_worker_that_shuts_down_gives_the_import_back(
    stage: Stage,
    empty: Dataset,
    owner: User,
    small_batches: None,
    monkeypatch: pytest.MonkeyPatch,
    no_messages: list[tuple[str, Any]],
) -> None:
    started = apply_import(job=stage(rows_text(30)), by=owner)
    no_messages.clear()
    with monkeypatch.context() as patched:
        patched.setattr(job, "stopping", lambda: True)
        job.work(started.pk)
    started.refresh_from_db()
    assert (started.state, started.rows_done, started.lease_until) == ("importing", 10, None)
    assert no_messages == [("datasets.import", started.pk)]
    with monkeypatch.context() as patched:
        patched.setattr(job, "BUDGET_SECONDS", 0.0)
        job.work(started.pk)
    started.refresh_from_db()
    assert (started.state, started.rows_done, started.lease_until) == ("importing", 20, None)
    assert no_messages == [("datasets.import", started.pk)] * 2
    assert ended(started).state == "done"
    assert len(items(empty)) == 30


def test_an_import_that_kills_every_worker_is_given_up(
    stage: Stage, empty: Dataset, owner: User, small_batches: None, stop_after: StopAfter
) -> None:
    started = apply_import(job=stage(rows_text(30)), by=owner)
    stop_after(1)
    with pytest.raises(Crash):
        job.work(started.pk)
    for _ in range(job.MAX_ATTEMPTS):
        expire(started)
        stop_after(0)
        with pytest.raises(Crash):
            job.work(started.pk)
    expire(started)
    done = ended(started)
    assert done.state == "failed"
    assert done.message.startswith("The import stopped 5 times after row 10 of the file.")
    assert not ItemRevision.objects.filter(dataset=empty).exists()


def test_staging_refuses_a_bad_file_and_leaves_nothing(empty: Dataset, owner: User) -> None:
    uploads = settings.EVALHUB_HOME / "uploads"
    before = set(uploads.iterdir()) if uploads.exists() else set()
    for content, reason in [
        (b"", "The file is empty"),
        (b"PK\x03\x04 xl/", "an Excel workbook"),
        (b"q,q\n1,2\n", "the name 'q' is there twice"),
        (b'q,a\n"open,2\n', "never closes"),
    ]:
        with pytest.raises(ImportFileError, match=reason):
            stage_import(dataset=empty, filename="t.csv", chunks=[content], by=owner)

    def broken() -> Iterator[bytes]:
        yield b"q,a\n"
        raise OSError("gone")

    with pytest.raises(Unavailable, match="the upload broke off"):
        stage_import(dataset=empty, filename="t.csv", chunks=broken(), by=owner)
    assert set(uploads.iterdir()) == before
    assert not ImportJob.objects.filter(dataset=empty).exists()


def test_a_staged_file_is_private_and_has_a_guessed_mapping(empty: Dataset, owner: User) -> None:
    staged = stage_import(
        dataset=empty,
        filename="C:\\data\\..\\tick\nets.csv",
        chunks=[b"question;an", b"swer\n1;2\n"],
        by=owner,
    )
    assert staged.filename == "tickets.csv"
    assert staged.folder.stat().st_mode & 0o777 == 0o700
    assert (staged.state, staged.size, staged.columns) == ("staged", 20, ["question", "answer"])
    assert staged.reading["delimiter"] == ";"
    assert Mapping.from_dict(staged.mapping).to("input")[0].column == "question"


def test_reading_again_with_another_encoding_changes_the_texts(empty: Dataset, owner: User) -> None:
    text = "q,a\n日本,1\n".encode("cp932")
    staged = stage_import(dataset=empty, filename="t.csv", chunks=[text], by=owner)
    assert staged.reading["encoding"] == "cp1252"
    again = reread_import(job=staged, by=owner, encoding="cp932", has_header=False)
    assert again.columns == ["column 1", "column 2"]
    again = reread_import(job=staged, by=owner, encoding="cp932")
    mapping = Mapping.from_options(again.columns, input=["q"])
    shown = preview(again, mapping)
    assert [(row.line, row.content and json.loads(row.content.input_json)) for row in shown] == [
        (2, "日本")
    ]
    with pytest.raises(ImportFileError):
        reread_import(job=again, by=owner, encoding="no-such-encoding")
    again.refresh_from_db()
    assert again.columns == ["q", "a"]


def test_a_mapping_of_an_unknown_column_and_an_unknown_choice_are_refused(
    stage: Stage, owner: User
) -> None:
    staged = stage(rows_text(1))
    wrong = Mapping.from_dict({"columns": [{"column": "nope", "destination": "input"}]})
    with pytest.raises(MappingError, match="no column 'nope'"):
        map_import(job=staged, mapping=wrong, by=owner)
    with pytest.raises(Invalid, match="skip the row or abort"):
        apply_import(job=staged, by=owner, on_error="perhaps")


def test_the_sweeper_wakes_what_nobody_works_on_and_prunes_old_uploads(
    stage: Stage, empty: Dataset, owner: User, no_messages: list[tuple[str, Any]]
) -> None:
    waiting = apply_import(job=stage(rows_text(3)), by=owner)
    forgotten, fresh = stage(rows_text(1)), stage(rows_text(2))
    orphan = settings.EVALHUB_HOME / "uploads" / ("0" * 31 + "1")
    orphan.mkdir()
    long_ago = time.time() - 8 * 86_400
    for folder in (forgotten.folder, waiting.folder, orphan):
        os.utime(folder, (long_ago, long_ago))
    no_messages.clear()
    sweeper.sweep()
    sweeper.prune()
    assert no_messages == [("datasets.import", waiting.pk)]
    forgotten.refresh_from_db()
    assert forgotten.state == "cancelled"
    assert [one.folder.exists() for one in (forgotten, waiting, fresh)] == [False, True, True]
    assert not orphan.exists()
    assert ended(waiting).state == "done"
    assert sweeper.sweep() == 0


def test_an_import_killed_twice_ends_with_every_row_once(
    stage: Stage, empty: Dataset, owner: User
) -> None:
    count = 20_000
    bad = tuple(range(500, count, 500))
    started = apply_import(job=stage(rows_text(count, bad=bad)), by=owner)
    done_before = 0
    for _ in range(2):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(started.pk)],
            cwd=ROOT,
            env=os.environ | {"TEST_DATABASE": str(connection.settings_dict["NAME"])},
        )
        try:
            _wait_for_progress(started, done_before + 2_000, worker)
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        started.refresh_from_db()
        assert started.state == "importing"
        assert done_before < started.rows_done < count
        done_before = started.rows_done
        expire(started)
    done = ended(started)
    assert (done.state, done.rows_done, done.rows_bad) == ("done", count, len(bad))
    good = [n for n in range(1, count + 1) if n not in set(bad)]
    assert [(one.number, one.input, one.source) for one in items(empty)] == [
        (number, f"q{n}", f"tickets.csv, line {n + 1}") for number, n in enumerate(good, 1)
    ]
    listed = listed_problems(done)
    assert [row[0] for row in listed[1:]] == [str(n + 1) for n in bad]


# Slow between batches, so that there is time to be killed.
WORKER = """
import os, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "evalhub.settings"
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
django.setup()
from datasets_app.importing import job
write_batch = job.write_batch
def slow(*args, **options):
    time.sleep(0.05)
    return write_batch(*args, **options)
job.write_batch = slow
job.work(int(sys.argv[1]))
"""


def _wait_for_progress(started: ImportJob, rows: int, worker: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up and worker.poll() is None:
        started.refresh_from_db()
        if started.rows_done >= rows:
            return
        time.sleep(0.01)
    raise AssertionError(f"the worker did {started.rows_done} rows, exit code {worker.poll()}")
