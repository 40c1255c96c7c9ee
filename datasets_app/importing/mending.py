"""The bad rows of a CSV file in its own columns, to be mended in a spreadsheet and imported. Pure.

Before the columns stand NOTES: where the row was, and what is wrong with it. An import of such a
file leaves them out, and maps the other columns as those of the file that they come from.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from datasets_app.exchange import guarded
from datasets_app.importing.detect import Detected
from datasets_app.importing.mapping import ColumnMapping, Mapping
from datasets_app.importing.problems import ImportFileError, Problem, csv_line
from datasets_app.importing.rows import open_rows
from datasets_app.importing.source import Row
from evalhub.kit.json import escape_key

NOTES = ("error:line", "error:column", "error:reason")
BOM = "\ufeff"
"""Tells a spreadsheet that the file is UTF-8."""

_PLAIN_NUMBER = re.compile(r"[-+]?\d[\d.,]*", re.ASCII)


def can_be_mended(detected: Detected) -> bool:
    """Whether the file has rows of cells; JSON and Parquet have none."""
    return detected.format in ("csv", "tsv")


def rows_to_mend(path: Path, detected: Detected, problems: Iterable[Problem]) -> Iterator[str]:
    """The lines of the file of bad rows, header first, with the delimiter of the file at `path`.

    `problems` are in the order of that file. Rows without a filled cell are left out: there is
    nothing to mend. A cell that a spreadsheet could run as a formula has an apostrophe before it,
    which an import takes away. Where the file cannot be read on, the lines end.
    """
    delimiter = detected.delimiter or ","
    left = iter(problems)
    problem = next(left, None)
    with open_rows(path, detected) as source:
        columns = source.columns
        yield BOM + csv_line([*NOTES, *map(guarded, columns)], delimiter)
        try:
            for record in source:
                if problem is None:
                    return
                if record.line != problem.line:
                    continue
                cells = record.values if isinstance(record, Row) else _cells(record, delimiter)
                if any(cells):
                    told = f"{problem.reason} {problem.suggestion}".rstrip()
                    notes = [str(problem.line), guarded(problem.column or ""), guarded(told)]
                    yield csv_line([*notes, *map(_cell, cells)], delimiter)
                problem = next(left, None)
        except ImportFileError:
            return


def has_notes(columns: Sequence[str]) -> bool:
    """Whether the columns are those of a file of bad rows."""
    return tuple(columns[: len(NOTES)]) == NOTES


def without_notes(columns: Sequence[str]) -> list[str]:
    """The columns of the file that the bad rows come from."""
    return list(columns[len(NOTES) :]) if has_notes(columns) else list(columns)


def past_notes(mapping: Mapping) -> Mapping:
    """The mapping of a file, for the file of its bad rows."""
    notes = (ColumnMapping(name, "ignore", escape_key(name)) for name in NOTES)
    return Mapping((*notes, *mapping.columns), mapping.rest)


def _cell(text: str) -> str:
    return text if _PLAIN_NUMBER.fullmatch(text) else guarded(text)


def _cells(problem: Problem, delimiter: str) -> list[str]:
    """The cells of a row that was no good row, as far as they can be told apart."""
    try:
        rows = list(csv.reader(problem.row.splitlines(keepends=True), delimiter=delimiter))
    except csv.Error:
        return [problem.row]
    return rows[0] if len(rows) == 1 else [problem.row]
