"""One batch of an import on its way into the database: counters, problems and rows together."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import IntegrityError, connection, transaction

from datasets_app.importing.batches import Record, Tally
from datasets_app.importing.draft import ItemDraft
from datasets_app.importing.known import Judged, Known, Update, source_of
from datasets_app.importing.numbering import Numbering
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
    "scorers_json",
    "split",
    "external_id",
    "source",
    "content_hash",
)
CLOSE_ROWS = 500  # SQLite takes a bounded number of parameters


@dataclass(slots=True)
class Batch:
    """What came of the records of one batch."""

    rows: int = 0
    known: int = 0
    new: list[ItemDraft] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def of(cls, records: Iterable[Judged]) -> Batch:
        batch = cls()
        for record in records:
            batch.rows += 1
            if type(record) is ItemDraft:
                batch.new.append(record)
            elif record is None:
                batch.known += 1
            elif isinstance(record, Update):
                batch.updates.append(record)
            elif isinstance(record, Problem):
                batch.problems.append(record)
        return batch

    @property
    def good(self) -> int:
        """Rows that are items, known ones too."""
        return len(self.new) + len(self.updates) + self.known


def check_batch(
    job: ImportJob, records: Sequence[Record], known: Known, tally: Tally, position: int
) -> bool:
    """Count a batch without writing its rows; False, and nothing changed: the lease is lost."""
    batch = Batch.of(known.judge(known.by_content(records)))
    with transaction.atomic():
        if not _advance(job, batch, tally, position):
            return False
    _remember(job, batch)
    return True


def write_batch(
    job: ImportJob,
    records: Sequence[Record],
    known: Known,
    numbering: Numbering,
    tally: Tally,
    position: int,
) -> bool:
    """Commit a batch, its new items numbered on; False, nothing written: the lease is lost.

    Whether external ids are taken is left to the database as long as none is; then rows are looked
    up before.
    """
    by_content = known.by_content(records)
    guessed = known.guess(by_content)
    if guessed is not None:
        try:
            return _write(job, Batch.of(guessed), numbering, tally, position)
        except IntegrityError:
            pass  # nothing of it is written, and now it is looked up which rows are known
    return _write(job, Batch.of(known.judge(by_content)), numbering, tally, position)


def _write(job: ImportJob, batch: Batch, numbering: Numbering, tally: Tally, position: int) -> bool:
    """The job's counters move with the rows, so that they always tell exactly where to go on."""
    numbers = numbering.of(batch.new)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # A crash of the server may take the last batches, with their counters: nothing is lost.
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit = off")
        if not job.extend():  # and now nobody takes it from us until we commit
            return False
        _close(job, batch.updates)
        bulk.insert(ItemRevision, COLUMNS, _rows(job, batch, numbers))
        _advance(job, batch, tally, position)
    _remember(job, batch)
    if numbers:
        numbering.last = numbers[-1]
    return True


def _close(job: ImportJob, updates: Sequence[Update]) -> None:
    """End the current revisions of the items that get new ones."""
    ids = [update.revision_id for update in updates]
    for start in range(0, len(ids), CLOSE_ROWS):
        some = ids[start : start + CLOSE_ROWS]
        ItemRevision.objects.filter(pk__in=some, version_to=None).update(version_to=job.version)


def _advance(job: ImportJob, batch: Batch, tally: Tally, position: int) -> bool:
    """Move the counters in the database, and write the problems; False when the lease is lost."""
    values: dict[str, object] = {
        "rows_done": job.rows_done + batch.rows,
        "rows_good": job.rows_good + batch.good,
        "rows_known": job.rows_known + batch.known,
        "rows_updated": job.rows_updated + len(batch.updates),
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
    job.rows_good += batch.good
    job.rows_known += batch.known
    job.rows_updated += len(batch.updates)
    job.rows_bad += len(batch.problems)


def _rows(job: ImportJob, batch: Batch, numbers: list[int]) -> Iterator[tuple[object, ...]]:
    """The values of COLUMNS for each new item, with its number, and for each update."""
    dataset_id, version = job.dataset_id, job.version
    start = source_of(job.filename, 0, job.row_unit)[:-1]
    dumps = json.dumps
    for number, draft in zip(numbers, batch.new, strict=True):
        (line, given, expected, metadata, context, tags, split, scorers, key, source, digest, _) = (
            draft
        )
        yield (
            dataset_id,
            number,
            version,
            False,
            given,
            expected,
            metadata,
            context,
            dumps(tags) if tags else "[]",
            scorers,
            split,
            key,
            source or f"{start}{line}",
            digest,
        )
    for update in batch.updates:
        draft, content = update.draft, update.content
        yield (
            dataset_id,
            update.number,
            version,
            False,
            *content,
            draft.source or f"{start}{draft.line}",
            update.content_hash,
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
