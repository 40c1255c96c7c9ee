"""Helpers of the tests of imports."""

from __future__ import annotations

import csv
from collections.abc import Callable

from datasets_app.importing import job
from datasets_app.models import Dataset, ImportJob, ItemRevision
from evalhub.kit.clock import in_seconds

Stage = Callable[..., ImportJob]
StopAfter = Callable[[int], None]


class Crash(BaseException):
    """Stands for kill -9: nothing catches it."""


def rows_text(count: int, bad: tuple[int, ...] = ()) -> str:
    """A file of `count` rows, the first on line 2; those of `bad` have a cell too few."""
    lines = [f"q{n},a{n}" if n in bad else f"q{n},a{n},{n % 7}" for n in range(1, count + 1)]
    return "q,a,topic\n" + "\n".join(lines) + "\n"


def ended(started: ImportJob) -> ImportJob:
    job.work(started.pk)
    started.refresh_from_db()
    return started


def items(dataset: Dataset) -> list[ItemRevision]:
    dataset.refresh_from_db()
    return list(ItemRevision.objects.filter(dataset=dataset).at(dataset.version).order_by("number"))


def listed_problems(done: ImportJob) -> list[list[str]]:
    with done.problems_file.open(newline="") as file:
        return list(csv.reader(file))


def expire(started: ImportJob) -> None:
    ImportJob.objects.filter(pk=started.pk).update(lease_until=in_seconds(-1))
