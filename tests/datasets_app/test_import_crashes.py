"""The work of an import: exactly once, all or nothing, whatever happens on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from datasets_app import leased_job
from datasets_app.actions import add_items
from datasets_app.actions.imports import (
    apply_import,
    cancel_import,
    check_import,
    map_import,
)
from datasets_app.importing import ending, job, writing
from datasets_app.importing.mapping import Mapping
from datasets_app.items import parse_item
from datasets_app.models import Dataset, ImportJob, ItemRevision
from evalhub.access.models import User
from evalhub.kit.errors import Conflict
from tests.datasets_app.jobs import (
    Crash,
    Stage,
    StopAfter,
    ended,
    expire,
    items,
    listed_problems,
    rows_text,
)

pytestmark = [
    pytest.mark.db,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_messages"),
]

ROOT = Path(__file__).resolve().parents[2]
BAD = (1, 9, 10, 11, 23, 35, 36, 54, 55)


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
    real = writing.write_batch
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
    monkeypatch.setattr(ending, "DELETE_ROWS", 10)
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
    real = writing.write_batch
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
        patched.setattr(leased_job, "stopping", lambda: True)
        job.work(started.pk)
    started.refresh_from_db()
    assert (started.state, started.rows_done, started.lease_until) == ("importing", 10, None)
    assert no_messages == [("datasets.import", started.pk)]
    with monkeypatch.context() as patched:
        patched.setattr(leased_job, "BUDGET_SECONDS", 0.0)
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
    for _ in range(leased_job.MAX_ATTEMPTS):
        expire(started)
        stop_after(0)
        with pytest.raises(Crash):
            job.work(started.pk)
    expire(started)
    done = ended(started)
    assert done.state == "failed"
    assert done.message.startswith("The import stopped 5 times after row 10 of the file.")
    assert not ItemRevision.objects.filter(dataset=empty).exists()


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
from datasets_app.importing import apart, job
apart.APART_FROM = 0  # read like a large file
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
