"""Moving more items than one transaction should hold: in both datasets, or in neither."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from datasets_app import queries_jobs
from datasets_app.actions import add_items, create_dataset
from datasets_app.actions import bulk as bulk_actions
from datasets_app.actions.bulk import apply_bulk, undo_version
from datasets_app.actions.jobs import cancel_job
from datasets_app.bulk import changes, ending, job
from datasets_app.bulk.action import BulkAction
from datasets_app.item_query import ItemQuery
from datasets_app.items import parse_item
from datasets_app.models import Dataset, DatasetJob, DatasetVersion, ItemRevision
from datasets_app.selection import Selection
from evalhub.access.models import Project, User
from evalhub.kit.clock import in_seconds
from evalhub.kit.errors import Conflict
from tests.datasets_app.jobs import Crash, items
from tests.datasets_app.pages import change

pytestmark = [pytest.mark.db, pytest.mark.django_db, pytest.mark.usefixtures("no_messages")]

MOVE = BulkAction("move_to", dataset="other")
COUNT = 15  # of 20 items: five batches and a look whether there are more, in each of two passes


@pytest.fixture(autouse=True)
def background(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_actions, "INLINE_ITEMS", 0)
    monkeypatch.setattr(job, "BATCH_ITEMS", 4)
    monkeypatch.setattr(ending, "UNDO_ROWS", 4)


@pytest.fixture
def other(project: Project, owner: User) -> Dataset:
    made = create_dataset(project=project, name="Other", by=owner)
    contents = [parse_item({"input": n, "external_id": f"there-{n}"}) for n in range(2)]
    add_items(dataset=made, contents=contents, by=owner)
    return made


@pytest.fixture
def crash_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes the batch after the first n crash inside its transaction, with everything written."""
    left = [-1]
    batch = job._batch

    def crashing(*args: Any) -> bool:
        left[0] -= 1
        if left[0] == -1:
            flush = changes.Changes.flush
            with pytest.MonkeyPatch.context() as patched:

                def flush_and_crash(changed: changes.Changes) -> None:
                    flush(changed)
                    raise Crash

                patched.setattr(changes.Changes, "flush", flush_and_crash)
                return batch(*args)
        return batch(*args)

    monkeypatch.setattr(job, "_batch", crashing)

    def stop(batches: int) -> None:
        left[0] = batches

    return stop


def start(tickets: Dataset, owner: User, **options: Any) -> DatasetJob:
    query = Selection(1, ItemQuery(), everything=True, except_numbers=(1, 2, 3, 19, 20))
    outcome = apply_bulk(dataset=tickets, selection=query, action=MOVE, by=owner, **options)
    assert outcome.job is not None
    return outcome.job


def ended(started: DatasetJob) -> DatasetJob:
    DatasetJob.objects.filter(pk=started.pk).update(lease_until=in_seconds(-1))
    job.work(started.pk)
    started.refresh_from_db()
    return started


def rows(*datasets: Dataset) -> list[tuple[Any, ...]]:
    """Every row, whether published or not, but for its id; and what the datasets hold back."""
    names = ("dataset", "number", "version_from", "version_to", "deleted", "input_json")
    found = list(ItemRevision.objects.order_by(*names[:3]).values_list(*names))
    for dataset in datasets:
        dataset.refresh_from_db()
        found.append((dataset.version, dataset.pending_version, dataset.next_item_number))
    return found


def inputs(dataset: Dataset) -> list[Any]:
    return [item.input for item in items(dataset)]


@pytest.mark.parametrize("committed", [0, 2, 4, 6, 10])
def test_a_move_goes_on_after_a_crash_and_is_one_version_in_each_dataset(
    committed: int,
    tickets: Dataset,
    other: Dataset,
    owner: User,
    crash_after: Callable[[int], None],
) -> None:
    before = inputs(tickets)
    started = start(tickets, owner)
    crash_after(committed)
    with pytest.raises(Crash):
        job.work(started.pk)
    assert inputs(tickets) == before
    assert inputs(other) == [0, 1]
    done = ended(started)
    assert (done.state, done.added, done.removed, done.params["left"]) == ("done", COUNT, 0, COUNT)
    assert inputs(tickets) == before[:3] + before[18:]
    assert inputs(other) == [0, 1, *before[3:18]]
    gone = DatasetVersion.objects.get(dataset=tickets, number=2)
    assert (gone.removed, gone.item_count, gone.author) == (COUNT, 5, owner)
    assert gone.message == "Delete 15 items: moved to Other"
    came = DatasetVersion.objects.get(dataset=other, number=2)
    assert (came.added, came.item_count) == (COUNT, 17)
    assert came.message == "Add 15 items from Tickets v1"
    for dataset in (tickets, other):
        dataset.refresh_from_db()
        assert (dataset.version, dataset.pending_version) == (2, None)
    back = undo_version(dataset=tickets, version=2, by=owner).job
    assert back is not None
    assert ended(back).state == "done"
    assert inputs(tickets) == before


def test_meanwhile_nobody_else_changes_either_dataset(
    tickets: Dataset, other: Dataset, owner: User
) -> None:
    started = start(tickets, owner, message="Sorted out")
    for dataset in (tickets, other):
        with pytest.raises(Conflict, match="A bulk action is writing version 2"):
            add_items(dataset=dataset, contents=[parse_item({"input": "late"})], by=owner)
        dataset.refresh_from_db()
        assert queries_jobs.writing_job(dataset) == started
    ended(started)
    assert queries_jobs.writing_job(tickets) is None
    messages = DatasetVersion.objects.filter(number=2).values_list("message", flat=True)
    assert list(messages) == ["Sorted out"] * 2


@pytest.mark.parametrize("committed", [0, 3, 8])
def test_a_move_that_is_cancelled_leaves_both_as_they_were(
    committed: int,
    tickets: Dataset,
    other: Dataset,
    owner: User,
    crash_after: Callable[[int], None],
) -> None:
    before = rows(tickets, other)
    started = start(tickets, owner)
    crash_after(committed)
    with pytest.raises(Crash):
        job.work(started.pk)
    cancel_job(job=started, by=owner)
    assert ended(started).state == "cancelled"
    assert rows(tickets, other) == before


def test_a_move_that_cannot_end_leaves_both_as_they_were(
    tickets: Dataset, other: Dataset, owner: User
) -> None:
    taken = parse_item({"input": "x", "external_id": "id-17"})
    add_items(dataset=other, contents=[taken], by=owner)
    before = rows(tickets, other)
    failed = ended(start(tickets, owner))
    assert (failed.state, failed.version) == ("failed", None)
    assert failed.message.startswith("An external id is taken")
    assert rows(tickets, other) == before


def test_an_item_that_changed_since_it_was_selected_stays_and_all_with_it(
    tickets: Dataset, other: Dataset, owner: User
) -> None:
    change(tickets, 18, owner, input="new")
    before = rows(tickets, other)
    failed = ended(start(tickets, owner))
    assert failed.state == "failed"
    assert "Item #18 was changed after the selection was made" in failed.message
    assert rows(tickets, other) == before


def test_items_that_are_there_already_only_leave(
    tickets: Dataset, other: Dataset, owner: User
) -> None:
    copied = BulkAction("copy_to", dataset="other")
    query = Selection(1, ItemQuery(), everything=True)
    copy = apply_bulk(dataset=tickets, selection=query, action=copied, by=owner).job
    assert copy is not None
    assert ended(copy).added == 20
    with_ids = items(tickets)
    done = ended(start(tickets, owner))
    there = sum(1 for one in with_ids[3:18] if one.external_id)
    assert (done.state, done.params["there"]) == ("done", there)
    assert there > 0
    assert len(items(tickets)) == 5
    assert len(items(other)) == 22 + COUNT - there
