"""The rows of any file that people upload, one after another, with what is wrong by line. Pure.

For uploads beside the import of items: CSV, TSV and JSONL stream; a JSON array is read whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets_app.importing.detect import detect
from datasets_app.importing.problems import ImportFileError, Problem
from datasets_app.importing.rows import Row, open_rows
from evalhub.kit.json import JsonError, loads

MAX_ARRAY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row. `line` is its line, in a JSON array its place from 1; `unit` is the word for that.

    `problem` is empty for a good row, and then `values` has its columns: texts, or the values of a
    JSON object.
    """

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    unit: str = "Line"


@contextmanager
def file_rows(path: Path, filename: str) -> Iterator[tuple[list[str], Iterator[FileRow]]]:
    """The columns of an uploaded file and its rows, to be read once.

    Raises ImportFileError (Invalid) where the file, or the rest of it, cannot be read.
    """
    array = _array(path)
    if array is not None:
        names = dict.fromkeys(name for row in array if isinstance(row, dict) for name in row)
        yield list(names), (_of_array(place, row) for place, row in enumerate(array, start=1))
        return
    with open_rows(path, detect(path, filename)) as source:
        columns = source.columns
        yield columns, (_of_source(row, columns) for row in source)


def _of_source(row: Row | Problem, columns: list[str]) -> FileRow:
    if isinstance(row, Problem):
        return FileRow(row.line, problem=row.reason)
    values = row.values
    return FileRow(
        row.line, values if isinstance(values, dict) else dict(zip(columns, values, strict=True))
    )


def _array(path: Path) -> list[Any] | None:
    """The elements of a file that is one JSON array; None for any other file."""
    with path.open("rb") as file:
        if not file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
            return None
        if path.stat().st_size > MAX_ARRAY_BYTES:
            raise ImportFileError(
                f"A JSON array may have {MAX_ARRAY_BYTES // 1024**2} MB at most. "
                "Write one JSON object per line (JSONL)."
            )
        file.seek(0)
        try:
            found = loads(file.read(), what="File")
        except JsonError as error:
            raise ImportFileError(f"{error.message}.") from error
    if not found:
        raise ImportFileError("The file is empty. Choose a file with at least one row.")
    rows: list[Any] = found
    return rows


def _of_array(place: int, row: Any) -> FileRow:
    if isinstance(row, dict):
        return FileRow(place, row, unit="Element")
    return FileRow(place, problem="This is not a JSON object.", unit="Element")
