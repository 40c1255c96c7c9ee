"""What other apps may use of datasets: a dozen functions that return frozen rows.

No model leaves this module; a door of another app works with rows and ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count

from datasets_app import actions, queries
from datasets_app.actions.purge import ITEM_PURGED as ITEM_PURGED
from datasets_app.actions.versions import content_of
from datasets_app.importing.file_rows import FileRow as FileRow
from datasets_app.importing.file_rows import file_rows as file_rows
from datasets_app.item_pages import count, matching_numbers
from datasets_app.item_query import ItemQuery
from datasets_app.item_schemas import schema_values
from datasets_app.items import parse_item
from datasets_app.models import Dataset, DatasetVersion, ItemRevision
from datasets_app.models.items import ItemRevisionQuerySet
from datasets_app.notes import Note as Note
from datasets_app.notes import NoteBlock as NoteBlock
from datasets_app.notes import Place as Place
from datasets_app.notes import note_block as note_block
from datasets_app.notes import read_notes as read_notes
from evalhub.access.models import Project, User
from evalhub.kit import slots
from evalhub.kit.errors import NotFound


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """A dataset at its current version."""

    id: int
    slug: str
    uuid: str
    name: str
    description: str
    version: int
    item_count: int
    deleted: bool
    archived: bool = False  # out of the lists, and read-only


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One revision of an item; JSON as text, `expected_json` None when absent."""

    revision_id: int
    number: int
    version_from: int
    external_id: str | None
    input_json: str
    expected_json: str | None
    metadata_json: str
    context_json: str | None
    content_hash: str
    purged: bool = False
    scorers_json: str | None = None  # the item's own scorers; None: those of the run


_ITEM_FIELDS = (
    "pk",
    "number",
    "version_from",
    "external_id",
    "input_json",
    "expected_json",
    "metadata_json",
    "context_json",
    "content_hash",
    "purged",
    "scorers_json",
)


def find_dataset(user: User, project: Project, ref: str) -> DatasetRow:
    """A dataset that `user` may see, by slug or uuid. Raises NotFound."""
    return _row(queries.find_dataset(user, project, ref))


def list_datasets(user: User, project: Project) -> list[DatasetRow]:
    """All datasets of the project that are not archived, newest change first."""
    return [_row(dataset) for dataset in queries.datasets(user, project, archived=False)]


def datasets_by_id(ids: Iterable[int]) -> dict[int, DatasetRow]:
    """Datasets by id, deleted ones too (their runs stay readable); scope is the caller's."""
    found = queries.counted(Dataset.objects.filter(pk__in=set(ids)))
    return {dataset.pk: _row(dataset) for dataset in found}


def version_item_count(dataset_id: int, version: int) -> int | None:
    """How many items a version has; None when there is no such version."""
    return (
        DatasetVersion.objects.filter(dataset=dataset_id, number=version)
        .values_list("item_count", flat=True)
        .first()
    )


def count_items(dataset_id: int, version: int, split: str = "") -> int:
    """How many items `version` has in `split`; "" counts them all."""
    return _items(dataset_id, version, split).count()


def item_numbers(dataset_id: int, version: int, split: str = "", where: str = "") -> list[int]:
    """The numbers of the items at `version` in `split` ("" for all) that pass the filter, in
    order. Raises Invalid for a filter that is not understood."""
    dataset = Dataset.objects.get(pk=dataset_id)
    return matching_numbers(dataset, version, ItemQuery(where=where, split=split))


def count_matching(
    dataset_id: int, version: int, split: str = "", where: str = ""
) -> tuple[int, bool]:
    """How many items at `version` in `split` pass the filter, in bounded time; when the second is
    False, there may be more. Raises Invalid for a filter that is not understood."""
    dataset = Dataset.objects.get(pk=dataset_id)
    found = count(dataset, version, ItemQuery(where=where, split=split))
    return found.n, found.exact


def check_filter(where: str) -> None:
    """Raises Invalid, with `position` in its extra, for a filter that is not understood."""
    ItemQuery(where=where).check()


def splits(dataset_id: int, version: int) -> dict[str, int]:
    """{split: how many items} of the splits that items at `version` name, by name."""
    found = _items(dataset_id, version).exclude(split="").order_by("split")
    return {str(split): n for split, n in found.values_list("split").annotate(Count("pk"))}


def read_items(
    dataset_id: int,
    version: int,
    *,
    after: int,
    limit: int,
    split: str = "",
    numbers: Sequence[int] | None = None,
) -> list[ItemRow]:
    """Up to `limit` items at `version` with numbers above `after`, in number order.

    `split` keeps those of one split, `numbers` (a few hundred at most) those with such a number.
    """
    found = (
        ItemRevision.objects.filter(dataset=dataset_id, number__gt=after)
        .at(version)
        .order_by("number")
    )
    if split:
        found = found.filter(split=split)
    if numbers is not None:
        found = found.filter(number__in=numbers)
    return [ItemRow(*row) for row in found.values_list(*_ITEM_FIELDS)[:limit]]


def numbers_by_external_id(
    dataset_id: int, version: int, external_ids: Sequence[str]
) -> dict[str, int]:
    """{external id: item number} at `version`, of up to 500 ids; without those that it lacks."""
    found = _items(dataset_id, version).filter(external_id__in=external_ids)
    pairs = found.values_list("external_id", "number")
    return {external_id: number for external_id, number in pairs if external_id is not None}


def revisions_by_id(ids: Sequence[int]) -> dict[int, ItemRow]:
    """Item revisions by id, whatever their version."""
    rows: dict[int, ItemRow] = {}
    for start in range(0, len(ids), 500):  # SQLite takes a bounded number of parameters
        found = ItemRevision.objects.filter(pk__in=ids[start : start + 500])
        for row in found.values_list(*_ITEM_FIELDS):
            rows[row[0]] = ItemRow(*row)
    return rows


def expected_by_id(ids: Sequence[int]) -> dict[int, str | None]:
    """Expected outputs of item revisions by id, as JSON text, without reading long inputs."""
    found: dict[int, str | None] = {}
    for start in range(0, len(ids), 500):
        rows = ItemRevision.objects.filter(pk__in=ids[start : start + 500])
        found.update(rows.values_list("pk", "expected_json"))
    return found


def find_item(dataset_id: int, version: int, number: int) -> ItemRow | None:
    """Item `number` as it was at `version`; None when it was not there. Scope is the caller's."""
    found = ItemRevision.objects.filter(dataset=dataset_id, number=number).at(version)
    row = found.values_list(*_ITEM_FIELDS).first()
    return None if row is None else ItemRow(*row)


def add_item(
    *, dataset: DatasetRow, payload: Mapping[str, Any], by: User, message: str = ""
) -> tuple[int, int]:
    """Add one item, given as the API takes it: its number and the version that has it.

    Raises Invalid with pointers, Conflict (a taken external id, an import under way) or NotFound.
    """
    found = Dataset.objects.get(pk=dataset.id)
    content = parse_item(payload)
    numbers = actions.add_items(dataset=found, contents=[content], by=by, message=message)
    return numbers[0], found.version


def revise_item(
    *,
    dataset: DatasetRow,
    number: int,
    revision: int,
    payload: Mapping[str, Any],
    by: User,
    message: str = "",
) -> int:
    """Save a new revision of item `number` with the input, expected output, context and metadata
    of `payload` (as the API takes them); what else the item has stays. The version that has it.

    `revision` is the one that was read. Raises StaleRevision, Invalid, Conflict or NotFound.
    """
    found = Dataset.objects.get(pk=dataset.id)
    base = ItemRevision.objects.filter(dataset=found, number=number, pk=revision).first()
    if base is None:
        raise NotFound(f"There is no item {number} in {dataset.name}.")
    given = parse_item(payload)
    content = replace(
        content_of(base),
        input_json=given.input_json,
        expected_json=given.expected_json,
        metadata_json=given.metadata_json,
        context_json=given.context_json,
        content_hash=given.content_hash,
    )
    actions.update_item(
        dataset=found, number=number, revision=revision, content=content, by=by, message=message
    )
    found.refresh_from_db()
    return found.version


def input_schema(dataset_id: int, version: int) -> Any:
    """The JSON Schema that inputs of this version keep to; None without one."""
    found = DatasetVersion.objects.filter(dataset=dataset_id, number=version)
    schemas = found.values_list("schemas", flat=True).first()
    return schema_values(schemas or {}).get("input")


def shell(user: User, project: Project, ref: str, *, tab: str) -> dict[str, Any]:
    """Context of `datasets/_shell.html` (header and tabs), for any app's page about a dataset.

    Of an archived one nothing can be edited, whoever looks.
    """
    dataset = queries.find_dataset(user, project, ref)
    return ({"can_edit": False} if dataset.archived_at else {}) | {
        "dataset": dataset,
        "tab": tab,
        "version": dataset.version,
        "item_count": _row(dataset).item_count,
        "version_count": dataset.version,
        "export_formats": ("csv", "json", "jsonl"),
        "recent_versions": queries.versions(dataset)[:8],
        "tab_counts": slots.fill("dataset.tab_counts", [dataset.pk]).get(dataset.pk, {}),
        "links": slots.fill("dataset.links", [dataset.slug], project_slug=project.slug).get(
            dataset.slug, {}
        ),
    }


def _items(dataset_id: int, version: int, split: str = "") -> ItemRevisionQuerySet:
    found = ItemRevision.objects.filter(dataset=dataset_id).at(version)
    return found.filter(split=split) if split else found


def _row(dataset: Dataset) -> DatasetRow:
    count = getattr(dataset, "item_count", None)
    if count is None:
        count = version_item_count(dataset.pk, dataset.version) or 0
    return DatasetRow(
        id=dataset.pk,
        slug=dataset.slug,
        uuid=str(dataset.uuid),
        name=dataset.name,
        description=dataset.description,
        version=dataset.version,
        item_count=count,
        deleted=dataset.deleted_at is not None,
        archived=dataset.archived_at is not None,
    )
