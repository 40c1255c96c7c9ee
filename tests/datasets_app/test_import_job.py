"""What comes of an import: rows, problems, external ids, and how a file is staged."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from datasets_app.actions import add_items
from datasets_app.actions.imports import (
    apply_import,
    check_import,
    map_import,
    reread_import,
    stage_import,
)
from datasets_app.actions.versions import content_of
from datasets_app.importing import sweeper
from datasets_app.importing.mapping import Mapping, MappingError
from datasets_app.importing.preview import preview
from datasets_app.importing.problems import ImportFileError
from datasets_app.items import parse_item
from datasets_app.models import Dataset, ImportJob, ItemRevision
from evalhub.access.models import User
from evalhub.kit.errors import Invalid, Unavailable
from tests.datasets_app.jobs import (
    Stage,
    ended,
    items,
    listed_problems,
    rows_text,
)

pytestmark = [
    pytest.mark.db,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_messages"),
]


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
            "External ID “x” belongs to item #1, whose content differs.",
            "External ID “z” belongs to tickets.csv, line 4, whose content differs.",
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
            "External ID “i3” belongs to tickets.csv, line 5, whose content differs."
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
