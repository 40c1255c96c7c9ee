"""A file's rows as records in batches, and the running tally of the problems. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from datasets_app.importing.draft import Compiled, ItemDraft
from datasets_app.importing.problems import EXAMPLES, ROW_KEPT, Problem, ProblemGroup, csv_line
from datasets_app.importing.source import Row
from evalhub.kit import json

BATCH_ROWS = 8_000
BATCH_CHARS = 8_000_000
"""Characters after which a batch is closed early, so that huge rows do not fill the memory."""

Record = ItemDraft | Problem


def records(rows: Iterable[Row | Problem], draft: Compiled) -> Iterator[Record]:
    """What each row gives, in order."""
    for row in rows:
        if type(row) is Row:
            record = draft(row)
            if isinstance(record, Problem) and not record.row:
                record = replace(record, row=_row_text(row))
            yield record
        else:
            yield row  # type: ignore[misc]  # what is no Row is a Problem


def batches(found: Iterable[Record]) -> Iterator[list[Record]]:
    """The records in lists of at most BATCH_ROWS, each as soon as it is full."""
    batch: list[Record] = []
    chars = 0
    for record in found:
        batch.append(record)
        if type(record) is ItemDraft:
            given, expected, metadata, context = record[1:5]
            chars += len(given) + len(metadata) + len(expected or "") + len(context or "")
        if len(batch) >= BATCH_ROWS or chars >= BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


class Tally:
    """Problems by kind and column, kept up over all batches of a file."""

    def __init__(self, stored: Iterable[dict[str, Any]] = ()) -> None:
        self._groups = {
            (one["kind"], one["column"]): ProblemGroup(
                one["kind"],
                one["column"],
                one["count"],
                [Problem(**example) for example in one["examples"]],
            )
            for one in stored
        }

    def add(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            key = (problem.kind, problem.column)
            group = self._groups.setdefault(key, ProblemGroup(*key))
            group.count += 1
            if len(group.examples) < EXAMPLES:
                group.examples.append(replace(problem, row=""))

    def to_list(self) -> list[dict[str, Any]]:
        """The groups as they are stored, the largest first; the constructor takes them back."""
        groups = sorted(self._groups.values(), key=lambda one: -one.count)
        return [one.to_dict() for one in groups]


def _row_text(row: Row) -> str:
    """The row as a line of its file, about."""
    if isinstance(row.values, dict):
        return json.dumps(row.values)[:ROW_KEPT]
    return csv_line(value[:ROW_KEPT] for value in row.values)[:ROW_KEPT].rstrip("\r\n")
