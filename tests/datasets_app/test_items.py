"""Items through the actions: versions, revisions, external ids, stale edits."""

from __future__ import annotations

from typing import Any

import pytest

from datasets_app import queries
from datasets_app.actions import add_items, create_dataset, delete_dataset, delete_item, update_item
from datasets_app.items import ItemContent, parse_item
from datasets_app.models import Dataset, ItemRevision
from evalhub.access.models import AuditEntry, Project, User
from evalhub.kit.errors import Conflict, Invalid, NotFound, StaleRevision

pytestmark = [pytest.mark.db, pytest.mark.django_db]


def content(**fields: Any) -> ItemContent:
    return parse_item({"input": "q", **fields})


def test_a_batch_is_one_version_with_its_counts(dataset: Dataset, owner: User) -> None:
    version = queries.versions(dataset).get(number=1)
    assert (version.added, version.changed, version.removed, version.item_count) == (3, 0, 0, 3)
    assert version.author == owner


def test_an_old_version_reads_exactly_as_it_was(dataset: Dataset, owner: User) -> None:
    first = queries.find_item(dataset, 1, 1)
    update_item(
        dataset=dataset, number=1, revision=first.pk, content=content(input="new"), by=owner
    )
    delete_item(dataset=dataset, number=2, by=owner)
    assert [row.input for row in queries.items(dataset, 1)] == [
        "1 + 1",
        {"question": "2 + 2"},
        "Say nothing",
    ]
    assert [row.input for row in queries.items(dataset, 2)] == [
        "new",
        {"question": "2 + 2"},
        "Say nothing",
    ]
    assert [row.number for row in queries.items(dataset, 3)] == [1, 3]
    assert [queries.item_count(dataset, number) for number in (0, 1, 2, 3)] == [0, 3, 3, 2]


def test_numbers_are_never_given_twice(dataset: Dataset, owner: User) -> None:
    delete_item(dataset=dataset, number=3, by=owner)
    assert add_items(dataset=dataset, contents=[content()], by=owner) == [4]


def test_null_is_not_absent(dataset: Dataset, owner: User) -> None:
    numbers = add_items(
        dataset=dataset, contents=[content(), content(expected_output=None)], by=owner
    )
    rows = [queries.find_item(dataset, dataset.version, number) for number in numbers]
    assert [row.has_expected_output for row in rows] == [False, True]
    assert rows[0].content_hash != rows[1].content_hash


def test_json_keeps_its_key_order_and_big_numbers(dataset: Dataset, owner: User) -> None:
    value = {"z": 1, "a": 12345678901234567890123, "m": 1.0}
    (number,) = add_items(dataset=dataset, contents=[content(input=value)], by=owner)
    row = queries.find_item(dataset, dataset.version, number)
    assert row.input_json == '{"z":1,"a":12345678901234567890123,"m":1.0}'


def test_identical_items_stay_separate(dataset: Dataset, owner: User) -> None:
    assert add_items(dataset=dataset, contents=[content(), content()], by=owner) == [4, 5]


def test_the_same_external_id_with_the_same_payload_changes_nothing(
    dataset: Dataset, owner: User
) -> None:
    item = content(external_id="x-1")
    assert add_items(dataset=dataset, contents=[item, item], by=owner) == [4, 4]
    assert add_items(dataset=dataset, contents=[item], by=owner) == [4]
    assert dataset.version == 2


def test_a_taken_external_id_lists_every_offender_and_adds_nothing(
    dataset: Dataset, owner: User
) -> None:
    offered = [content(external_id="fine"), content(external_id="q-2"), content(external_id="q-2")]
    with pytest.raises(Conflict) as refused:
        add_items(dataset=dataset, contents=offered, by=owner)
    pointers = [error.pointer for error in refused.value.errors]
    assert pointers == ["/items/1/external_id", "/items/2/external_id"]
    dataset.refresh_from_db()
    assert dataset.version == 1
    assert not ItemRevision.objects.filter(external_id="fine").exists()


def test_an_external_id_is_free_again_after_its_item_is_deleted(
    dataset: Dataset, owner: User
) -> None:
    delete_item(dataset=dataset, number=2, by=owner)
    assert add_items(dataset=dataset, contents=[content(external_id="q-2")], by=owner) == [4]


def test_a_stale_edit_is_refused_and_names_the_newer_revision(
    dataset: Dataset, owner: User
) -> None:
    read = queries.find_item(dataset, 1, 1)
    update_item(
        dataset=dataset, number=1, revision=read.pk, content=content(input="theirs"), by=owner
    )
    with pytest.raises(StaleRevision) as refused:
        update_item(
            dataset=dataset, number=1, revision=read.pk, content=content(input="mine"), by=owner
        )
    current = queries.find_item(dataset, 2, 1)
    assert refused.value.extra["current"] == current.pk
    assert current.input == "theirs"


def test_saving_the_same_content_makes_no_version(dataset: Dataset, owner: User) -> None:
    read = queries.find_item(dataset, 1, 3)
    update_item(
        dataset=dataset,
        number=3,
        revision=read.pk,
        content=parse_item({"input": "Say nothing"}),
        by=owner,
    )
    assert dataset.version == 1


def test_history_shows_every_revision_newest_first(dataset: Dataset, owner: User) -> None:
    read = queries.find_item(dataset, 1, 1)
    update_item(dataset=dataset, number=1, revision=read.pk, content=content(), by=owner)
    delete_item(dataset=dataset, number=1, by=owner)
    entries = queries.history(dataset, 1)
    assert [entry.version.number for entry in entries] == [3, 2, 1]
    assert [entry.revision.deleted for entry in entries] == [True, False, False]
    assert entries[-1].before is None


def test_nobody_writes_while_an_import_holds_the_next_version(
    dataset: Dataset, owner: User
) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(pending_version=2)
    with pytest.raises(Conflict, match="An import is writing version 2"):
        add_items(dataset=dataset, contents=[content()], by=owner)


def test_a_deleted_dataset_frees_its_slug_and_is_found_no_more(
    project: Project, dataset: Dataset, owner: User
) -> None:
    delete_dataset(dataset=dataset, by=owner)
    with pytest.raises(NotFound):
        queries.find_dataset(owner, project, "sums")
    assert create_dataset(project=project, name="Sums", by=owner).slug == "sums"


def test_a_taken_name_is_a_conflict_and_a_reserved_slug_is_avoided(
    project: Project, dataset: Dataset, owner: User
) -> None:
    with pytest.raises(Conflict, match="“sums”"):
        create_dataset(project=project, name="sums", by=owner)
    assert create_dataset(project=project, name="Runs", by=owner).slug == "runs-dataset"


def test_names_that_give_the_same_slug_or_none_get_numbered_ones(
    project: Project, dataset: Dataset, owner: User
) -> None:
    def slugs(*names: str) -> list[str]:
        return [create_dataset(project=project, name=name, by=owner).slug for name in names]

    assert slugs("Sums!", "Sums?") == ["sums-2", "sums-3"]
    assert slugs("数据", "数据集") == ["dataset", "dataset-2"]
    assert slugs("Runs", "Runs!") == ["runs-dataset", "runs-dataset-2"]
    assert slugs("x" * 90, "x" * 91) == ["x" * 80, "x" * 70 + "-2"]
    with pytest.raises(Conflict, match="“dataset”"):
        create_dataset(project=project, name="数据", by=owner)
    # A name taken under a numbered slug is taken as well.
    with pytest.raises(Conflict, match="“dataset-2”"):
        create_dataset(project=project, name="数据集", by=owner)


@pytest.mark.parametrize(
    ("payload", "pointer"),
    [
        ({}, "/input"),
        ({"input": 1, "inptu": 2}, "/inptu"),
        ({"input": 1, "metadata": [1]}, "/metadata"),
        ({"input": 1, "context": "x"}, "/context"),
        ({"input": 1, "tags": [1]}, "/tags"),
        ({"input": 1, "external_id": ""}, "/external_id"),
        ({"input": 1, "split": "x" * 61}, "/split"),
    ],
)
def test_a_wrong_item_is_refused_with_a_pointer(payload: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_item(payload)
    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_every_change_leaves_an_audit_entry(dataset: Dataset, owner: User) -> None:
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["project.created", "dataset.created", "dataset.version"]
