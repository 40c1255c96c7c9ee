"""What other apps may use of datasets: a dozen functions that return frozen rows.

No model leaves this module; a door of another app works with rows and ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from datasets_app import queries
from datasets_app.models import Dataset, DatasetVersion, ItemRevision
from evalhub.access.models import Project, User
from evalhub.kit import slots


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
)


def find_dataset(user: User, project: Project, ref: str) -> DatasetRow:
    """A dataset that `user` may see, by slug or uuid. Raises NotFound."""
    return _row(queries.find_dataset(user, project, ref))


def list_datasets(user: User, project: Project) -> list[DatasetRow]:
    """All datasets of the project, newest change first."""
    return [_row(dataset) for dataset in queries.datasets(user, project)]


def datasets_by_id(ids: Iterable[int]) -> dict[int, DatasetRow]:
    """Datasets by id, deleted ones too (their runs stay readable); scope is the caller's."""
    return {dataset.pk: _row(dataset) for dataset in Dataset.objects.filter(pk__in=set(ids))}


def version_item_count(dataset_id: int, version: int) -> int | None:
    """How many items a version has; None when there is no such version."""
    return (
        DatasetVersion.objects.filter(dataset=dataset_id, number=version)
        .values_list("item_count", flat=True)
        .first()
    )


def read_items(dataset_id: int, version: int, *, after: int, limit: int) -> list[ItemRow]:
    """Up to `limit` items at `version` with numbers above `after`, in number order."""
    found = (
        ItemRevision.objects.filter(dataset=dataset_id, number__gt=after)
        .at(version)
        .order_by("number")
    )
    return [ItemRow(*row) for row in found.values_list(*_ITEM_FIELDS)[:limit]]


def plan_items(dataset_id: int, version: int, *, after: int, limit: int) -> list[tuple[int, int]]:
    """(revision id, number) of up to `limit` items at `version` above number `after`, in order."""
    found = (
        ItemRevision.objects.filter(dataset=dataset_id, number__gt=after)
        .at(version)
        .order_by("number")
    )
    return list(found.values_list("pk", "number")[:limit])


def revisions_by_id(ids: Sequence[int]) -> dict[int, ItemRow]:
    """Item revisions by id, whatever their version."""
    rows: dict[int, ItemRow] = {}
    for start in range(0, len(ids), 500):  # SQLite takes a bounded number of parameters
        found = ItemRevision.objects.filter(pk__in=ids[start : start + 500])
        for row in found.values_list(*_ITEM_FIELDS):
            rows[row[0]] = ItemRow(*row)
    return rows


def shell(user: User, project: Project, ref: str, *, tab: str) -> dict[str, Any]:
    """Context of `datasets/_shell.html` (header and tabs), for any app's page about a dataset."""
    dataset = queries.find_dataset(user, project, ref)
    return {
        "dataset": dataset,
        "tab": tab,
        "version": dataset.version,
        "item_count": _row(dataset).item_count,
        "version_count": dataset.version,
        "recent_versions": queries.versions(dataset)[:8],
        "tab_counts": slots.fill("dataset.tab_counts", [dataset.pk]).get(dataset.pk, {}),
        "links": slots.fill("dataset.links", [dataset.slug], project_slug=project.slug).get(
            dataset.slug, {}
        ),
    }


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
    )
