r"""The physical lines of a text file, counted, with a bound on their length. Pure.

A line ends at \n, \r\n or \r, as the csv module and editors have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from datasets_app.importing.problems import ImportFileError


class Lines:
    """An iterator of lines that remembers those of the record being read.

    `pending` holds the lines since the reader last called `forget`. `nul_line` is the first of them
    with a NUL character, `long_line` the one that was over the limit; 0 when there is none. A line
    over the limit is given as an empty one. With `quotes`, where such a line is part of a record of
    several lines or leaves a quote open, the record's end is unknown and ImportFileError is raised.
    """

    def __init__(self, file: IO[str], limit: int, quotes: bool) -> None:
        self.pending: list[str] = []
        self.nul_line = 0
        self.long_line = 0
        self.count = 0
        self._file = file
        self._limit = limit
        self._quotes = quotes

    def forget(self) -> None:
        """Start the next record."""
        self.pending.clear()
        self.nul_line = self.long_line = 0

    def __iter__(self) -> Iterator[str]:
        readline, limit, pending = self._file.readline, self._limit, self.pending
        total = 0
        for line in iter(lambda: readline(limit), ""):
            self.count += 1
            if self.count == 1:
                line = line.removeprefix("\ufeff")
            if len(line) >= limit and line[-1] not in "\r\n":
                line = self._skip_rest(line)
            if pending:
                total += len(line)
                if total > limit:
                    raise ImportFileError(
                        f"this row is over {limit:,} characters long. A quote may be open: "
                        'close it, and write a quote inside a cell as "".',
                        self.count - len(pending),
                    )
            else:
                total = len(line)
            if "\x00" in line and not self.nul_line:
                self.nul_line = self.count
            pending.append(line)
            yield line

    def _skip_rest(self, line: str) -> str:
        """Reads past an overlong line, keeping nothing of it, and gives an empty line instead."""
        quotes = line.count('"')
        while line and line[-1] not in "\r\n":
            line = self._file.readline(self._limit)
            quotes += line.count('"')
        if self._quotes and (self.pending or quotes % 2):
            raise ImportFileError(
                f"this line is over {self._limit:,} characters long and its quotes do not pair up, "
                "so the row's end cannot be known. Close the quote, or take the row out.",
                self.count,
            )
        self.long_line = self.count
        return "\n"
