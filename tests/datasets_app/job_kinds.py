"""Kinds of jobs that only tests know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from datasets_app.actions.versions import content_of
from datasets_app.bulk.changes import Changes
from datasets_app.bulk.kinds import Kind, count_current, read_current
from datasets_app.models import DatasetJob, ItemRevision
from evalhub.kit.errors import FieldError, Invalid


def shuffle(job: DatasetJob, items: Sequence[ItemRevision], changes: Changes) -> None:
    """By number: every third leaves, every third changes its split, every third brings another."""
    job.problems = [*job.problems, {"pointer": f"/{items[0].number}", "detail": "A batch."}]
    for item in items:
        content = content_of(item)
        if item.number % 3 == 0:
            changes.remove(item)
        elif item.number % 3 == 1:
            changes.replace(item, replace(content, split="test"))
        else:
            changes.add(replace(content, source=f"like {item.number}", external_id=None))
        if item.number == job.params.get("refuse"):
            raise Invalid("No.", errors=[FieldError(f"/{item.number}", "Not this one.")])


def leave(job: DatasetJob, items: Sequence[ItemRevision], changes: Changes) -> None:
    """Take every item's external id away."""
    for item in items:
        changes.replace(item, replace(content_of(item), external_id=None))


def look(job: DatasetJob, items: Sequence[ItemRevision], changes: Changes) -> None:
    """Change nothing."""
    job.params["seen"] = job.params.get("seen", 0) + len(items)


SHUFFLE = Kind(read=read_current, steps=(shuffle,), count=count_current)
LEAVE = Kind(read=read_current, steps=(leave,), count=count_current)
LOOK = Kind(read=read_current, steps=(look, look), count=count_current)
LOOK_AND_TELL = Kind(read=read_current, steps=(look,), count=count_current, always=True)
