"""What can be wrong with a file or with one of its rows, and how that is told. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from evalhub.kit.errors import Invalid

VALUE_SHOWN = 200
"""Characters of an offending value that a problem keeps."""

ROW_KEPT = 10_000
"""Characters of the row that the file of problems keeps."""

EXAMPLES = 5
"""Problems that a group keeps to show."""

TITLES = {
    "row_too_short": "Row too short",
    "row_too_long": "Row too long",
    "empty_row": "Empty row",
    "nul": "NUL character",
    "stray_quote": "Stray quote",
    "cell_too_large": "Cell too large",
    "line_too_long": "Line too long",
    "bad_json": "Not valid JSON",
    "not_an_object": "Not a JSON object",
    "missing_input": "Input missing",
    "not_text": "Not text",
    "not_a_number": "Not a number",
    "not_a_boolean": "Not true or false",
    "not_tags": "Not a list of tags",
    "not_scorers": "Not a list of scorers",
    "too_long": "Too long",
    "external_id_taken": "External ID taken",
    "known": "Known already",
    "schema": "Against the schema",
}
"""Every kind of problem with its name for people."""

_LEADS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


class ImportFileError(Invalid):
    """The file as a whole cannot be read. `line` is the physical line, None when it has no place.

    `detail` (and `str`) is the sentence for people; it starts with the line when there is one.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message if line is None else f"Line {line:,}: {message}")
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one row; the file goes on after it.

    `line` is the row's first physical line (1 is the first of the file), or the exact line where
    that is known. `column` is None when the row as a whole is at fault. `value` is shortened for
    showing. `kind` is a key of TITLES. `suggestion` is empty when there is nothing sure to say.
    `row` is the row as the file has it, for the file of problems.
    """

    line: int
    column: str | None
    value: str
    kind: str
    reason: str
    suggestion: str = ""
    row: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class ProblemGroup:
    """The problems of one kind in one column: how many, and the first few."""

    kind: str
    column: str | None
    count: int = 0
    examples: list[Problem] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The group's name for people, such as "Not a number: priority"."""
        title = TITLES.get(self.kind, self.kind)
        return title if self.column is None else f"{title}: {self.column}"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"title": self.title}


def shown(value: object) -> str:
    """A value as a problem keeps it: its first characters, with "…" when there were more."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= VALUE_SHOWN else text[: VALUE_SHOWN - 1] + "…"


def group(problems: Iterable[Problem]) -> list[ProblemGroup]:
    """Problems by kind and column, the largest group first. One pass; keeps only the examples."""
    groups: dict[tuple[str, str | None], ProblemGroup] = {}
    for problem in problems:
        key = (problem.kind, problem.column)
        found = groups.get(key)
        if found is None:
            found = groups[key] = ProblemGroup(problem.kind, problem.column)
        found.count += 1
        if len(found.examples) < EXAMPLES:
            found.examples.append(problem)
    return sorted(groups.values(), key=lambda one: -one.count)


def safe_cell(text: str) -> str:
    """The text so that no spreadsheet runs it as a formula.

    A quote mark is put before = + - @, tab and line ends, and before a quote mark itself, so that
    taking one leading quote mark off gives the text back.
    """
    return "'" + text if text.startswith(_LEADS) else text


def plain_cell(text: str) -> str:
    """What `safe_cell` was given."""
    return text[1:] if text.startswith("'") else text


def problems_csv(problems: Iterable[Problem]) -> Iterator[str]:
    """The problems as lines of CSV text to download, header first, streamed."""
    yield csv_line(["line", "column", "kind", "reason", "suggestion", "value", "row"])
    for problem in problems:
        kind = TITLES.get(problem.kind, problem.kind)
        told = (problem.reason, problem.suggestion, problem.value, problem.row[:ROW_KEPT])
        cells = (problem.column or "", kind, *told)
        yield csv_line([str(problem.line), *map(safe_cell, cells)])


def csv_line(cells: Iterable[str], delimiter: str = ",") -> str:
    """The cells as a line of CSV text, with its end."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter).writerow(cells)
    return buffer.getvalue()
