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

    `values` is a list of text in the order of the source's columns (CSV, TSV), or the JSON object
    of the line (JSONL).
    """

    line: int
    values: list[str] | dict[str, Any]


class RowSource(ABC):
    """The rows of one open file. Iterate once; close after use (it is a context manager).

    `columns` are the names of the columns, in the order of the file. `size` is the file's bytes.
    """

    columns: list[str]

    def __init__(self, path: Path, encoding: str) -> None:
        self.path = path
        self.encoding = encoding
        self.size = path.stat().st_size
        self._file = self._open()

    @property
    def position(self) -> int:
        """Bytes taken from the file so far, for progress; a buffer ahead of the rows."""
        return self._binary.tell()

    @abstractmethod
    def __iter__(self) -> Iterator[Row | Problem]: ...

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> TextIOWrapper:
        self._binary = self.path.open("rb", buffering=_BUFFER)
        return TextIOWrapper(self._binary, encoding=self.encoding, newline="")
