"""Upload, map, check, apply and cancel an import. The work itself is done by importing/job.py.

Every action that moves a job raises its lease token, so that whoever works on it leaves at the next
batch. Locks are taken in one order: the dataset, then the job.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from datasets_app.actions.versions import lock_for_change
from datasets_app.importing.detect import Detected, detect
from datasets_app.importing.drafts import compile
from datasets_app.importing.guessing import guess
from datasets_app.importing.mapping import Mapping
from datasets_app.importing.packed import unpack
from datasets_app.importing.remembered import recall, remember
from datasets_app.importing.rows import Row, open_rows
from datasets_app.models import Dataset, ImportJob
from datasets_app.models.imports import ImportState
from evalhub.access.actions import audit
from evalhub.access.models import User
from evalhub.kit.dispatch import wake
from evalhub.kit.errors import Conflict, FieldError, Invalid, NotFound, Unavailable

TASK = "datasets.import"
KNOWN_BY = ("external_id", "content")
KNOWN_ARE = ("skip", "update", "refuse")
SAMPLE_ROWS = 50
_ENDING = (
    ImportState.UNDOING,
    ImportState.DONE,
    ImportState.FAILED,
    ImportState.CANCELLED,
)
_NOTHING_DONE: dict[str, Any] = {
    "rows_done": 0,
    "rows_good": 0,
    "rows_bad": 0,
    "rows_known": 0,
    "rows_updated": 0,
    "bytes_done": 0,
    "problems": [],
    "problems_bytes": 0,
    "message": "",
    "started_at": None,
    "finished_at": None,
}


def stage_import(
    *,
    dataset: Dataset,
    filename: str,
    chunks: Iterable[bytes],
    by: User,
    path: str | None = None,
    member: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    format: str | None = None,
    has_header: bool | None = None,
) -> ImportJob:
    """Store an uploaded file and find out how to read it; the job gets a mapping to start from,
    the one that the project used last for the same columns if there is one.

    `path` is where the upload lies already, on the same disk: then it is moved instead of copied.
    A packed file is unpacked; `member` names the file to take of a zip archive. What is given about
    the reading is kept, the rest is detected. Raises Invalid with the file's fault (nothing stays
    behind), or Unavailable when the file cannot be stored.
    """
    job = ImportJob(dataset=dataset, created_by=by, filename=_plain_name(filename))
    try:
        job.folder.mkdir(mode=0o700, parents=True)
        _store(job, chunks, path)
        unpacked = unpack(job.file, job.filename, member)
        inside = unpacked.name if unpacked else ""
        job.size = job.file.stat().st_size
        for name, value in _read(job, encoding, delimiter, format, has_header, inside).items():
            setattr(job, name, value)
        job.save()
    except BaseException as error:
        shutil.rmtree(job.folder, ignore_errors=True)
        if isinstance(error, OSError):
            reason = error.strerror or "the upload broke off"
            raise Unavailable(f"The file could not be stored: {reason}.") from error
        raise
    return job


def reread_import(
    *,
    job: ImportJob,
    by: User,
    encoding: str | None = None,
    delimiter: str | None = None,
    format: str | None = None,
    has_header: bool | None = None,
) -> ImportJob:
    """Read the staged file another way; None means: detect it. Same columns keep their mapping.

    Raises Invalid, leaving the job as it was, and Conflict for a job that is past mapping.
    """
    _require_file(job)
    columns, mapping = job.columns, job.mapping
    inside = job.reading.get("inside", "")
    values = _read(job, encoding, delimiter, format, has_header, inside)
    if values["columns"] == columns and mapping:
        values["mapping"] = mapping
    return _move(job, state=ImportState.STAGED, rows_total=None, **values)


def map_import(
    *,
    job: ImportJob,
    mapping: Mapping,
    by: User,
    known_by: str = "external_id",
    known_are: str = "skip",
) -> ImportJob:
    """Say where the columns go, and what becomes of rows that are known; the project remembers the
    mapping. Raises MappingError (Invalid) for a column that is not there.
    """
    compile(mapping, job.columns)
    for name, value, known in (
        ("known_by", known_by, KNOWN_BY),
        ("known_are", known_are, KNOWN_ARE),
    ):
        if value not in known:
            detail = f"“{value}” is not one of {', '.join(known)}."
            raise Invalid(detail, errors=[FieldError(f"/{name}", detail)])
    moved = _move(
        job,
        state=ImportState.STAGED,
        rows_total=None,
        mapping=mapping.to_dict(),
        known_by=known_by,
        known_are=known_are,
    )
    remember(job.dataset.project_id, job.columns, mapping)
    return moved


def check_import(*, job: ImportJob, by: User) -> ImportJob:
    """Look for problems in every row, in the background, without writing any."""
    _require_file(job)
    with transaction.atomic():
        moved = _move(job, state=ImportState.CHECKING, rows_total=None)
        wake(TASK, job.pk)
    return moved


def apply_import(*, job: ImportJob, by: User, on_error: str = "skip") -> ImportJob:
    """Write the rows as the dataset's next version, in the background.

    `on_error` "skip" imports the good rows. With "abort" all rows are checked first (the state is
    checking until then) and nothing is imported when one has a problem. Nobody else can change the
    dataset until the job has ended. Raises what `lock_for_change` does.
    """
    if on_error not in ("skip", "abort"):
        detail = f"On a problem the import can skip the row or abort, not {on_error!r}."
        raise Invalid(detail, errors=[FieldError("/on_error", detail)])
    _require_file(job)
    abort = on_error == "abort"
    with transaction.atomic():
        dataset = lock_for_change(job.dataset)
        Dataset.objects.filter(pk=dataset.pk).update(pending_version=F("version") + 1)
        moved = _move(
            job,
            state=ImportState.CHECKING if abort else ImportState.IMPORTING,
            on_error=on_error,
            apply_after_check=abort,
            version=dataset.version + 1,
            applied_by=by,
        )
        audit(dataset.project, by, "dataset.import", f"{dataset.slug} {job.filename}")
        wake(TASK, job.pk)
    return moved


def cancel_import(*, job: ImportJob, by: User) -> ImportJob:
    """Stop an import, whatever it is doing; one that has ended or is being undone stays as it is.

    Rows that were written already are removed in the background (state undoing), and the dataset is
    free when that is done.
    """
    with transaction.atomic():
        dataset = _locked(job)
        current = ImportJob.objects.select_for_update(no_key=True).filter(pk=job.pk).first()
        if dataset is None or current is None:
            raise NotFound("There is no such import.")
        if current.state in _ENDING:
            job.refresh_from_db()
            return job
        if current.state == ImportState.IMPORTING and current.rows_done:
            values: dict[str, Any] = {
                "state": ImportState.UNDOING,
                "ends_as": ImportState.CANCELLED,
                "message": "Cancelled. Nothing was imported.",
            }
            wake(TASK, job.pk)
        else:
            # Nothing is written yet, and the raised token keeps it so.
            values = {
                "state": ImportState.CANCELLED,
                "message": "Cancelled. Nothing was imported.",
                "finished_at": Now(),
                "version": None,
            }
            if current.version is not None:
                Dataset.objects.filter(pk=dataset.pk, pending_version=current.version).update(
                    pending_version=None
                )
            transaction.on_commit(lambda: shutil.rmtree(job.folder, ignore_errors=True))
        _take(job, **values)
        audit(dataset.project, by, "dataset.import_cancelled", f"{dataset.slug} {job.filename}")
    job.refresh_from_db()
    return job


def uploaded_path(file: object) -> str | None:
    """Where Django has put an upload on the disk; None when it is in memory."""
    path = getattr(file, "temporary_file_path", None)
    return str(path()) if path is not None else None


def _store(job: ImportJob, chunks: Iterable[bytes], path: str | None) -> None:
    if path is not None:
        try:
            os.replace(path, job.file)
            return
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
    with job.file.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)


def _read(
    job: ImportJob,
    encoding: str | None,
    delimiter: str | None,
    format: str | None,
    has_header: bool | None,
    inside: str,
) -> dict[str, Any]:
    """How the staged file is read, its columns and a mapping. Raises ImportFileError.

    `inside` is the name of the file in the archive that was uploaded, else empty.
    """
    detected: Detected = detect(job.file, inside or job.filename, encoding, delimiter, format)
    detected = replace(detected, inside=inside)
    if has_header is not None:
        detected = replace(detected, has_header=has_header)
    with open_rows(job.file, detected) as source:
        columns = list(source.columns)
        sample = [row.values for row in islice(source, SAMPLE_ROWS) if isinstance(row, Row)]
    mapping = recall(job.dataset.project_id, columns) or guess(
        columns, sample, typed=detected.typed
    )
    return {
        "reading": detected.to_dict(),
        "columns": columns,
        "mapping": mapping.to_dict(),
    }


def _move(job: ImportJob, **values: Any) -> ImportJob:
    """Put a job that is not writing at a new beginning. Raises Conflict for any other job."""
    waiting = (ImportState.STAGED, ImportState.CHECKED, ImportState.FAILED)
    movable = ImportJob.objects.filter(pk=job.pk, state__in=waiting) | ImportJob.objects.filter(
        pk=job.pk, state=ImportState.CHECKING, apply_after_check=False
    )
    if not movable.update(**_taken(), **(_NOTHING_DONE | values)):
        job.refresh_from_db()
        if job.active:
            raise Conflict("This import is running. Wait for it to end, or cancel it.")
        raise Conflict("This import has ended. Upload the file again to start a new one.")
    job.refresh_from_db()
    return job


def _take(job: ImportJob, **values: Any) -> None:
    ImportJob.objects.filter(pk=job.pk).update(**_taken(), **values)


def _taken() -> dict[str, Any]:
    """Columns that take a job away from whoever works on it."""
    return {
        "lease_token": F("lease_token") + 1,
        "lease_until": None,
        "lease_owner": "",
        "attempts": 0,
    }


def _locked(job: ImportJob) -> Dataset | None:
    # Not FOR UPDATE: a batch holds the job's row when it looks at its foreign key to the dataset.
    found = Dataset.objects.select_for_update(no_key=True, of=("self",)).select_related("project")
    return found.filter(pk=job.dataset_id).first()


def _require_file(job: ImportJob) -> None:
    if not job.file.exists():
        raise Conflict("The uploaded file is no longer kept. Upload it again.")


def _plain_name(filename: str) -> str:
    """The name alone, without folders of any system and control characters, at most 255 long."""
    name = re.sub(r"[\x00-\x1f\x7f]", "", re.split(r"[\\/]", filename)[-1]).strip()
    return name[-255:] or "upload"
