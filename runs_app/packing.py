"""Packing a large run: what comparisons need of it, in a handful of rows. Done by workers.

A run is packed when it ends, or else when it is first compared: part by part, so that a page can
say how far it is. Nothing is lost when a worker dies: parts that are there stay, and the next look
at a comparison asks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from evalhub.kit.clock import in_seconds
from evalhub.kit.dispatch import wake_now
from evalhub.kit.stopping import stopping
from runs_app import packed
from runs_app.labels import read_labels
from runs_app.models import Run, RunVector
from runs_app.reading import read_results, read_values
from runs_app.vectors import (
    COSTS,
    PACKED_FROM,
    RESULTS,
    Arrays,
    key_of,
    label_kind,
    results_arrays,
    scorer_kind,
    scores_arrays,
)

CLAIM = ""
CLAIM_SECONDS = 60
HEAVY = 500_000  # results of all runs; a comparison of more waits until they are packed


@dataclass(frozen=True, slots=True)
class Preparing:
    """How far the packing of a comparison's runs is, in parts."""

    done: int
    total: int

    def to_json(self) -> dict[str, int]:
        return {"done": self.done, "total": self.total}


def preparing(runs: Sequence[Run], paths: Sequence[str] = ()) -> Preparing | None:
    """None when a comparison of `runs` can be computed at once; else how far they are packed, and
    workers are asked to go on. `paths` are the fields of items that it needs."""
    over = [run for run in runs if not run.active]
    if sum(run.succeeded + run.failed for run in over) <= HEAVY:
        return None
    done = total = 0
    for run in over:
        if run.succeeded + run.failed < PACKED_FROM:
            continue
        wanted = _kinds(run, paths)
        there = RunVector.objects.filter(run=run, key=key_of(run), kind__in=wanted).count()
        done, total = done + there, total + len(wanted)
        if there < len(wanted):
            for path in paths or ("",):
                wake_now("runs.pack", run.pk, path)
    return None if done == total else Preparing(done, total)


def work(run_id: int, path: str = "") -> None:
    """Pack what is missing of a run that is over, with the field `path` of its items when given.

    Leaves at once when another worker is at it.
    """
    run = Run.objects.filter(pk=run_id, deleted_at=None).first()
    if run is None or run.active or not _claim(run):
        return
    try:
        _pack(run, path)
    finally:
        RunVector.objects.filter(run=run, kind=CLAIM).delete()


def _pack(run: Run, path: str) -> None:
    key = key_of(run)
    wanted = _kinds(run, [path] if path else [])
    # What is left of another state, or of scorers that are gone, is of no use to anybody.
    stale = RunVector.objects.filter(run=run).exclude(kind=CLAIM)
    stale.exclude(key=key).delete()
    there = set(RunVector.objects.filter(run=run, key=key).values_list("kind", flat=True))
    if not {RESULTS, COSTS} <= there:
        arrays = results_arrays(read_results(run.pk))
        results = {name: arrays[name] for name in ("numbers", "revisions", "errored")}
        costs = {name: arrays[name] for name in arrays if name not in ("revisions", "errored")}
        _store(run, key, RESULTS, packed.dump(results))
        _store(run, key, COSTS, packed.dump(costs))
    for scorer in run.scorers.all():
        kind = scorer_kind(scorer)
        if kind in there:
            continue
        if stopping():
            wake_now("runs.pack", run.pk, path)
            return
        _store(run, key, kind, packed.dump(scores_arrays(*read_values(scorer.pk))))
    if path and label_kind(path) in wanted - there:
        labels = read_labels(_revisions(run), path)
        data = packed.dump({"codes": labels.codes}, extra=list(labels.names))
        _store(run, key, label_kind(path), data)


def _kinds(run: Run, paths: Sequence[str]) -> set[str]:
    scorers = {scorer_kind(scorer) for scorer in run.scorers.all()}
    return {RESULTS, COSTS} | scorers | {label_kind(path) for path in paths}


def _revisions(run: Run) -> list[int]:
    data = RunVector.objects.filter(run=run, kind=RESULTS).values_list("data", flat=True).get()
    arrays: Arrays = packed.load(bytes(data))[0]
    return [int(revision) for revision in arrays["revisions"]]


def _store(run: Run, key: str, kind: str, data: bytes) -> None:
    with transaction.atomic():
        RunVector.objects.update_or_create(
            run=run, kind=kind, defaults={"key": key, "data": data, "made_at": Now()}
        )
        RunVector.objects.filter(run=run, kind=CLAIM).update(made_at=Now())


def _claim(run: Run) -> bool:
    """Take the run for this worker; False when another has it."""
    mine = RunVector.objects.filter(run=run, kind=CLAIM, made_at__lt=in_seconds(-CLAIM_SECONDS))
    if mine.update(made_at=Now()):
        return True
    try:
        with transaction.atomic():
            RunVector.objects.create(run=run, kind=CLAIM, key="", data=b"")
    except IntegrityError:
        return False
    return True
