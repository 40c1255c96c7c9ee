"""Rows of a JSON file: the objects of an array, or of the array that an object holds. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from datasets_app.importing.encodings import decoding_error
from datasets_app.importing.json_elements import Element, Elements
from datasets_app.importing.jsonl_rows import keys_of, kind_of
from datasets_app.importing.problems import Problem, shown
from datasets_app.importing.source import MAX_LINE, Row, TextRows
from evalhub.kit import json


class JsonRows(TextRows):
    """The objects of a JSON file, read piece by piece; columns are the union of top-level keys.

    `key` is the name of the array when an object holds it. A row's line is where its object begins.
    """

    newline = None

    def __init__(self, path: Path, encoding: str) -> None:
        super().__init__(path, encoding)
        try:
            self.columns = keys_of(self, "Write an array of objects.")
            self._file.close()
            self._file = self._open()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Row | Problem]:
        try:
            for element in Elements(self._file, MAX_LINE):
                yield _row(element)
        except UnicodeDecodeError:
            raise decoding_error(self.path, self.encoding) from None


def _row(element: Element) -> Row | Problem:
    try:
        value = json.loads(element.text)
    except json.JsonError as error:
        return _bad_json(element, error)
    if type(value) is dict:
        return Row(element.line, value)
    reason = f"The element is {kind_of(value)}, not a JSON object."
    return Problem(
        element.line, None, shown(element.text), "not_an_object", reason, row=element.text
    )


def _bad_json(element: Element, error: json.JsonError) -> Problem:
    line = element.line + (error.line or 1) - 1
    column = (error.column or 1) + (element.column - 1 if error.line in (None, 1) else 0)
    fault = error.message.partition(": ")[2] or error.message
    reason = f"Not valid JSON, at character {column:,} of the line: {fault}."
    return Problem(line, None, shown(element.text), "bad_json", reason, row=element.text)
