"""Reading the rows of a file, streaming: memory stays flat at any size. Pure.

Iterating a RowSource yields a Row for each good row and a Problem for each bad one, and raises
ImportFileError where the rest of the file cannot be trusted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from datasets_app.importing.problems import Problem

MAX_COLUMNS = 2_000
MAX_CELL = 4 * 1024 * 1024
"""Characters in one cell."""
MAX_LINE = 2 * MAX_CELL
"""Characters in one line, and in one row of several lines."""

_BUFFER = 1 << 18


class Row(NamedTuple):
    """One good row. `line` is its first physical line, 1 being the first of the file.

    Of a Parquet file it is the row's place, from 1. `values` is a list of text in the order of the
    source's columns (CSV, TSV), or an object of JSON values (JSON, JSONL, Parquet).
    """

    line: int
    values: list[str] | dict[str, Any]


class RowSource(ABC):
    """The rows of one open file. Iterate once; close after use (it is a context manager).

    `columns` are the names of the columns, in the order of the file. `size` is the file's bytes.
    """

    columns: list[str]

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size

    @property
    @abstractmethod
    def position(self) -> int:
        """Bytes taken from the file so far, for progress; a buffer ahead of the rows."""

    @abstractmethod
    def __iter__(self) -> Iterator[Row | Problem]: ...

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class TextRows(RowSource):
    """The rows of a text file, read through `_file`."""

    newline: str | None = ""

    def __init__(self, path: Path, encoding: str) -> None:
        super().__init__(path)
        self.encoding = encoding
        self._file = self._open()

    @property
    def position(self) -> int:
        return self._binary.tell()

    def close(self) -> None:
        self._file.close()

    def _open(self) -> TextIOWrapper:
        self._binary = self.path.open("rb", buffering=_BUFFER)
        return TextIOWrapper(self._binary, encoding=self.encoding, newline=self.newline)
