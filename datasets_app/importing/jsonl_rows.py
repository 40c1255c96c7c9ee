"""Rows of JSONL files: one JSON object per line. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from datasets_app.importing.encodings import decoding_error
from datasets_app.importing.lines import Lines
from datasets_app.importing.problems import ImportFileError, Problem, shown
from datasets_app.importing.source import MAX_COLUMNS, MAX_LINE, Row, TextRows
from evalhub.kit import json

ROWS_FOR_COLUMNS = 1_000
"""Rows whose keys make up the columns; a key that first comes later is no column."""

_SPACE = " \t\r\n"
_KINDS = {list: "an array", str: "a string", bool: "true or false", type(None): "null"}


class JsonlRows(TextRows):
    """The rows of a JSONL file. Blank lines are skipped; columns are the union of top-level keys.

    Raises ImportFileError when none of the first ROWS_FOR_COLUMNS is an object.
    """

    def __init__(self, path: Path, encoding: str) -> None:
        super().__init__(path, encoding)
        try:
            self.columns = keys_of(self, "Write one JSON object per line (JSONL).")
            self._file.close()
            self._file = self._open()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Row | Problem]:
        lines = Lines(self._file, MAX_LINE, quotes=False)
        loads = json.loads
        try:
            for line in lines:
                number, long_line = lines.count, lines.long_line
                lines.forget()
                if long_line:
                    reason = f"The line is over {MAX_LINE:,} characters long."
                    cure = "Shorten it, or take the row out."
                    yield Problem(number, None, "", "line_too_long", reason, cure)
                    continue
                text = line.rstrip(_SPACE)
                if not text:
                    continue
                try:
                    value = loads(text)
                except json.JsonError as error:
                    yield _bad_json(number, text, error)
                    continue
                if type(value) is dict:
                    yield Row(number, value)
                else:
                    yield _not_an_object(number, text, value)
        except UnicodeDecodeError:
            raise decoding_error(self.path, self.encoding) from None


def keys_of(rows: Iterable[Row | Problem], cure: str) -> list[str]:
    """The keys of the first rows' objects, in the order of their appearance.

    Raises ImportFileError, which ends with `cure`, when there are none, and for too many.
    """
    names: dict[str, None] = {}
    first: Problem | None = None
    empty = True
    for row in islice(rows, ROWS_FOR_COLUMNS):
        empty = False
        if isinstance(row, Problem):
            first = first or row
        else:
            names.update(dict.fromkeys(row.values))
    if empty:
        raise ImportFileError("The file is empty. Choose a file with at least one row.")
    if len(names) > MAX_COLUMNS:
        raise ImportFileError(
            f"The objects have {len(names):,} different keys; at most {MAX_COLUMNS:,} are "
            "read. Put what varies under one key."
        )
    if not names:
        if first is None:
            raise ImportFileError(f"The objects are all empty. {cure}")
        raise ImportFileError(f"{first.reason} {cure}", first.line)
    return list(names)


def _bad_json(number: int, text: str, error: json.JsonError) -> Problem:
    # The message places the fault in the text of this one line; the file's line is known better.
    fault = error.message.partition(": ")[2] or error.message
    at = f"at character {error.column:,}: " if error.column else ""
    reason = f"Not valid JSON, {at}{fault}."
    return Problem(number, None, shown(text), "bad_json", reason, row=text)


def kind_of(value: object) -> str:
    """The name of a JSON value's kind, such as "an array"."""
    return "an object" if isinstance(value, dict) else _KINDS.get(type(value), "a number")


def _not_an_object(number: int, text: str, value: object) -> Problem:
    reason = f"The line is {kind_of(value)}, not a JSON object."
    return Problem(number, None, shown(text), "not_an_object", reason, row=text)
