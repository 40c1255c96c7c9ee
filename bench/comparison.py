"""Runs compared: two of 100,000 items with 3 scorers, two of 1,000,000 with one, ten of 10,000.

Each row holds a request of the page to the time that is allowed (`floor`, so a ratio of 1 is just
in it): the first one, which reads the rows, and a later one. The rows are written by COPY
(PostgreSQL) or executemany (SQLite); the requests are made by Django's test client in this process,
and so is the packing of large runs, which a worker does when they end and whose time has a row.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from bench.measure import single
from bench.servers import signed_in
from evalhub import local

STARTED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = 7  # requests of which a row shows the median


def make_dataset(count: int) -> tuple[Any, int]:
    """A dataset of `count` items at version 1, and the revision of its first item."""
    from django.db import transaction

    from datasets_app.actions import create_dataset
    from datasets_app.models import Dataset, DatasetVersion, ItemRevision
    from evalhub.access.models import Project, User
    from evalhub.kit import bulk

    user = User.objects.get(username=local.ADMINISTRATOR)
    project = Project.objects.get(slug=local.DEFAULT_PROJECT)
    dataset = create_dataset(project=project, name=f"Compared {count}", by=user)
    columns = (
        *("dataset", "number", "version_from", "deleted", "input_json", "expected_json"),
        *("metadata_json", "tags_json", "split", "content_hash", "source", "purged"),
    )

    def items() -> Iterator[Sequence[Any]]:
        for number in range(1, count + 1):
            yield (dataset.pk, number, 1, False, f'"question {number}"', '"answer"',
                   f'{{"topic":"t{number % 7}"}}', "[]", "", "0" * 32, "bench", False)  # fmt: skip

    with transaction.atomic():
        bulk.insert(ItemRevision, columns, items())
    DatasetVersion.objects.create(
        dataset=dataset, number=1, author=user, added=count, changed=0, removed=0, item_count=count
    )
    Dataset.objects.filter(pk=dataset.pk).update(version=1, next_item_number=count + 1)
    first = ItemRevision.objects.filter(dataset=dataset).order_by("number").first()
    assert first is not None
    return dataset, first.pk


def make_run(dataset: Any, base: int, count: int, scorers: int, seed: int) -> Any:
    """A finished run: one pass or fail scorer, the others with a number and a low threshold."""
    from django.db import connection, transaction

    from evalhub.access.models import Project
    from evalhub.kit import bulk
    from runs_app import states
    from runs_app.engine.summary import summarise
    from runs_app.models import Result, Run, RunScorer, Score

    project = Project.objects.get(slug=local.DEFAULT_PROJECT)
    project.next_run_number += 1
    project.save()
    run = Run.objects.create(
        project=project,
        dataset=dataset,
        number=project.next_run_number - 1,
        name=f"Run {seed}",
        dataset_version=1,
        target_ref="python:echo",
        status=states.COMPLETED,
        total_items=count,
        total_results=count,
        succeeded=count,
    )
    as_driver = bulk.timestamps()
    at = as_driver(STARTED)
    columns = ("run", "item_number", "repetition", "shard_id", "revision_id", "output_json",
               "error_type", "error_message", "started_at", "completed_at", "latency_ms", "retries",
               "input_tokens", "output_tokens", "cost_usd", "trace_id")  # fmt: skip
    chance = random.Random(seed)

    def results() -> Iterator[Sequence[Any]]:
        for number in range(1, count + 1):
            took = chance.lognormvariate(5, 0.5)
            yield (run.pk, number, 0, 0, base + number - 1, '"An answer."', "", "", at, at, took,
                   0, 200 + number % 90, int(took), took / 1e6, "")  # fmt: skip

    with transaction.atomic():
        bulk.insert(Result, columns, results())
    for place in range(scorers):
        scorer = RunScorer.objects.create(
            run=run,
            position=place,
            name=f"scorer {place}",
            spec={"use": "exact_match" if place == 0 else "levenshtein"},
            kind="continuous" if place else "binary",
            low=0.0,
            high=1.0,
            threshold=0.01 if place else None,
        )

        def scores(place: int = place, pk: int = scorer.pk) -> Iterator[Sequence[Any]]:
            for number in range(1, count + 1):
                value = chance.random() if place else float(chance.random() < 0.7)
                yield pk, number, 0, "scored", value, ""

        with transaction.atomic():
            bulk.insert(
                Score,
                ("run_scorer", "item_number", "repetition", "state", "value", "reason"),
                scores(),
            )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as autovacuum would have, given a minute
    run.summary = summarise(run)
    run.save()
    return run


def timed(act: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    found = act()
    return (time.perf_counter() - began) * 1000, found


def measured() -> list[dict[str, object]]:
    """The rows, on the backend of the settings (Django is set up)."""
    from django.test import Client

    from runs_app import comparing, packing, vectors

    rows: list[dict[str, object]] = []

    def page(client: Client, runs: Sequence[Any]) -> None:
        asked = "&".join(f"run={run.number}" for run in runs)
        answer = client.get(f"/p/{local.DEFAULT_PROJECT}/compare?{asked}")
        assert answer.status_code == 200, answer.status_code

    def pack(runs: Sequence[Any]) -> None:
        for run in runs:
            packing.work(run.pk)

    def measure(name: str, client: Client, runs: Sequence[Any], first: float, later: float) -> None:
        vectors.MEMORY.clear()
        comparing.FIGURES.clear()
        rows.append(single(f"{name}, first", "ms", first, timed(lambda: page(client, runs))[0]))
        again = [timed(lambda: page(client, runs))[0] for _ in range(LATER)]
        rows.append(single(f"{name}, later", "ms", later, statistics.median(again)))

    with signed_in() as client:
        dataset, base = make_dataset(100_000)
        hundred = [make_run(dataset, base, 100_000, 3, seed) for seed in (1, 2)]
        page(client, hundred)  # imports numpy and scipy, which a server pays once
        measure("compare 2 x 100,000 x 3, not packed", client, hundred, 1_500, 100)
        pack(hundred)
        measure("compare 2 x 100,000 x 3", client, hundred, 1_500, 100)
        dataset, base = make_dataset(1_000_000)
        million = [make_run(dataset, base, 1_000_000, 1, seed) for seed in (3, 4)]
        ms, _ = timed(lambda: pack(million))
        rows.append(single("compare 2 x 1,000,000, packing", "ms", 20_000, ms))
        measure("compare 2 x 1,000,000", client, million, 20_000, 150)
        dataset, base = make_dataset(10_000)
        ten = [make_run(dataset, base, 10_000, 3, seed) for seed in range(5, 15)]
        measure("compare 10 x 10,000 x 3", client, ten, 2_000, 150)
    return rows


def main() -> None:
    local.setup()
    json.dump(measured(), sys.stdout)


if __name__ == "__main__":
    main()
