"""What a job over many items does: for each kind, which items it reads and its steps over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from datasets_app.actions.versions import item_count
from datasets_app.bulk.changes import Changes
from datasets_app.models import Dataset, DatasetJob, DatasetVersion, ItemRevision

Read = Callable[[DatasetJob, int, int], list[ItemRevision]]
"""(job, after, limit): rows with numbers above `after`, in number order; [] is the end."""

Step = Callable[[DatasetJob, Sequence[ItemRevision], Changes], None]
"""(job, items, changes): tell `changes` what becomes of the items of one batch.

It runs inside the batch's transaction, and again when that was lost. It may change `job.params` and
`job.problems`, which are kept with the batch. An EvalhubError fails the job: all is undone.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """`count` gives how many items will be read. Each step is one pass over all items.

    A version is published when an item changed, or with `always`. `published` runs in the
    transaction that does it, under the dataset's lock, and before it `leave`, which publishes a
    second dataset that the job has written.
    """

    read: Read
    steps: tuple[Step, ...]
    count: Callable[[DatasetJob], int]
    always: bool = False
    published: Callable[[DatasetJob, DatasetVersion], None] | None = None
    leave: Callable[[DatasetJob, Dataset], None] | None = None


# kind -> "module:name" of its Kind, imported when a job of the kind is worked on.
KINDS: dict[str, str] = {
    "restore": "datasets_app.bulk.restoring:KIND",
    "set_schemas": "datasets_app.bulk.schema_check:KIND",
    "set_split": "datasets_app.bulk.selection_kinds:HERE",
    "add_tags": "datasets_app.bulk.selection_kinds:HERE",
    "remove_tags": "datasets_app.bulk.selection_kinds:HERE",
    "delete": "datasets_app.bulk.selection_kinds:HERE",
    "copy_to": "datasets_app.bulk.selection_kinds:COPY",
    "move_to": "datasets_app.bulk.moving:KIND",
    "undo": "datasets_app.bulk.selection_kinds:UNDO",
    "duplicate": "datasets_app.actions.duplicate:KIND",
}


def find_kind(name: str) -> Kind:
    """The kind of that name. Raises KeyError."""
    module, _, attribute = KINDS[name].partition(":")
    kind: Kind = getattr(import_module(module), attribute)
    return kind


def read_current(job: DatasetJob, after: int, limit: int) -> list[ItemRevision]:
    """All items of the job's dataset at its published version."""
    found = ItemRevision.objects.filter(dataset=job.dataset_id, number__gt=after)
    return list(found.at(job.dataset.version).order_by("number")[:limit])


def count_current(job: DatasetJob) -> int:
    return item_count(job.dataset_id, job.dataset.version)
