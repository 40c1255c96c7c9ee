"""Bringing revisions back, copying items, and purging what they said."""

from __future__ import annotations

import pytest

from datasets_app import indexing, item_search, queries
from datasets_app.actions import (
    add_items,
    copy_item,
    create_dataset,
    delete_item,
    purge_item,
    restore_revision,
)
from datasets_app.actions.items import current_item
from datasets_app.actions.purge import ITEM_PURGED
from datasets_app.item_query import ItemQuery
from datasets_app.item_search import SearchIndex
from datasets_app.items import parse_item
from datasets_app.models import Dataset, DatasetVersion, ItemRevision
from evalhub.access.models import AuditEntry, User
from evalhub.kit import events
from evalhub.kit.errors import Conflict, NotFound, StaleRevision
from tests.datasets_app.pages import change

pytestmark = pytest.mark.db


def test_a_revision_comes_back_as_a_new_version(dataset: Dataset, owner: User) -> None:
    first = current_item(dataset, 1)
    change(dataset, 1, owner, expected_output="two")
    restored = restore_revision(dataset=dataset, number=1, revision=first.pk, by=owner)
    assert (restored.version_from, restored.expected_output) == (3, "2")
    assert [entry.version.number for entry in queries.history(dataset, 1)] == [3, 2, 1]
    assert queries.find_item(dataset, 2, 1).expected_output == "two"


def test_restoring_what_is_there_makes_no_version(dataset: Dataset, owner: User) -> None:
    item = current_item(dataset, 1)
    assert restore_revision(dataset=dataset, number=1, revision=item.pk, by=owner).pk == item.pk
    assert dataset.version == 1


def test_a_deleted_item_comes_back_under_its_number_and_is_counted(
    dataset: Dataset, owner: User
) -> None:
    item = current_item(dataset, 2)
    mark = delete_item(dataset=dataset, number=2, by=owner)
    restore_revision(dataset=dataset, number=2, revision=item.pk, current=mark.pk, by=owner)
    assert current_item(dataset, 2).external_id == "q-2"
    counts = DatasetVersion.objects.filter(dataset=dataset).order_by("number")
    assert list(counts.values_list("item_count", flat=True)) == [3, 2, 3]
    assert [row.number for row in queries.items(dataset, 2)] == [1, 3]
    assert [row.number for row in queries.items(dataset, 3)] == [1, 2, 3]


def test_an_undo_that_comes_too_late_says_so(dataset: Dataset, owner: User) -> None:
    item = current_item(dataset, 1)
    mark = delete_item(dataset=dataset, number=1, by=owner)
    restore_revision(dataset=dataset, number=1, revision=item.pk, by=owner)
    change(dataset, 1, owner, input="else")
    with pytest.raises(StaleRevision, match="changed in v4 meanwhile, so nothing was restored"):
        restore_revision(dataset=dataset, number=1, revision=item.pk, current=mark.pk, by=owner)


def test_a_restored_external_id_may_have_been_taken(dataset: Dataset, owner: User) -> None:
    item = current_item(dataset, 2)
    delete_item(dataset=dataset, number=2, by=owner)
    add_items(dataset=dataset, contents=[parse_item({"input": 1, "external_id": "q-2"})], by=owner)
    with pytest.raises(Conflict, match="belongs to item #4") as refused:
        restore_revision(dataset=dataset, number=2, revision=item.pk, by=owner)
    assert refused.value.extra == {"taken_by": 4}


def test_a_revision_of_another_item_is_not_found(dataset: Dataset, owner: User) -> None:
    with pytest.raises(NotFound):
        restore_revision(dataset=dataset, number=1, revision=current_item(dataset, 2).pk, by=owner)


def test_a_copy_beside_the_item_has_all_but_its_external_id(dataset: Dataset, owner: User) -> None:
    number = copy_item(item=current_item(dataset, 2), of=dataset, to=dataset, by=owner)
    copy, item = current_item(dataset, number), current_item(dataset, 2)
    assert number == 4
    assert (copy.content_hash, copy.metadata_json) == (item.content_hash, item.metadata_json)
    assert (copy.external_id, copy.source) == (None, "Sums, item 2, v1")


def test_a_copy_in_another_dataset_keeps_its_id_and_is_not_made_twice(
    dataset: Dataset, owner: User
) -> None:
    other = create_dataset(project=dataset.project, name="Other", by=owner)
    item = current_item(dataset, 2)
    first = copy_item(item=item, of=dataset, to=other, by=owner)
    assert copy_item(item=item, of=dataset, to=other, by=owner) == first
    assert current_item(other, first).external_id == "q-2"
    assert (other.version, dataset.version) == (1, 1)


def test_a_purge_blanks_every_revision_and_keeps_place_and_counts(
    dataset: Dataset, owner: User
) -> None:
    change(dataset, 2, owner, input="My name is Ada", tags=["Ada"], split="dev", context={"a": 1})
    delete_item(dataset=dataset, number=2, by=owner)
    assert purge_item(dataset=dataset, number=2, by=owner) == 3
    rows = ItemRevision.objects.filter(dataset=dataset, number=2).order_by("version_from")
    for row in rows:
        assert row.purged
        assert (row.input_json, row.expected_json, row.metadata_json) == ("null", None, "{}")
        assert (row.context_json, row.tags, row.external_id, row.source) == (None, [], None, "")
    assert len({row.content_hash for row in rows}) == 1
    assert [row.split for row in rows] == ["", "dev", "dev"]
    assert [row.number for row in queries.items(dataset, 2)] == [1, 2, 3]
    assert dataset.version == 3
    entry = AuditEntry.objects.get(action="item.purged")
    assert (entry.subject, entry.detail) == ("sums #2", {"revisions": 3})
    assert "Ada" not in str(entry.detail)


def test_a_purged_item_is_not_in_the_index_of_searches(dataset: Dataset, owner: User) -> None:
    change(dataset, 1, owner, input="Ada Lovelace")
    change(dataset, 1, owner, input="else")
    SearchIndex.objects.create(dataset=dataset)
    indexing.build(dataset.pk)
    found = ItemQuery(q="lovelace")
    assert len(item_search.hits(dataset, 3, found) or []) == 1
    purge_item(dataset=dataset, number=1, by=owner)
    assert item_search.hits(dataset, 3, found) == []
    assert len(item_search.hits(dataset, 3, ItemQuery(q="say nothing")) or []) == 1


def test_nothing_is_left_to_restore_or_copy_after_a_purge(dataset: Dataset, owner: User) -> None:
    item = current_item(dataset, 1)
    change(dataset, 1, owner, input="else")
    purge_item(dataset=dataset, number=1, by=owner)
    with pytest.raises(Conflict, match="was purged"):
        restore_revision(dataset=dataset, number=1, revision=item.pk, by=owner)
    with pytest.raises(Conflict, match="was purged"):
        copy_item(item=current_item(dataset, 1), of=dataset, to=dataset, by=owner)


def test_a_purged_item_stays_purged_until_it_is_given_a_content(
    dataset: Dataset, owner: User
) -> None:
    purge_item(dataset=dataset, number=1, by=owner)
    item = current_item(dataset, 1)
    mark = delete_item(dataset=dataset, number=1, by=owner)
    assert mark.purged
    back = restore_revision(dataset=dataset, number=1, revision=item.pk, current=mark.pk, by=owner)
    assert back.purged
    change(dataset, 1, owner, input="new")
    assert not current_item(dataset, 1).purged


@pytest.mark.parametrize("writing", ["an import", "nobody: there is no such item"])
def test_a_purge_that_cannot_be_done_changes_nothing(
    writing: str, dataset: Dataset, owner: User
) -> None:
    number = 1 if writing == "an import" else 9
    if number == 1:
        Dataset.objects.update(pending_version=2)
    with pytest.raises(Conflict if number == 1 else NotFound):
        purge_item(dataset=dataset, number=number, by=owner)
    assert not ItemRevision.objects.filter(purged=True).exists()


def test_a_listener_that_refuses_a_purge_undoes_it(
    dataset: Dataset, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []

    def refuse(**facts: object) -> None:
        heard.append(facts)
        raise Conflict("Not now.")

    monkeypatch.setattr(events, "_listeners", {ITEM_PURGED: [refuse]})
    with pytest.raises(Conflict, match="Not now"):
        purge_item(dataset=dataset, number=1, by=owner)
    assert heard == [
        {
            "dataset_id": dataset.pk,
            "project_id": dataset.project_id,
            "number": 1,
            "inputs": {'"1 + 1"'},
        }
    ]
    assert current_item(dataset, 1).input == "1 + 1"
