"""Rows of Parquet files, read in batches through pyarrow where it is installed. Pure."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datasets_app.importing.problems import ImportFileError, Problem, shown
from datasets_app.importing.source import MAX_COLUMNS, Row, RowSource
from evalhub.kit import json

_ROWS_AT_ONCE = 200
_BUFFER = 1 << 20


class ParquetRows(RowSource):
    """The rows of a Parquet file as objects of JSON values. A row's line is its place, from 1.

    Times become ISO 8601 texts, decimals and bytes texts; null is absent. Raises ImportFileError
    when pyarrow is not installed, and for a file that it cannot read.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            from pyarrow import ArrowException, parquet  # type: ignore[import-untyped]
        except ImportError:
            raise ImportFileError(
                "Parquet files are read with pyarrow, which is not installed here. Install it: "
                'pip install "evalhub[parquet]". Or export the data as CSV or JSONL.'
            ) from None
        self._faults = (ArrowException, OSError, ValueError)
        try:
            self._file = parquet.ParquetFile(path, buffer_size=_BUFFER)
            self.columns = list(self._file.schema_arrow.names)
            self._total = self._file.metadata.num_rows
        except self._faults as error:
            raise ImportFileError(f"This Parquet file cannot be read: {_told(error)}") from None
        self._done = 0
        try:
            self._check()
        except ImportFileError:
            self.close()
            raise

    @property
    def position(self) -> int:
        return self.size * self._done // self._total if self._total else self.size

    def close(self) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Row | Problem]:
        try:
            for batch in self._file.iter_batches(batch_size=_ROWS_AT_ONCE):
                for values in batch.to_pylist(maps_as_pydicts="lossy"):
                    self._done += 1
                    yield _row(self._done, values)
        except self._faults as error:
            raise ImportFileError(
                f"row {self._done + 1:,} or one after it cannot be read: {_told(error)}"
            ) from None

    def _check(self) -> None:
        if not self._total or not self.columns:
            raise ImportFileError("The file is empty. Choose a file with at least one row.")
        if len(self.columns) > MAX_COLUMNS:
            raise ImportFileError(
                f"The file has {len(self.columns):,} columns; at most {MAX_COLUMNS:,} are read."
            )
        twice = next((name for name in self.columns if self.columns.count(name) > 1), None)
        if twice is not None:
            raise ImportFileError(f"The column {shown(twice)!r} is there twice. Rename one.")


def _row(number: int, values: dict[str, Any]) -> Row | Problem:
    plain = {}
    for name, value in values.items():
        try:
            # Through text, so that it is held to the same rules as every other JSON.
            if value is not None:
                plain[name] = json.loads(json.dumps(_plain(value)))
        except json.JsonError as error:
            fault = error.message.partition(": ")[2] or error.message
            reason = f"The value cannot be kept: {fault}."
            return Problem(number, name, shown(value), "bad_json", reason)
    return Row(number, plain)


def _plain(value: Any) -> Any:
    """The value as JSON has it."""
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise json.JsonError("bytes that are no UTF-8 text") from None
    return value


def _told(error: BaseException) -> str:
    return shown(str(error).strip().splitlines()[0] if str(error).strip() else "it is damaged")
