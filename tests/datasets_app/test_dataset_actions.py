"""Datasets are renamed, described, tagged, pinned, archived and duplicated."""

from __future__ import annotations

from typing import Any

import pytest

from datasets_app.actions import (
    add_items,
    archive_dataset,
    delete_item,
    pin_dataset,
    unarchive_dataset,
    update_dataset,
    update_item,
)
from datasets_app.actions import duplicate as duplicating
from datasets_app.actions.duplicate import duplicate_dataset
from datasets_app.actions.versions import content_of
from datasets_app.bulk.job import work
from datasets_app.items import ItemContent, parse_item
from datasets_app.models import Dataset, DatasetJob, DatasetVersion, ItemRevision
from evalhub.access.models import AuditEntry, Project, User
from evalhub.kit.errors import Conflict, Invalid
from tests.factories import make_dataset, questions

pytestmark = [pytest.mark.django_db, pytest.mark.db]

EVERYTHING: dict[str, Any] = {
    "input": {"b": 1.0, "a": 10**30},
    "expected_output": None,
    "metadata": {"topic": "sum"},
    "context": {"locale": "en"},
    "tags": ["hard"],
    "split": "test",
    "scorers": [],
    "external_id": "q-1",
    "source": "by hand",
}


def items_of(dataset: Dataset) -> dict[int, ItemContent]:
    dataset.refresh_from_db()
    found = ItemRevision.objects.filter(dataset=dataset).at(dataset.version)
    return {item.number: content_of(item) for item in found.order_by("number")}


def make_source(project: Project, owner: User, more: int = 3) -> Dataset:
    """Items 1 and 3 to `more` + 1, all fields, tags, a description and a schema."""
    source = make_dataset(project, owner, [EVERYTHING, *questions(more)])
    delete_item(dataset=source, number=2, by=owner)
    update_dataset(dataset=source, by=owner, description="**What** it is for", tags=["maths"])
    DatasetVersion.objects.filter(dataset=source, number=2).update(schemas={"input": {}})
    source.refresh_from_db()
    return source


def test_a_duplicate_has_everything(project: Project, owner: User) -> None:
    source = make_source(project, owner)
    copy, job = duplicate_dataset(dataset=source, by=owner)
    assert job is None
    assert items_of(copy) == items_of(source)
    assert copy.name == f"Copy of {source.name}"
    assert (copy.description, copy.tags) == (source.description, ["maths"])
    version = copy.versions.get()
    assert (version.number, version.added, version.item_count) == (1, 3, 3)
    assert version.message == f"Duplicated from {source.name} v2"
    assert version.schemas == {"input": {}}
    added = add_items(dataset=copy, contents=[parse_item({"input": "new"})], by=owner)
    assert added == [5]


def test_a_large_one_is_duplicated_in_the_background_with_the_same_result(
    project: Project, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_source(project, owner)
    monkeypatch.setattr(duplicating, "INLINE_ITEMS", 2)
    copy, job = duplicate_dataset(dataset=source, by=owner, name="Another")
    assert job is not None
    assert (copy.pending_version, items_of(copy)) == (1, {})
    monkeypatch.setattr("datasets_app.bulk.job.BATCH_ITEMS", 1)
    work(job.pk)
    assert DatasetJob.objects.get(pk=job.pk).state == "done"
    assert items_of(copy) == items_of(source)
    version = copy.versions.get()
    assert (version.added, version.schemas) == (3, {"input": {}})
    assert version.message == f"Duplicated from {source.name} v2"
    assert add_items(dataset=copy, contents=[parse_item({"input": "new"})], by=owner) == [5]


def test_a_duplicate_of_an_empty_dataset_is_empty(project: Project, owner: User) -> None:
    copy, _ = duplicate_dataset(dataset=make_dataset(project, owner, []), by=owner)
    assert copy.version == 0


def test_duplicates_get_names_of_their_own_and_a_taken_one_is_refused(
    project: Project, owner: User
) -> None:
    source = make_dataset(project, owner, questions(1), name="Sums")
    names = [duplicate_dataset(dataset=source, by=owner)[0].name for _ in range(3)]
    assert names == ["Copy of Sums", "Copy of Sums 2", "Copy of Sums 3"]
    with pytest.raises(Conflict):
        duplicate_dataset(dataset=source, by=owner, name="Sums")


def test_an_archived_dataset_is_read_only_until_it_is_taken_out(
    project: Project, owner: User
) -> None:
    dataset = make_dataset(project, owner, questions(1))
    pin_dataset(dataset=dataset, by=owner)
    archive_dataset(dataset=dataset, by=owner)
    assert dataset.archived_at is not None
    assert dataset.pinned_at is None
    item = ItemRevision.objects.get(dataset=dataset)
    for change in (
        lambda: update_dataset(dataset=dataset, by=owner, name="Other"),
        lambda: pin_dataset(dataset=dataset, by=owner),
        lambda: add_items(dataset=dataset, contents=[parse_item({"input": 1})], by=owner),
        lambda: update_item(
            dataset=dataset,
            number=1,
            revision=item.pk,
            content=parse_item({"input": 1}),
            by=owner,
        ),
    ):
        with pytest.raises(Conflict, match="archived"):
            change()
    unarchive_dataset(dataset=dataset, by=owner)
    update_dataset(dataset=dataset, by=owner, name="Other")
    actions = AuditEntry.objects.filter(project=project).values_list("action", flat=True)
    assert {"dataset.archived", "dataset.unarchived", "dataset.pinned"} <= set(actions)


def test_a_dataset_that_is_being_written_is_not_archived(project: Project, owner: User) -> None:
    dataset = make_dataset(project, owner, questions(1))
    Dataset.objects.filter(pk=dataset.pk).update(pending_version=2)
    with pytest.raises(Conflict):
        archive_dataset(dataset=dataset, by=owner)


def test_pinning_leaves_the_time_of_the_last_change_alone(project: Project, owner: User) -> None:
    dataset = make_dataset(project, owner, questions(1))
    before = dataset.updated_at
    pin_dataset(dataset=dataset, by=owner)
    assert dataset.pinned_at is not None
    pin_dataset(dataset=dataset, by=owner, pinned=False)
    dataset.refresh_from_db()
    assert (dataset.pinned_at, dataset.updated_at) == (None, before)


def test_tags_are_kept_once_without_space_around_them(project: Project, owner: User) -> None:
    dataset = make_dataset(project, owner, [])
    update_dataset(dataset=dataset, by=owner, tags=[" a ", "b", "a", "", "two  words"])
    dataset.refresh_from_db()
    assert dataset.tags == ["a", "b", "two words"]


@pytest.mark.parametrize("tags", [["x" * 41], [str(n) for n in range(21)], ["a,b"]])
def test_tags_out_of_bounds_are_refused(project: Project, owner: User, tags: list[str]) -> None:
    dataset = make_dataset(project, owner, [])
    with pytest.raises(Invalid) as refused:
        update_dataset(dataset=dataset, by=owner, tags=tags)
    assert refused.value.errors[0].pointer == "/tags"
