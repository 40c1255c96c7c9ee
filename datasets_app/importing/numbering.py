"""Which numbers an import gives to new items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Max

from datasets_app.importing.draft import ItemDraft
from datasets_app.models import Dataset, ImportJob, ItemRevision

MOST = 900_000_000
"""The highest number that is taken from a file, so that there are more after it of the nine digits
that a list of numbers may name."""


@dataclass(slots=True)
class Numbering:
    """`last` is the highest number so far. With `own`, the numbers that an export says are kept as
    long as they rise; others follow on the last one.
    """

    last: int
    own: bool

    def of(self, drafts: Sequence[ItemDraft]) -> list[int]:
        """A number for each draft. They are taken once `last` is set to the last of them."""
        first = self.last + 1
        if not self.own:
            return list(range(first, first + len(drafts)))
        numbers, last = [], self.last
        for draft in drafts:
            last = draft.number if last < draft.number <= MOST else last + 1
            numbers.append(last)
        return numbers


def numbering_of(job: ImportJob, dataset: Dataset) -> Numbering:
    """As it stands after the rows that the job has written. A dataset that never had an item takes
    an export's own numbers.
    """
    before = dataset.next_item_number - 1
    if before or job.version is None or not job.rows_new:
        return Numbering(before + job.rows_new, own=not before)
    written = ItemRevision.objects.filter(dataset=dataset, version_from=job.version)
    return Numbering(written.aggregate(last=Max("number"))["last"], own=True)
