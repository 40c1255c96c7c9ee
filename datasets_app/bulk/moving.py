"""Moving many items to another dataset: copied there in a first pass, and removed where they were
in a second one.

The job is that of the dataset where they go. It holds the next version of the other as well (see
`DatasetJob.written`), and both are published in one transaction: no item is ever in both, or in
none.
"""

from __future__ import annotations

from collections.abc import Sequence

from datasets_app.actions.versions import ChangeSet, publish
from datasets_app.bulk.action import BulkAction
from datasets_app.bulk.applying import apply_here
from datasets_app.bulk.changes import Changes
from datasets_app.bulk.kinds import Kind
from datasets_app.bulk.selection_kinds import COPY
from datasets_app.models import Dataset, DatasetJob, ItemRevision


def _leave(job: DatasetJob, items: Sequence[ItemRevision], changes: Changes) -> None:
    """Remove the items where they were. Raises Conflict for one that was changed since it was
    selected."""
    gone = Changes(job.params["source"], job.params["leaves"], 0)
    apply_here(BulkAction.from_params(job.params["action"]), items, gone)
    gone.flush()
    job.params["left"] = job.params.get("left", 0) + gone.removed


def _publish_left(job: DatasetJob, target: Dataset) -> None:
    """Publish the removal. The caller holds the locks of both datasets."""
    left = Dataset.objects.select_related("project").get(pk=job.params["source"])
    count = job.params["left"]
    message = job.params["said"] or f"{leaving_text(count)}: moved to {target.name}"
    changes = ChangeSet(left, job.params["leaves"], removed=count)
    publish(changes, by=job.created_by, message=message)


def leaving_text(count: int) -> str:
    """What a move is to the dataset that the items leave: "Delete 4 items"."""
    return BulkAction("delete").sentence(count)


KIND = Kind(
    read=COPY.read,
    steps=(*COPY.steps, _leave),
    count=COPY.count,
    leave=_publish_left,
)
