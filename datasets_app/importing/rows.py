"""Opening a file as its rows, whatever its format. Pure."""

from __future__ import annotations

from pathlib import Path

from datasets_app.importing.csv_rows import CsvRows
from datasets_app.importing.detect import Detected
from datasets_app.importing.json_rows import JsonRows
from datasets_app.importing.jsonl_rows import JsonlRows
from datasets_app.importing.parquet_rows import ParquetRows
from datasets_app.importing.source import Row, RowSource

__all__ = ["Row", "RowSource", "open_rows"]


def open_rows(path: Path, detected: Detected) -> RowSource:
    """The rows of the file at `path`, read as `detected` says. Close it after use (`with`).

    Raises ImportFileError when the columns cannot be read.
    """
    if detected.format == "jsonl":
        return JsonlRows(path, detected.encoding)
    if detected.format == "json":
        return JsonRows(path, detected.encoding)
    if detected.format == "parquet":
        return ParquetRows(path)
    return CsvRows(path, detected.encoding, detected.delimiter or ",", detected.has_header)
