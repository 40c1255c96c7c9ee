"""One batch of an import on its way into the database: counters, problems and rows together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection, transaction

from datasets_app.importing.batches import Record, Tally
from datasets_app.importing.drafts import ItemDraft
from datasets_app.importing.known import source_of
from datasets_app.importing.problems import Problem, problems_csv
from datasets_app.models import ImportJob, ItemRevision
from evalhub.kit import bulk, json

COLUMNS = (
    "dataset",
    "number",
    "version_from",
    "deleted",
    "input_json",
    "expected_json",
    "metadata_json",
    "context_json",
    "tags_json",
    "split",
    "external_id",
    "source",
    "content_hash",
)


@dataclass(slots=True)
class Batch:
    """What came of the records of one batch."""

    records: Iterable[Record | None]  # None: a row that is in the dataset already
    rows: int = 0
    good: int = 0
    known: int = 0
    problems: list[Problem] = field(default_factory=list)

    def drafts(self) -> Iterator[ItemDraft]:
        """The records that become items, counting all on the way."""
        for record in self.records:
            self.rows += 1
            if record is None:
                self.known += 1
            elif isinstance(record, Problem):
                self.problems.append(record)
            else:
                self.good += 1
                yield record


def check_batch(
    job: ImportJob, records: Iterable[Record | None], tally: Tally, position: Callable[[], int]
) -> bool:
    """Count a batch without writing its rows; False, and nothing changed: the lease is lost."""
    batch = Batch(records)
    for _ in batch.drafts():
        pass
    with transaction.atomic():
        if not _advance(job, batch, tally, position()):
            return False
    _remember(job, batch)
    return True


def write_batch(
    job: ImportJob,
    records: Iterable[Record | None],
    first: int,
    tally: Tally,
    position: Callable[[], int],
) -> bool:
    """Commit a batch, its first item numbered `first`; False, nothing written: the lease is lost.

    The job's counters move with the rows, so that they always tell exactly where to go on. The
    server of PostgreSQL writes while we read on; SQLite has one writer, so there we read first.
    """
    batch = Batch(records if connection.vendor == "postgresql" else list(records))
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # A crash of the server may take the last batches, with their counters: nothing is lost.
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit = off")
        if not job.extend():  # and now nobody takes it from us until we commit
            return False
        bulk.insert(ItemRevision, COLUMNS, _rows(job, batch.drafts(), first))
        _advance(job, batch, tally, position())
    _remember(job, batch)
    return True


def _advance(job: ImportJob, batch: Batch, tally: Tally, position: int) -> bool:
    """Move the counters in the database, and write the problems; False when the lease is lost."""
    values: dict[str, object] = {
        "rows_done": job.rows_done + batch.rows,
        "rows_good": job.rows_good + batch.good + batch.known,
        "rows_known": job.rows_known + batch.known,
        "rows_bad": job.rows_bad + len(batch.problems),
        "bytes_done": position,
        "attempts": 0,
    }
    size, lines = job.problems_bytes, b""
    if batch.problems:
        tally.add(batch.problems)
        lines = _csv_lines(batch.problems, header=not size)
        values |= {"problems": tally.to_list(), "problems_bytes": size + len(lines)}
    if not job.extend(**values):
        return False
    # Only who holds the job's row comes here, so the file has one writer.
    if lines:
        _append(job.problems_file, size, lines)
    elif not job.rows_done:
        job.problems_file.unlink(missing_ok=True)  # of an earlier check
    job.problems_bytes = size + len(lines)
    return True


def _remember(job: ImportJob, batch: Batch) -> None:
    """The same counters in memory, once they are committed."""
    job.rows_done += batch.rows
    job.rows_good += batch.good + batch.known
    job.rows_known += batch.known
    job.rows_bad += len(batch.problems)


def _rows(job: ImportJob, drafts: Iterable[ItemDraft], first: int) -> Iterator[tuple[object, ...]]:
    """The values of COLUMNS for each draft, numbered from `first`."""
    dataset_id, version = job.dataset_id, job.version
    start = source_of(job.filename, 0)[:-1]
    for number, draft in enumerate(drafts, first):
        yield (
            dataset_id,
            number,
            version,
            False,
            draft.input_json,
            draft.expected_json,
            draft.metadata_json,
            draft.context_json,
            json.dumps(draft.tags) if draft.tags else "[]",
            draft.split,
            draft.external_id,
            f"{start}{draft.line}",
            draft.content_hash,
        )


def _csv_lines(problems: Iterable[Problem], *, header: bool) -> bytes:
    lines = problems_csv(problems)
    if not header:
        next(lines)
    return "".join(lines).encode()


def _append(path: Path, size: int, lines: bytes) -> None:
    """Make the file its first `size` bytes and `lines`; what a lost transaction left goes away."""
    with path.open("r+b" if size else "wb") as file:
        file.seek(size)
        file.truncate()
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())
