"""Which rows of a file are known already, and what is to become of them."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Literal, Self

from datasets_app.importing.batches import Record
from datasets_app.importing.known_contents import Contents
from datasets_app.importing.known_ids import ExternalIds
from datasets_app.importing.known_rows import Facts, Judged, KnownAre, Update, source_of

__all__ = ["Facts", "Judged", "Known", "KnownAre", "KnownBy", "Update", "source_of"]

KnownBy = Literal["external_id", "content"]


class Known:
    """Judges the rows of one file, in order. A context manager; memory stays flat.

    A row is known by its external id or by its content, to the dataset or from the same file. One
    that would change nothing is left out. Another is an update of its item, or a problem.
    """

    def __init__(self, facts: Facts, by: KnownBy, are: KnownAre) -> None:
        self._contents = Contents(facts, are) if by == "content" else None
        # Even when rows are known by their content, an external id may be there but once.
        self._ids = (
            ExternalIds(facts, are if by == "external_id" else "skip") if facts.column else None
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in (self._contents, self._ids):
            if one is not None:
                one.close()

    def by_content(self, records: Sequence[Record]) -> Sequence[Judged]:
        """The records as their content alone has it. Once for each batch."""
        return records if self._contents is None else self._contents.judge(records)

    def judge(self, records: Sequence[Judged]) -> Sequence[Judged]:
        """What is to become of what `by_content` gave, with the dataset looked up."""
        return records if self._ids is None else self._ids.judge(records)

    def guess(self, records: Sequence[Judged]) -> Sequence[Judged] | None:
        """Like `judge`, without looking: right unless the database refuses the rows, because an
        external id is taken. None when looking is better, as it is where rows were known lately.
        """
        return records if self._ids is None else self._ids.guess(records)
