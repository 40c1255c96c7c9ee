"""A file's rows as records in batches, and the running tally of the problems. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from datasets_app.importing.drafts import Compiled, ItemDraft
from datasets_app.importing.problems import EXAMPLES, Problem, ProblemGroup
from datasets_app.importing.source import Row

BATCH_ROWS = 2_000
BATCH_CHARS = 4_000_000
"""Characters after which a batch is closed early, so that huge rows do not fill the memory."""

Record = ItemDraft | Problem


def records(rows: Iterable[Row | Problem], draft: Compiled) -> Iterator[Record]:
    """What each row gives, in order."""
    for row in rows:
        yield row if isinstance(row, Problem) else draft(row)


def batches(found: Iterator[Record]) -> Iterator[Iterator[Record]]:
    """The records in batches of at most BATCH_ROWS, read on demand: use each up before the next."""
    for first in found:
        yield _some(chain((first,), found))


def _some(found: Iterable[Record]) -> Iterator[Record]:
    chars = 0
    for count, record in enumerate(found, 1):
        yield record
        if type(record) is ItemDraft:
            chars += len(record.input_json) + len(record.metadata_json)
            chars += len(record.expected_json or "") + len(record.context_json or "")
        if count >= BATCH_ROWS or chars >= BATCH_CHARS:
            return


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
                group.examples.append(problem)

    def to_list(self) -> list[dict[str, Any]]:
        """The groups as they are stored, the largest first; the constructor takes them back."""
        groups = sorted(self._groups.values(), key=lambda one: -one.count)
        return [one.to_dict() for one in groups]
