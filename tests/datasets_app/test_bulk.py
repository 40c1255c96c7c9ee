"""Bulk actions: one version each, undone exactly, refused in words."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from datasets_app.actions import add_items, create_dataset
from datasets_app.actions import bulk as bulk_actions
from datasets_app.actions.batch import ItemRemoval, batch_items
from datasets_app.actions.bulk import Outcome, apply_bulk, undo_version
from datasets_app.actions.imports import apply_import, stage_import
from datasets_app.actions.jobs import cancel_job
from datasets_app.actions.versions import content_of
from datasets_app.bulk import job, selected
from datasets_app.bulk.action import BulkAction, parse_action
from datasets_app.item_query import ItemQuery
from datasets_app.items import parse_item
from datasets_app.models import Dataset, DatasetVersion
from datasets_app.selection import Selection
from evalhub.access.models import Project, User
from evalhub.kit.errors import Conflict, Invalid, NotFound
from tests.datasets_app.jobs import items
from tests.datasets_app.pages import change

pytestmark = [pytest.mark.db, pytest.mark.django_db, pytest.mark.usefixtures("no_messages")]

DELETE = BulkAction("delete")
TO_TEST = BulkAction("set_split", split="test")


def all_of(dataset: Dataset, **query: str) -> Selection:
    return Selection(dataset.version, ItemQuery(**query), everything=True)


def some_of(dataset: Dataset, *numbers: int) -> Selection:
    return Selection(dataset.version, numbers=numbers)


def state(dataset: Dataset) -> list[tuple[Any, ...]]:
    return [(one.number, content_of(one)) for one in items(dataset)]


@pytest.fixture
def as_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every action is one for the background."""
    monkeypatch.setattr(bulk_actions, "INLINE_ITEMS", 0)
    monkeypatch.setattr(job, "BATCH_ITEMS", 3)


def finished(outcome: Outcome) -> Outcome:
    """The same with its job done."""
    if outcome.job is not None:
        job.work(outcome.job.pk)
        outcome.job.refresh_from_db()
        assert outcome.job.state == "done", outcome.job.message
        outcome.dataset.refresh_from_db()
    return outcome


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (TO_TEST, (0, 4, 0)),
        (BulkAction("set_split", split="train"), (0, 2, 0)),
        (BulkAction("add_tags", tags=("hard", "new")), (0, 4, 0)),
        (BulkAction("remove_tags", tags=("hard",)), (0, 0, 0)),
        (DELETE, (0, 0, 4)),
    ],
)
def test_an_action_is_one_version_that_can_be_undone(
    action: BulkAction,
    expected: tuple[int, int, int],
    background: bool,
    tickets: Dataset,
    owner: User,
    request: pytest.FixtureRequest,
) -> None:
    if background:
        request.getfixturevalue("as_jobs")
    before = state(tickets)
    finished(
        apply_bulk(
            dataset=tickets, selection=some_of(tickets, 1, 2, 5, 20, 77), action=action, by=owner
        )
    )
    if expected == (0, 0, 0):
        tickets.refresh_from_db()
        assert (tickets.version, tickets.pending_version) == (1, None)
        return
    version = DatasetVersion.objects.get(dataset=tickets, number=2)
    assert (version.added, version.changed, version.removed) == expected
    assert version.message == action.sentence(4)
    assert state(tickets) != before
    finished(undo_version(dataset=tickets, version=2, by=owner))
    assert state(tickets) == before
    undone = DatasetVersion.objects.get(dataset=tickets, number=3)
    assert undone.message == f"Undo v2: {version.message}"
    finished(undo_version(dataset=tickets, version=3, by=owner))
    assert state(tickets) != before


def test_a_query_selects_all_that_match_but_the_exceptions(tickets: Dataset, owner: User) -> None:
    selection = Selection(1, ItemQuery(split="train"), everything=True, except_numbers=(3, 4, 5))
    outcome = apply_bulk(dataset=tickets, selection=selection, action=TO_TEST, by=owner)
    assert (outcome.version, outcome.changed) == (2, 8)
    assert [one.number for one in items(tickets) if one.split == "test"] == [
        1, 7, 9, 11, 13, 15, 17, 19
    ]  # fmt: skip
    selected_now = all_of(tickets, where='split = "test"')
    assert selected.count_selected(tickets.pk, selected_now) == 8
    every = Selection(2, everything=True, except_numbers=(1, 99))
    assert selected.count_selected(tickets.pk, every) == 19


def test_what_changed_after_it_was_selected_is_refused_in_words(
    tickets: Dataset, owner: User
) -> None:
    seen = some_of(tickets, 1, 2, 3)
    change(tickets, 2, owner, input="new")
    with pytest.raises(Conflict, match="Item #2 was changed after the selection was made"):
        apply_bulk(dataset=tickets, selection=seen, action=DELETE, by=owner)
    assert len(items(tickets)) == 20
    outcome = apply_bulk(
        dataset=tickets, selection=Selection(1, numbers=(1, 3)), action=DELETE, by=owner
    )
    assert outcome.removed == 2
    with pytest.raises(Invalid, match="No item is selected"):
        apply_bulk(dataset=tickets, selection=some_of(tickets, 1, 3), action=DELETE, by=owner)
    with pytest.raises(NotFound, match="no version 9"):
        apply_bulk(dataset=tickets, selection=Selection(9, numbers=(2,)), action=DELETE, by=owner)


@pytest.mark.parametrize("background", [False, True])
def test_undo_is_refused_in_words_when_an_item_has_changed_since(
    background: bool, tickets: Dataset, owner: User, request: pytest.FixtureRequest
) -> None:
    apply_bulk(dataset=tickets, selection=all_of(tickets), action=TO_TEST, by=owner)
    change(tickets, 7, owner, input="new")
    if not background:
        with pytest.raises(Conflict, match="Item #7 was changed again after v2"):
            undo_version(dataset=tickets, version=2, by=owner)
    else:
        request.getfixturevalue("as_jobs")
        started = undo_version(dataset=tickets, version=2, by=owner).job
        assert started is not None
        job.work(started.pk)
        started.refresh_from_db()
        assert started.state == "failed"
        assert started.message.startswith("Item #7 was changed again after v2")
    assert {one.split for one in items(tickets) if one.number != 7} == {"test"}
    assert tickets.version == 3


def test_undo_of_a_deletion_needs_its_external_ids_back(tickets: Dataset, owner: User) -> None:
    apply_bulk(dataset=tickets, selection=some_of(tickets, 4), action=DELETE, by=owner)
    again = parse_item({"input": "another", "external_id": "id-4"})
    add_items(dataset=tickets, contents=[again], by=owner)
    with pytest.raises(Conflict, match="“id-4” of item #4 belongs to item #21 now"):
        undo_version(dataset=tickets, version=2, by=owner)
    with pytest.raises(NotFound):
        undo_version(dataset=tickets, version=4, by=owner)


@pytest.mark.parametrize("background", [False, True])
def test_copies_go_to_a_new_dataset_with_their_source(
    background: bool, tickets: Dataset, owner: User, request: pytest.FixtureRequest
) -> None:
    if background:
        request.getfixturevalue("as_jobs")
    action = parse_action({"type": "copy_to", "new_dataset": "Trained"})
    outcome = finished(
        apply_bulk(
            dataset=tickets, selection=all_of(tickets, split="train"), action=action, by=owner
        )
    )
    made = outcome.dataset
    assert (made.name, made.version) == ("Trained", 1)
    copies = items(made)
    assert [one.number for one in copies] == list(range(1, 11))
    assert [one.external_id for one in copies][:2] == ["id-1", "id-3"]
    assert [one.source for one in copies][:2] == ["Tickets v1 #1", "Tickets v1 #3"]
    version = DatasetVersion.objects.get(dataset=made)
    assert version.message == "Add 10 items from Tickets v1"
    assert state(tickets)[0][0] == 1
    assert tickets.version == 1


@pytest.mark.parametrize("background", [False, True])
def test_taken_external_ids_are_listed_and_refused_or_skipped(
    background: bool,
    tickets: Dataset,
    project: Project,
    owner: User,
    request: pytest.FixtureRequest,
) -> None:
    other = create_dataset(project=project, name="Other", by=owner)
    same = parse_item({"input": "q2", "external_id": "id-2", "split": ""})
    unlike = parse_item({"input": "unlike", "external_id": "id-4"})
    add_items(dataset=other, contents=[same, unlike], by=owner)
    selection = some_of(tickets, 1, 2, 4)
    if background:
        request.getfixturevalue("as_jobs")
    told = "External ID “id-4” of item #4 is that of item #2 there, whose content differs."
    refuse = BulkAction("copy_to", dataset="other")
    if background:
        started = apply_bulk(dataset=tickets, selection=selection, action=refuse, by=owner).job
        assert started is not None
        job.work(started.pk)
        started.refresh_from_db()
        assert (started.state, started.problems[0]["detail"]) == ("failed", told)
    else:
        with pytest.raises(Conflict, match="An external id is taken") as refused:
            apply_bulk(dataset=tickets, selection=selection, action=refuse, by=owner)
        assert [one.detail for one in refused.value.errors] == [told]
    assert len(items(other)) == 2
    skip = BulkAction("copy_to", dataset="other", on_conflict="skip")
    outcome = finished(apply_bulk(dataset=tickets, selection=selection, action=skip, by=owner))
    assert [one.external_id for one in items(other)] == ["id-2", "id-4", "id-1"]
    if outcome.job is not None:
        assert (outcome.job.params["there"], outcome.job.params["skipped"]) == (1, 1)
        assert outcome.job.problems[0]["detail"] == told
    else:
        assert (outcome.there, [one.detail for one in outcome.skipped]) == (1, [told])


def test_a_move_leaves_one_dataset_for_the_other_or_stays(
    tickets: Dataset, project: Project, owner: User
) -> None:
    other = create_dataset(project=project, name="Other", by=owner)
    action = BulkAction("move_to", dataset="other")
    apply_bulk(dataset=tickets, selection=some_of(tickets, 1, 2), action=action, by=owner)
    assert [one.input for one in items(other)] == ["q1", "q2"]
    assert [one.number for one in items(tickets)] == list(range(3, 21))
    add_items(dataset=other, contents=[parse_item({"input": "x", "external_id": "id-9"})], by=owner)
    with pytest.raises(Conflict, match="An external id is taken"):
        apply_bulk(dataset=tickets, selection=some_of(tickets, 8, 9), action=action, by=owner)
    assert len(items(tickets)) == 18
    with pytest.raises(Invalid, match="in this dataset already"):
        apply_bulk(
            dataset=tickets,
            selection=some_of(tickets, 8),
            action=BulkAction("copy_to", dataset="tickets"),
            by=owner,
        )


def test_a_target_of_another_project_is_not_there(
    tickets: Dataset, owner: User, stranger: User
) -> None:
    from tests.factories import make_dataset, make_project

    foreign = make_dataset(make_project(stranger), stranger, [{"input": 1}], name="Foreign")
    for ref in (foreign.slug, str(foreign.uuid)):
        with pytest.raises(NotFound):
            apply_bulk(
                dataset=tickets,
                selection=some_of(tickets, 1),
                action=BulkAction("copy_to", dataset=ref),
                by=owner,
            )


def test_an_archived_dataset_is_read_only_in_every_way(tickets: Dataset, owner: User) -> None:
    Dataset.objects.filter(pk=tickets.pk).update(archived_at=Now())
    told = "Tickets is archived, so it cannot be changed"
    with pytest.raises(Conflict, match=told):
        apply_bulk(dataset=tickets, selection=all_of(tickets), action=TO_TEST, by=owner)
    with pytest.raises(Conflict, match=told):
        undo_version(dataset=tickets, version=1, by=owner)
    with pytest.raises(Conflict, match=told):
        batch_items(dataset=tickets, delete=[ItemRemoval(1)], by=owner)
    with pytest.raises(Conflict, match=told):
        change(tickets, 1, owner, input="new")
    staged = stage_import(dataset=tickets, filename="a.csv", chunks=[b"input\nx\n"], by=owner)
    with pytest.raises(Conflict, match=told):
        apply_import(job=staged, by=owner)


def test_while_a_job_writes_nobody_else_does(tickets: Dataset, owner: User, as_jobs: None) -> None:
    started = apply_bulk(dataset=tickets, selection=all_of(tickets), action=TO_TEST, by=owner).job
    assert started is not None
    with pytest.raises(Conflict, match="A bulk action is writing version 2"):
        apply_bulk(dataset=tickets, selection=all_of(tickets), action=DELETE, by=owner)
    cancel_job(job=started, by=owner)
    finished(apply_bulk(dataset=tickets, selection=all_of(tickets), action=DELETE, by=owner))
    assert items(tickets) == []


def test_copies_keep_to_the_schemas_of_where_they_go(
    tickets: Dataset, project: Project, owner: User
) -> None:
    other = create_dataset(project=project, name="Other", by=owner)
    add_items(dataset=other, contents=[parse_item({"input": "q"})], by=owner)
    DatasetVersion.objects.filter(dataset=other).update(
        schemas={"input": '{"type": "string", "maxLength": 2}'}
    )
    copy = BulkAction("copy_to", dataset="other")
    apply_bulk(dataset=tickets, selection=some_of(tickets, 1, 9), action=copy, by=owner)
    with pytest.raises(Invalid, match="does not match the schema"):
        apply_bulk(dataset=tickets, selection=some_of(tickets, 3, 10), action=copy, by=owner)
    assert len(items(other)) == 3
    with pytest.raises(Invalid, match="does not match the schema") as refused:
        batch_items(
            dataset=other, add=[parse_item({"input": "ok"}), parse_item({"input": 3})], by=owner
        )
    assert refused.value.errors[0].pointer == "/add/1/input"


@pytest.mark.parametrize("size", [200, 2_000])
def test_an_action_makes_no_query_for_each_item(
    size: int, empty: Dataset, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = [parse_item({"input": n}) for n in range(size)]
    add_items(dataset=empty, contents=contents, by=owner)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        apply_bulk(dataset=empty, selection=all_of(empty), action=TO_TEST, by=owner)
    # A batch of 1,000 is read once, closed in two updates and written in one insert.
    assert len(queries) <= 16 + 5 * (size // 1_000)
