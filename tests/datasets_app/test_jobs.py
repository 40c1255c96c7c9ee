"""A job over many items: exactly once, all or nothing, whatever happens on the way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from datasets_app import leased_job
from datasets_app.actions import add_items
from datasets_app.actions.jobs import cancel_job, start_job
from datasets_app.bulk import changes, ending, job, sweeper
from datasets_app.bulk.kinds import KINDS
from datasets_app.items import parse_item
from datasets_app.models import Dataset, DatasetJob, DatasetVersion, ItemRevision
from evalhub.access.models import User
from evalhub.kit.clock import in_seconds
from evalhub.kit.errors import Conflict
from tests.datasets_app.jobs import Crash, items

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
COUNT = 55


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The tests call work() themselves; what would have been sent is collected."""
    sent: list[tuple[Any, ...]] = []

    def collect(task: str, *args: Any) -> None:
        sent.append((task, *args))

    for module in ("evalhub.kit.dispatch", "datasets_app.leased_job", "datasets_app.bulk.sweeper"):
        monkeypatch.setattr(f"{module}.wake_now", collect)
    monkeypatch.setattr(job, "BATCH_ITEMS", 10)
    monkeypatch.setattr(ending, "UNDO_ROWS", 10)
    for kind in ("shuffle", "leave", "look", "look_and_tell"):
        monkeypatch.setitem(KINDS, kind, f"tests.datasets_app.job_kinds:{kind.upper()}")
    return sent


@pytest.fixture
def full(empty: Dataset, owner: User) -> Dataset:
    contents = [parse_item({"input": n, "external_id": f"id-{n}"}) for n in range(1, COUNT + 1)]
    add_items(dataset=empty, contents=contents, by=owner)
    return empty


@pytest.fixture
def crash_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes the batch after the first n crash inside its transaction, with everything written."""
    left = [-1]
    flush = changes.Changes.flush

    def flush_and_crash(changed: changes.Changes) -> None:
        flush(changed)
        left[0] -= 1
        if left[0] == -1:
            raise Crash

    monkeypatch.setattr(changes.Changes, "flush", flush_and_crash)

    def stop(batches: int) -> None:
        left[0] = batches

    return stop


def ended(started: DatasetJob) -> DatasetJob:
    job.work(started.pk)
    started.refresh_from_db()
    return started


def expire(started: DatasetJob) -> None:
    DatasetJob.objects.filter(pk=started.pk).update(lease_until=in_seconds(-1))


def rows(dataset: Dataset) -> list[tuple[Any, ...]]:
    """Every row of the dataset, as it lies there, but for its id."""
    names = ("number", "version_from", "version_to", "deleted", "input_json", "split", "source")
    found = ItemRevision.objects.filter(dataset=dataset).order_by("number", "version_from")
    return list(found.values_list(*names))


def test_it_changes_removes_and_adds_as_one_version(full: Dataset, owner: User) -> None:
    done = ended(
        start_job(dataset=full, kind="shuffle", params={}, by=owner, message="Shuffle them")
    )
    assert (done.state, done.version, done.done, done.total) == ("done", 2, 55, 55)
    assert (done.added, done.changed, done.removed) == (18, 19, 18)
    now = items(full)
    assert [one.number for one in now if one.split == "test"] == list(range(1, 56, 3))
    assert [one.number for one in now][-18:] == list(range(56, 74))
    assert [one.source for one in now][-2:] == ["like 50", "like 53"]
    version = DatasetVersion.objects.get(dataset=full, number=2)
    assert (version.message, version.author, version.item_count) == ("Shuffle them", owner, 55)
    assert (version.added, version.changed, version.removed) == (18, 19, 18)
    added = add_items(dataset=full, contents=[parse_item({"input": "next"})], by=owner)
    assert added == [74]


def test_nobody_sees_or_changes_anything_until_it_is_published(
    full: Dataset, owner: User, crash_after: Callable[[int], None]
) -> None:
    before = [(one.number, one.split) for one in items(full)]
    started = start_job(dataset=full, kind="shuffle", params={}, by=owner)
    crash_after(3)
    with pytest.raises(Crash):
        job.work(started.pk)
    started.refresh_from_db()
    assert (started.done, started.added + started.changed + started.removed) == (30, 30)
    assert [(one.number, one.split) for one in items(full)] == before
    with pytest.raises(Conflict, match="A bulk action is writing version 2"):
        add_items(dataset=full, contents=[parse_item({"input": "me"})], by=owner)
    with pytest.raises(Conflict, match="A bulk action is writing version 2"):
        start_job(dataset=full, kind="shuffle", params={}, by=owner)


@pytest.mark.parametrize("committed", [0, 1, 4, 5])
def test_after_a_crash_it_goes_on_and_ends_as_if_nothing_had_happened(
    committed: int, full: Dataset, owner: User, crash_after: Callable[[int], None]
) -> None:
    started = start_job(dataset=full, kind="shuffle", params={}, by=owner)
    crash_after(committed)
    with pytest.raises(Crash):
        job.work(started.pk)
    job.work(started.pk)  # the lease of the dead worker still runs: nothing to do
    started.refresh_from_db()
    assert started.done == committed * 10
    expire(started)
    done = ended(started)
    assert (done.state, done.done) == ("done", 55)
    assert (done.added, done.changed, done.removed) == (18, 19, 18)
    assert [one["pointer"] for one in done.problems] == ["/1", "/11", "/21", "/31", "/41", "/51"]
    assert [one.number for one in items(full)][-18:] == list(range(56, 74))
    assert len(rows(full)) == 55 + 55


def test_a_batch_that_raises_is_given_up_after_a_few_tries(
    full: Dataset, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(full)
    started = start_job(dataset=full, kind="shuffle", params={}, by=owner)
    real = changes.Changes.flush
    tries: list[int] = []

    def flush(changed: changes.Changes) -> None:
        real(changed)
        if len(tries) >= 2:
            tries.append(1)
            raise ZeroDivisionError
        tries.append(1)

    monkeypatch.setattr(changes.Changes, "flush", flush)
    for _ in range(1 + leased_job.MAX_ATTEMPTS):  # the first claim committed two batches
        with pytest.raises(ZeroDivisionError):
            job.work(started.pk)
        expire(started)
    done = ended(started)
    assert (done.state, done.version) == ("failed", None)
    assert done.message.startswith("It stopped 5 times after item 20. Nothing was changed.")
    assert rows(full) == before


@pytest.mark.parametrize("refused", [3, 33])
def test_what_a_step_refuses_fails_the_job_and_leaves_no_trace(
    refused: int, full: Dataset, owner: User
) -> None:
    before = rows(full)
    params = {"refuse": refused}
    done = ended(start_job(dataset=full, kind="shuffle", params=params, by=owner))
    assert (done.state, done.message, done.version) == ("failed", "No.", None)
    assert done.problems == [{"pointer": f"/{refused}", "detail": "Not this one."}]
    assert rows(full) == before
    full.refresh_from_db()
    assert (full.version, full.pending_version, full.next_item_number) == (1, None, 56)


def test_cancel_on_the_way_takes_everything_back(
    full: Dataset,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    sent: list[tuple[Any, ...]],
) -> None:
    before = rows(full)
    started = start_job(dataset=full, kind="shuffle", params={}, by=owner)
    real = job._batch
    seen: list[bool] = []

    def batch(*args: Any) -> bool:
        if len(seen) == 3:
            sent.clear()
            cancel_job(job=DatasetJob.objects.get(pk=started.pk), by=owner)
            assert sent == [("datasets.job", started.pk)]
        seen.append(real(*args))
        return seen[-1]

    monkeypatch.setattr(job, "_batch", batch)
    done = ended(started)
    assert seen == [True, True, True, False]
    assert (done.state, done.message, done.version) == (
        "cancelled",
        "Cancelled. Nothing was changed.",
        None,
    )
    assert rows(full) == before
    assert cancel_job(job=done, by=owner).state == "cancelled"


def test_cancel_before_it_began_frees_the_dataset_at_once(full: Dataset, owner: User) -> None:
    started = start_job(dataset=full, kind="shuffle", params={}, by=owner)
    assert cancel_job(job=started, by=owner).state == "cancelled"
    full.refresh_from_db()
    assert full.pending_version is None
    assert ended(started).state == "cancelled"


def test_undo_goes_on_after_a_crash_also_where_external_ids_have_moved(
    full: Dataset,
    owner: User,
    crash_after: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = rows(full)
    started = start_job(dataset=full, kind="leave", params={}, by=owner)
    crash_after(4)
    with pytest.raises(Crash):
        job.work(started.pk)
    cancel_job(job=started, by=owner)
    extend, left = DatasetJob.extend, [3]

    def extend_and_crash(extending: DatasetJob, **values: Any) -> bool:
        left[0] -= 1
        if left[0] == 0:
            raise Crash
        return extend(extending, **values)

    monkeypatch.setattr(DatasetJob, "extend", extend_and_crash)
    with pytest.raises(Crash):
        job.work(started.pk)
    full.refresh_from_db()
    assert full.pending_version == 2
    expire(started)
    assert ended(started).state == "cancelled"
    assert rows(full) == before


def test_two_steps_are_two_passes_and_without_a_change_there_is_no_version(
    full: Dataset, owner: User
) -> None:
    done = ended(start_job(dataset=full, kind="look", params={}, by=owner))
    assert (done.state, done.version, done.params["seen"], done.total) == ("done", None, 110, 110)
    full.refresh_from_db()
    assert (full.version, full.pending_version) == (1, None)
    reading = ended(start_job(dataset=full, kind="look", params={}, by=owner, writes=False))
    assert (reading.state, reading.done) == ("done", 110)
    always = ended(start_job(dataset=full, kind="look_and_tell", params={}, by=owner))
    assert (always.state, always.version) == ("done", 2)


def test_the_sweeper_wakes_what_nobody_works_on(
    full: Dataset, owner: User, sent: list[tuple[Any, ...]]
) -> None:
    started = start_job(dataset=full, kind="look", params={}, by=owner)
    sent.clear()
    assert sweeper.sweep() == 1
    assert sent == [("datasets.job", started.pk)]
    ended(started)
    assert sweeper.sweep() == 0


# Slow within batches, so that there is time to be killed.
WORKER = """
import os, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "evalhub.settings"
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
django.setup()
from datasets_app.bulk import changes, job
from datasets_app.bulk.kinds import KINDS
KINDS["shuffle"] = "tests.datasets_app.job_kinds:SHUFFLE"
job.BATCH_ITEMS = 3
flush = changes.Changes.flush
def slow(changed):
    time.sleep(0.03)
    flush(changed)
changes.Changes.flush = slow
job.work(int(sys.argv[1]))
"""


def test_a_job_killed_twice_ends_with_every_change_once(full: Dataset, owner: User) -> None:
    started = start_job(dataset=full, kind="shuffle", params={}, by=owner)
    done_before = 0
    for _ in range(2):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(started.pk)],
            cwd=ROOT,
            env=os.environ | {"TEST_DATABASE": str(connection.settings_dict["NAME"])},
        )
        give_up = time.monotonic() + 60
        while started.done < done_before + 9:
            assert worker.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.005)
            started.refresh_from_db()
        worker.kill()
        worker.wait()
        started.refresh_from_db()
        assert started.state == "working"
        assert done_before < started.done < 55
        done_before = started.done
        expire(started)
    finished = ended(started)
    assert (finished.state, finished.done) == ("done", 55)
    assert (finished.added, finished.changed, finished.removed) == (18, 19, 18)
    assert len(rows(full)) == 110
