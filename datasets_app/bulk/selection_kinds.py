"""The jobs behind bulk actions on more items than one transaction should hold."""

from __future__ import annotations

from collections.abc import Sequence

from datasets_app.bulk.action import BulkAction
from datasets_app.bulk.applying import apply_copy, apply_here
from datasets_app.bulk.changes import Changes
from datasets_app.bulk.kinds import Kind
from datasets_app.bulk.selected import count_selected, read_selected
from datasets_app.bulk.undoing import read_changed, take_back
from datasets_app.models import DatasetJob, DatasetVersion, ItemRevision
from datasets_app.selection import Selection

MAX_LISTED = 1_000


def _selection(job: DatasetJob) -> Selection:
    return Selection.from_params(job.params["selection"])


def _action(job: DatasetJob) -> BulkAction:
    return BulkAction.from_params(job.params["action"])


def _source(job: DatasetJob) -> int:
    """The dataset that the items are read from."""
    return int(job.params.get("source", job.dataset_id))


def _read(job: DatasetJob, after: int, limit: int) -> list[ItemRevision]:
    return read_selected(_source(job), _selection(job), after, limit)


def _count(job: DatasetJob) -> int:
    """How many items are selected; without a message of its own, the version's says it too."""
    count = count_selected(_source(job), _selection(job))
    if not job.params["message"]:
        origin = job.params.get("origin", "")
        text = _action(job).sentence(count)
        job.params["message"] = f"{text} from {origin}" if origin else text
    return count


def _here(job: DatasetJob, items: Sequence[ItemRevision], changes: Changes) -> None:
    apply_here(_action(job), items, changes)


def _copy(job: DatasetJob, items: Sequence[ItemRevision], changes: Changes) -> None:
    copied = apply_copy(_action(job), job.params["origin"], items, changes)
    job.params["there"] = job.params.get("there", 0) + copied.there
    job.params["skipped"] = job.params.get("skipped", 0) + len(copied.skipped)
    room = MAX_LISTED - len(job.problems)
    job.problems = [*job.problems, *(one.to_json() for one in copied.skipped[:room])]


def _read_undone(job: DatasetJob, after: int, limit: int) -> list[ItemRevision]:
    return read_changed(job.dataset_id, job.params["undone"], after, limit)


def _count_undone(job: DatasetJob) -> int:
    found = DatasetVersion.objects.get(dataset=job.dataset_id, number=job.params["undone"])
    return found.added + found.changed + found.removed


def _take_back(job: DatasetJob, items: Sequence[ItemRevision], changes: Changes) -> None:
    take_back(job.params["undone"], items, changes)


HERE = Kind(read=_read, steps=(_here,), count=_count)
COPY = Kind(read=_read, steps=(_copy,), count=_count)
UNDO = Kind(read=_read_undone, steps=(_take_back,), count=_count_undone)
