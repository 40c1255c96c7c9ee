"""Reading versions: one by its number or label, and what each of them came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from datasets_app.models import (
    Dataset,
    DatasetJob,
    DatasetVersion,
    ImportJob,
    ItemRevision,
    JobState,
)
from datasets_app.models.imports import ImportState
from evalhub.kit.errors import NotFound
from evalhub.kit.whole import whole

SAMPLE_ITEMS = 1_000
NAMES = {
    "import": "Import",
    "edit": "Edit",
    "restore": "Restore",
    "set_schemas": "Schema",
    "undo": "Undo",
    "duplicate": "Duplicate",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """What made a version: `kind` is import, edit, restore, schema, undo, duplicate or bulk."""

    kind: str
    name: str
    import_job: ImportJob | None = None


EDIT = Origin("edit", "Edit")


def find_version_row(dataset: Dataset, ref: str) -> DatasetVersion:
    """A published version by number (3, v3) or label, with its author. Raises NotFound."""
    found = dataset.versions.select_related("author").filter(number__lte=dataset.version)
    number = whole(ref[1:] if ref[:1] in "vV" else ref)
    row = found.filter(**({"label": ref or None} if number is None else {"number": number})).first()
    if row is None:
        raise NotFound(
            f"{dataset.name} has no version “{ref[:60]}”. Its newest is v{dataset.version}."
        )
    return row


def origins(dataset: Dataset, numbers: Iterable[int]) -> dict[int, Origin]:
    """{number: what made it} for versions that an import or a job made; the others are edits."""
    wanted = list(numbers)
    found: dict[int, Origin] = {}
    jobs = DatasetJob.objects.filter(dataset=dataset, version__in=wanted, state=JobState.DONE)
    for number, kind in jobs.values_list("version", "kind"):
        if number is not None:
            name = NAMES.get(kind, "Bulk action")
            found[number] = Origin(_kind(kind), name)
    for job in ImportJob.objects.filter(
        dataset=dataset, version__in=wanted, state=ImportState.DONE
    ).only("uuid", "filename", "version", "dataset"):
        if job.version is not None:
            found[job.version] = Origin("import", NAMES["import"], job)
    return found


def sample_values(dataset: Dataset, version: int) -> dict[str, list[Any]]:
    """Input, expected output and metadata of the first and the last items, SAMPLE_ITEMS at most."""
    values: dict[str, list[Any]] = {"input": [], "expected_output": [], "metadata": []}
    for item in _sample(dataset, version):
        values["input"].append(item.input)
        values["metadata"].append(item.metadata)
        if item.has_expected_output:
            values["expected_output"].append(item.expected_output)
    return values


def _sample(dataset: Dataset, version: int) -> Iterator[ItemRevision]:
    found = ItemRevision.objects.filter(dataset=dataset, purged=False).at(version)
    half = SAMPLE_ITEMS // 2
    first = list(found.order_by("number")[:half])
    last = first[-1].number if first else 0
    return chain(first, found.filter(number__gt=last).order_by("-number")[:half])


def _kind(job_kind: str) -> str:
    return {"set_schemas": "schema"}.get(job_kind, job_kind if job_kind in NAMES else "bulk")
