"""Reading datasets and items. Everything begins at `for_user`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from datasets_app.models import Dataset, DatasetVersion, ImportJob, ItemRevision
from evalhub.access.models import Project, User
from evalhub.kit.errors import NotFound

SPLITS_FROM = 500


def datasets(
    user: User, project: Project, *, q: str = "", archived: bool | None = None
) -> QuerySet[Dataset]:
    """The project's datasets, newest change first, with `item_count` of the current version.

    `archived` keeps those that are, or are not; None keeps both.
    """
    found = counted(Dataset.objects.for_user(user).filter(project=project))
    found = found.order_by("-updated_at", "-pk")
    if q:
        found = found.filter(Q(name__icontains=q) | Q(description__icontains=q))
    return found if archived is None else found.filter(archived_at__isnull=not archived)


def counted(found: QuerySet[Dataset]) -> QuerySet[Dataset]:
    """The datasets with `item_count` of their current version."""
    counts = DatasetVersion.objects.filter(dataset=OuterRef("pk"), number=OuterRef("version"))
    current = Subquery(counts.values("item_count")[:1])
    return found.annotate(item_count=Coalesce(current, 0, output_field=IntegerField()))


def tagged(found: QuerySet[Dataset], tag: str) -> QuerySet[Dataset]:
    """Those of `found` that have the tag."""
    # Databases differ in how they look into JSON; a project has few datasets.
    pairs = found.order_by().values_list("pk", "tags")
    return found.filter(pk__in=[pk for pk, tags in pairs if tag in tags])


def find_dataset(user: User, project: Project, ref: str) -> Dataset:
    """A dataset by slug or uuid, with `item_count`. Raises NotFound."""
    found = datasets(user, project)
    by_slug = found.filter(slug=ref).first()
    if by_slug is not None:
        return by_slug
    try:
        by_uuid = found.filter(uuid=uuid.UUID(ref)).first()
    except ValueError:
        by_uuid = None
    if by_uuid is None:
        raise NotFound(f"There is no dataset “{ref}” in the project {project.name}.")
    return by_uuid


def versions(dataset: Dataset) -> QuerySet[DatasetVersion]:
    """All versions, newest first, with their authors."""
    return dataset.versions.select_related("author").order_by("-number")


def find_version(dataset: Dataset, number: int | None) -> int:
    """`number` when it is a published version; the current one for None. Raises NotFound."""
    if number is None:
        return dataset.version
    if not 0 <= number <= dataset.version:
        raise NotFound(f"{dataset.name} has no version {number}. Its newest is v{dataset.version}.")
    return number


def item_count(dataset: Dataset, version: int) -> int:
    """How many items the dataset has at `version`."""
    row = DatasetVersion.objects.filter(dataset=dataset, number=version).first()
    return row.item_count if row else 0


def items(dataset: Dataset, version: int) -> QuerySet[ItemRevision]:
    """Items at `version` in number order. To find some of them: `item_query`."""
    return ItemRevision.objects.filter(dataset=dataset).at(version).order_by("number")


def find_item(dataset: Dataset, version: int, number: int) -> ItemRevision:
    """Item `number` as it was at `version`. Raises NotFound."""
    revision = items(dataset, version).filter(number=number).first()
    if revision is None:
        raise NotFound(f"There is no item #{number} in {dataset.name} v{version}.")
    return revision


def some_splits(dataset: Dataset) -> list[str]:
    """Names of splits for suggestions: those of the first and the last few hundred items."""
    found = items(dataset, dataset.version)
    ends = [
        found.order_by(order).values_list("split", flat=True)[:SPLITS_FROM]
        for order in ("number", "-number")
    ]
    return sorted({split for end in ends for split in end if split})


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One revision of an item with the version that brought it and the revision before (None:
    first).
    """

    revision: ItemRevision
    version: DatasetVersion
    before: ItemRevision | None


def history(dataset: Dataset, number: int) -> list[HistoryEntry]:
    """All revisions of an item, newest first."""
    revisions = list(
        ItemRevision.objects.filter(
            dataset=dataset, number=number, version_from__lte=dataset.version
        ).order_by("version_from")
    )
    by_number = {
        version.number: version
        for version in dataset.versions.select_related("author").filter(
            number__in=[revision.version_from for revision in revisions]
        )
    }
    entries = [
        HistoryEntry(revision, by_number[revision.version_from], before)
        for revision, before in zip(revisions, [None, *revisions], strict=False)
        if revision.version_from in by_number
    ]
    return entries[::-1]


def imports(user: User, dataset: Dataset) -> QuerySet[ImportJob]:
    """The dataset's imports, newest first."""
    return ImportJob.objects.for_user(user).filter(dataset=dataset).order_by("-pk")


def find_import(user: User, project: Project, ref: str) -> ImportJob:
    """An import by uuid. Raises NotFound."""
    try:
        job = (
            ImportJob.objects.for_user(user)
            .select_related("dataset", "dataset__project", "created_by")
            .filter(dataset__project=project, uuid=uuid.UUID(ref))
            .first()
        )
    except ValueError:
        job = None
    if job is None:
        raise NotFound("There is no such import.")
    return job
