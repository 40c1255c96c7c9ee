"""Rows of CSV and TSV files, through the csv module's reader. Pure.

The reader is strict about quotes. A row whose quotes are wrong but whose end is certain is a
Problem; where the end of a row is uncertain, so is everything after it, and the file is refused.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from datasets_app.importing.detect import declared_delimiter
from datasets_app.importing.encodings import decoding_error
from datasets_app.importing.lines import Lines
from datasets_app.importing.problems import ROW_KEPT, ImportFileError, Problem, shown
from datasets_app.importing.source import MAX_CELL, MAX_COLUMNS, MAX_LINE, Row, TextRows

_QUOTE_CURE = 'Close the quote, and write a quote inside a quoted cell as "".'


class CsvRows(TextRows):
    """The rows of a CSV or TSV file. Blank lines are skipped.

    Without a header the columns are named "column 1", "column 2" and so on, as many as the first
    row has cells. Raises ImportFileError for a header with a name that is empty or there twice, for
    more than MAX_COLUMNS columns, and for an empty file.
    """

    def __init__(self, path: Path, encoding: str, delimiter: str, has_header: bool = True) -> None:
        super().__init__(path, encoding)
        # The csv module keeps one limit for the whole process.
        csv.field_size_limit(MAX_CELL)
        self._delimiter = delimiter
        self._lines = Lines(self._file, MAX_LINE, quotes=True)
        self._reader = csv.reader(self._lines, delimiter=delimiter, strict=True)
        self._line = 0
        self._in_doubt = 0
        self._spare = 0
        self._first: tuple[int, list[str]] | None = None
        try:
            self.columns = self._read_columns(has_header)
        except UnicodeDecodeError:
            self.close()
            raise decoding_error(path, encoding) from None
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Row | Problem]:
        try:
            if self._first is not None:
                yield from self._judged(*self._first)
                self._first = None
            yield from self._rows()
        except UnicodeDecodeError:
            raise decoding_error(self.path, self.encoding) from None

    def _rows(self) -> Iterator[Row | Problem]:
        reader, lines, width = self._reader, self._lines, len(self.columns)
        forget, pending = lines.forget, lines.pending
        while True:
            # The csv module's reader goes on after an error; only the for loop has to start again.
            try:
                forget()
                for values in reader:
                    line, self._line = self._line + 1, reader.line_num
                    if (
                        len(values) == width
                        and not lines.nul_line
                        and not self._in_doubt
                        and any(values)
                    ):
                        yield Row(line, values)
                        pending.clear()
                    else:
                        yield from self._judged(line, values)
                        forget()
                return
            except csv.Error as error:
                yield replace(self._quote_problem(error), row=self._pending_text())

    def _judged(self, line: int, values: list[str]) -> Iterator[Row | Problem]:
        """A row that is not plainly good: nothing for a blank line, the row, or its Problem."""
        for found in self._told(line, values):
            if isinstance(found, Problem):
                found = replace(found, row=self._pending_text())
            yield found

    def _pending_text(self) -> str:
        return "".join(self._lines.pending)[:ROW_KEPT].rstrip("\r\n")

    def _told(self, line: int, values: list[str]) -> Iterator[Row | Problem]:
        lines = self._lines
        if self._in_doubt:
            self._settle_doubt()
        width = len(self.columns)
        if lines.long_line:
            yield Problem(
                lines.long_line,
                None,
                "",
                "line_too_long",
                f"The line is over {MAX_LINE:,} characters long.",
                "Shorten it, or take the row out.",
            )
        elif lines.nul_line:
            yield self._nul_problem(lines.nul_line, values)
        elif not values or (width > 1 and len(values) == 1 and not values[0].strip()):
            return
        elif not any(values):
            reason = "Every cell of this row is empty. Fill it or take it out."
            yield Problem(line, None, "", "empty_row", reason)
        elif len(values) < width:
            yield Problem(
                line,
                self.columns[len(values)],
                shown(self._delimiter.join(values)),
                "row_too_short",
                f"The row has {_cells(len(values))}; the file has {width:,} columns.",
                "Quote cells that hold line ends, and keep empty cells at the end.",
            )
        elif len(values) > width and (len(values) > width + self._spare or any(values[width:])):
            yield Problem(
                line,
                None,
                shown(self._delimiter.join(values[width:])),
                "row_too_long",
                f"The row has {_cells(len(values))}; the file has {_columns(width)}.",
                "Quote cells that hold the delimiter.",
            )
        else:
            yield Row(line, values[:width])

    def _nul_problem(self, line: int, values: list[str]) -> Problem:
        at = next((i for i, value in enumerate(values) if "\x00" in value), len(self.columns))
        column = self.columns[at] if at < len(self.columns) else None
        value = shown(values[at].replace("\x00", "\\0")) if at < len(values) else ""
        reason = "The cell holds a NUL character (\\0), which cannot be stored. Take it out."
        return Problem(line, column, value, "nul", reason)

    def _settle_doubt(self) -> None:
        """After a stray quote with an odd number of quotes: do the next quotes pair up?"""
        quotes = sum(line.count('"') for line in self._lines.pending)
        if quotes % 2:
            raise ImportFileError(
                f"the quotes from this line on do not pair up. {_QUOTE_CURE}", self._in_doubt
            )
        if quotes:
            self._in_doubt = 0

    def _quote_problem(self, error: csv.Error) -> Problem:
        """The Problem for a row with wrong quotes or a huge cell, if its end is certain."""
        pending = self._lines.pending
        start, self._line = self._line + 1, self._reader.line_num
        if "field limit" in str(error):
            return self._huge_cell(start, pending)
        if len(pending) == 1 and "unexpected end" not in str(error):
            cells = _loose(pending[0], self._delimiter)
            if cells is not None and len(cells) == len(self.columns):
                if pending[0].count('"') % 2:
                    self._in_doubt = start
                return self._stray_quote(start, pending[0], cells)
        opened, column = _open_quote(pending, self._delimiter)
        name = self.columns[column] if column < len(self.columns) else f"column {column + 1}"
        line = start + opened
        if "unexpected end" in str(error):
            raise ImportFileError(
                f"a quote opens in {name!r} and never closes, so everything up to the end of the "
                f"file (line {self._line:,}) would be one cell. {_QUOTE_CURE}",
                line,
            )
        raise ImportFileError(
            f"a quote opens in {name!r} and closes on line {self._line:,} in the middle of text, "
            f"so the end of the row is not certain. {_QUOTE_CURE}",
            line,
        )

    def _stray_quote(self, line: int, text: str, cells: list[str]) -> Problem:
        column = next((i for i, cell in enumerate(cells) if '"' in cell), len(cells))
        reason = 'A quote inside a quoted cell must be written as "".'
        name = self.columns[column] if column < len(cells) else None
        return Problem(line, name, shown(text.rstrip("\r\n")), "stray_quote", reason)

    def _huge_cell(self, start: int, pending: list[str]) -> Problem:
        if len(pending) > 1 or pending[0].count('"') % 2:
            opened, column = _open_quote(pending, self._delimiter)
            name = self.columns[column] if column < len(self.columns) else f"column {column + 1}"
            raise ImportFileError(
                f"a quote opens in {name!r} and the cell is over {MAX_CELL:,} characters long. "
                f"{_QUOTE_CURE}",
                start + opened,
            )
        reason = f"A cell is over {MAX_CELL:,} characters long."
        cure = "Shorten it, or take the row out."
        return Problem(start, None, shown(pending[0]), "cell_too_large", reason, cure)

    def _read_columns(self, has_header: bool) -> list[str]:
        values, line = self._first_values()
        if has_header:
            names = [value.strip() for value in values]
            while len(names) > 1 and not names[-1]:
                names.pop()
            self._spare = len(values) - len(names)
            _check_names(names, line)
        else:
            names = [f"column {number + 1}" for number in range(len(values))]
            self._first = (line, values)
        if len(names) > MAX_COLUMNS:
            raise ImportFileError(
                f"the file has {len(names):,} columns; at most {MAX_COLUMNS:,} are read. "
                "Check the delimiter, or leave columns out.",
                line,
            )
        return names

    def _first_values(self) -> tuple[list[str], int]:
        """The first row that is not blank, and its line."""
        self.columns = []
        try:
            self._lines.forget()
            for values in self._reader:
                line, self._line = self._line + 1, self._reader.line_num
                text = self._lines.pending[0] if self._lines.pending else ""
                if self._lines.long_line or self._lines.nul_line:
                    fault = "is too long" if self._lines.long_line else "holds a NUL character"
                    raise ImportFileError(f"the first row {fault}. Mend it first.", line)
                declared = line == 1 and declared_delimiter(text) is not None
                if not declared and any(value.strip() for value in values):
                    return values, line
                self._lines.forget()
        except csv.Error as error:
            problem = self._quote_problem(error)
            raise ImportFileError(problem.reason, problem.line) from None
        raise ImportFileError("The file is empty. Choose a file with at least one row.")


def _check_names(names: list[str], line: int) -> None:
    seen: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        if not name:
            raise ImportFileError(
                f"column {number:,} has no name. Name it in the first row, or take it out.", line
            )
        if name in seen:
            raise ImportFileError(
                f"the name {shown(name)!r} is there twice, in columns {seen[name]:,} and "
                f"{number:,}. Rename one.",
                line,
            )
        seen[name] = number


def _loose(line: str, delimiter: str) -> list[str] | None:
    """The cells of one line read without being strict; None when a quote stays open at its end."""
    try:
        records = list(csv.reader([line, "\n"], delimiter=delimiter))
    except csv.Error:
        return None
    return records[0] if len(records) == 2 else None


def _open_quote(lines: list[str], delimiter: str) -> tuple[int, int]:
    """(index of the line, index of the column) of the last cell that opened a quote in a record."""
    in_quotes = False
    opened, column, at = 0, 0, 0
    for index, line in enumerate(lines):
        previous = delimiter if index == 0 else ""
        for character in line:
            if in_quotes:
                in_quotes = character != '"'
            elif character == '"':
                in_quotes = True
                if previous == delimiter:
                    opened, column = index, at
            elif character == delimiter:
                at += 1
            previous = character
    return opened, column


def _cells(count: int) -> str:
    return f"{count:,} cell" if count == 1 else f"{count:,} cells"


def _columns(count: int) -> str:
    return f"{count:,} column" if count == 1 else f"{count:,} columns"
