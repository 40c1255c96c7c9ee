"""The file of problems read back a page at a time. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from datasets_app.importing.problems import TITLES, Problem, plain_cell
from datasets_app.importing.source import MAX_CELL

PAGE_ROWS = 50
PAGE_BYTES = 20_000_000
"""Bytes of the file that one page looks through; a rare kind in a huge file takes several pages."""

_KINDS = {title: kind for kind, title in TITLES.items()}
_CELLS = 7
LONGEST_LINE = 18  # digits of a line number; Python reads no text of thousands of them


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """Problems in the order of the file; `following` is the byte where the next page begins, None
    after the last.
    """

    rows: list[Problem]
    following: int | None


def read_page(
    path: Path,
    *,
    end: int,
    after: int = 0,
    skip: int = 0,
    only: tuple[str, str | None] | None = None,
) -> ProblemPage:
    """Up to PAGE_ROWS problems of the file's first `end` bytes, from the byte `after` on, without
    the first `skip`. `only` is a kind and its column; None gives problems of every kind.

    An `after` that no page gave as `following` reads what can be read there.
    """
    csv.field_size_limit(MAX_CELL)  # one for the whole process; a column's name may be long
    found: list[Problem] = []
    with path.open("rb") as file:
        file.seek(after)
        lines = _Lines(file, after, min(end, after + PAGE_BYTES))
        for cells in _read(lines):
            problem = _problem(cells)
            if problem is None or (only and (problem.kind, problem.column) != only):
                continue
            if skip:
                skip -= 1
                continue
            found.append(problem)
            if len(found) == PAGE_ROWS:
                break
    return ProblemPage(found, lines.at if lines.at < end else None)


def read_problems(path: Path, *, end: int) -> Iterator[Problem]:
    """All problems of the file's first `end` bytes, in the order of the imported file."""
    csv.field_size_limit(MAX_CELL)
    with path.open("rb") as file:
        for cells in csv.reader(_Lines(file, 0, end)):
            problem = _problem(cells)
            if problem is not None:
                yield problem


def _read(lines: _Lines) -> Iterator[list[str]]:
    """The rows, up to where there are none: from a place inside a cell, its text is no CSV."""
    try:
        yield from csv.reader(lines)
    except csv.Error:
        return


class _Lines:
    """The file's lines up to `stop`, and in `at` the byte after the last one that was given."""

    def __init__(self, file: IO[bytes], at: int, stop: int) -> None:
        self._file = file
        self._stop = stop
        self._quoted = False
        self.at = at

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            # Every quote is doubled or bounds a cell, so an odd number of them goes on below.
            if self.at >= self._stop and not self._quoted:
                return
            self._quoted ^= line.count(b'"') % 2 == 1
            self.at += len(line)
            yield line.decode("utf-8", "replace")


def _problem(cells: list[str]) -> Problem | None:
    """The problem in a row of the file; None for the header."""
    if len(cells) != _CELLS or not cells[0].isdecimal() or len(cells[0]) > LONGEST_LINE:
        return None
    column, kind, reason, suggestion, value, row = map(plain_cell, cells[1:])
    return Problem(
        int(cells[0]), column or None, value, _KINDS.get(kind, kind), reason, suggestion, row
    )
