"""Checking all items of a dataset against new schemas, which then hold from a new version on.

Every problem goes to a file; the job keeps the first ten and how many there are of each kind.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from datasets_app.bulk.changes import Changes
from datasets_app.bulk.kinds import Kind, count_current, read_current
from datasets_app.item_schemas import compile_schemas
from datasets_app.models import DatasetJob, DatasetVersion, ItemRevision
from evalhub.kit.errors import Invalid

SHOWN = 10
HEADER = ("item", "external_id", "pointer", "kind", "reason")
SAFE_START = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would take a cell that begins like this for a formula."""


def problems_file(job: DatasetJob) -> Path:
    """The CSV of all problems: item, external_id, pointer, kind, reason."""
    return job.folder / "problems.csv"


def read_checked(job: DatasetJob, after: int, limit: int) -> list[ItemRevision]:
    """The items, when there is something to check."""
    return read_current(job, after, limit) if job.params["check"] else []


def check_items(job: DatasetJob, items: Sequence[ItemRevision], changes: Changes) -> None:
    """Note what the schemas refuse of the items."""
    schemas = compile_schemas(job.params["check"])
    rows: list[tuple[str, ...]] = []
    kinds: dict[str, int] = job.params.setdefault("kinds", {})
    for item in items:
        found = schemas.find(item)
        job.params["broken"] = job.params.get("broken", 0) + bool(found)
        for one in found:
            kinds[one.kind] = kinds.get(one.kind, 0) + 1
            rows.append(
                (str(item.number), item.external_id or "", one.pointer, one.kind, one.detail)
            )
            if len(job.problems) < SHOWN:
                pointer = f"/items/{item.number}{one.pointer}"
                job.problems = [*job.problems, {"pointer": pointer, "detail": one.detail}]
    if rows:
        _append(job, rows)


def hold(job: DatasetJob, version: DatasetVersion) -> None:
    """Let the schemas hold from the version on. Raises Invalid when items break them."""
    broken = job.params.get("broken", 0)
    if broken:
        raise Invalid(
            f"{broken:,} of {job.done:,} items {'does' if broken == 1 else 'do'} not match. "
            "The schema was not changed."
        )
    version.schemas = job.params["schemas"]
    version.save(update_fields=["schemas"])


def _append(job: DatasetJob, rows: Sequence[tuple[str, ...]]) -> None:
    """Put the rows after what is committed; what a lost transaction left goes away."""
    size: int = job.params.get("file_bytes", 0)
    text = io.StringIO()
    writer = csv.writer(text)
    if not size:
        job.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        writer.writerow(HEADER)
    writer.writerows([[_safe(cell) for cell in row] for row in rows])
    data = text.getvalue().encode()
    with problems_file(job).open("r+b" if size else "wb") as file:
        file.seek(size)
        file.truncate()
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    job.params["file_bytes"] = size + len(data)


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(SAFE_START) else cell


KIND = Kind(
    read=read_checked, steps=(check_items,), count=count_current, always=True, published=hold
)
