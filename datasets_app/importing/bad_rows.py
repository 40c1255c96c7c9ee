"""The bad rows of an import as a file to mend, while the upload is there."""

from __future__ import annotations

from datasets_app.exports import Export
from datasets_app.importing.detect import Detected
from datasets_app.importing.mending import can_be_mended, rows_to_mend
from datasets_app.importing.problem_pages import read_problems
from datasets_app.models import ImportJob
from evalhub.kit.errors import NotFound


def are_here(job: ImportJob) -> bool:
    """Whether there are bad rows that `open_bad_rows` can give."""
    return (
        can_be_mended(Detected.from_dict(job.reading))
        and job.problems_file.exists()
        and job.file.exists()
    )


def open_bad_rows(job: ImportJob) -> Export:
    """The bad rows so far in the columns of their file, read as they are sent. Raises NotFound."""
    if not are_here(job):
        raise NotFound(
            "There are no bad rows to mend: the file has none, it is no CSV or TSV file, or it was "
            "removed since. Upload it again to see its problems."
        )
    problems = read_problems(job.problems_file, end=job.problems_bytes)
    lines = rows_to_mend(job.file, Detected.from_dict(job.reading), problems)
    name = job.filename.rpartition(".")[0] or job.filename
    chunks = (line.encode("utf-8", "replace") for line in lines)
    return Export(f"{name}.mend.csv", "text/csv; charset=utf-8", chunks)
