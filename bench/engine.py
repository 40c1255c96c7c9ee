"""Engine overhead per item with a python target that costs nothing: CPU of everything that works
for it.

The floor is the same work without the product: an asyncio loop of 64 seats that awaits the same
callable, scores with two functions, and writes rows of the same content to the same kind of
database in batches of 200.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from rapidfuzz.distance import Levenshtein

from bench.measure import database_cpu, paired
from bench.servers import fresh_database
from evalhub import local

ITEMS = 20_000
SEATS = 64
QUESTIONS = [
    {"question": f"What is {n} plus {n + 1}? Say the number alone, without a word around it."}
    for n in range(ITEMS)
]


async def target(input: Any) -> Any:
    await asyncio.sleep(0)
    return str(len(input["question"]))


def cpu() -> float:
    return time.process_time() + database_cpu()


def floor() -> float:
    """CPU ms per item of the bare program."""
    from django.conf import settings

    begin = cpu()
    with tempfile.TemporaryDirectory() as folder:
        if settings.EMBEDDED:
            database: Any = sqlite3.connect(Path(folder) / "floor.sqlite3", isolation_level=None)
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
        else:
            database = psycopg.connect(settings.DATABASE_URL)
        database.execute("DROP TABLE IF EXISTS floor_results")
        database.execute("DROP TABLE IF EXISTS floor_scores")
        database.execute(
            "CREATE TABLE floor_results (item integer primary key, output text, started text, "
            "completed text, latency real)"
        )
        database.execute(
            "CREATE TABLE floor_scores (scorer integer, item integer, value real, reason text, "
            "primary key (scorer, item))"
        )
        asyncio.run(_floor(database, settings.EMBEDDED))
        database.close()
    return (cpu() - begin) / ITEMS * 1000


async def _floor(database: Any, embedded: bool) -> None:
    results: list[tuple[Any, ...]] = []
    scores: list[tuple[Any, ...]] = []
    todo = iter(range(ITEMS))

    def write() -> None:
        if embedded:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO floor_results VALUES (?,?,?,?,?)", results)
            database.executemany("INSERT INTO floor_scores VALUES (?,?,?,?)", scores)
            database.execute("COMMIT")
        else:
            for table, rows in (("floor_results", results), ("floor_scores", scores)):
                with database.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            database.commit()
        results.clear()
        scores.clear()

    async def seat() -> None:
        for n in todo:
            begin = time.perf_counter()
            output = await target(json.loads(json.dumps(QUESTIONS[n])))
            expected = "61"
            results.append((n, output, "now", "now", time.perf_counter() - begin))
            scores.append((1, n, float(output == expected), "compared"))
            scores.append((2, n, Levenshtein.normalized_similarity(output, expected), "compared"))
            if len(results) >= 200:
                write()

    await asyncio.gather(*(seat() for _ in range(SEATS)))
    write()


def product() -> float:
    """CPU ms per item from the run's creation to `completed`."""
    from datasets_app import public
    from evalhub.access.models import Project, User
    from runs_app.actions import start_run
    from runs_app.engine.stay import work

    user = User.objects.get(username=local.ADMINISTRATOR)
    project = Project.objects.get(slug=local.DEFAULT_PROJECT)
    row = public.find_dataset(user, project, "bench")
    begin = cpu()
    run = start_run(
        project=project,
        dataset=row,
        target="python:bench",
        scorers=["exact_match", "levenshtein"],
        by=user,
        concurrency=SEATS,
    )
    work(run.pk)
    spent = cpu() - begin
    run.refresh_from_db()
    if run.status != "completed" or run.succeeded != ITEMS:
        sys.exit(f"the run is {run.status} with {run.succeeded} results")
    return spent / ITEMS * 1000


def main() -> None:
    local.setup()
    from django.db import connection

    import evalhub
    from datasets_app.actions import add_items, create_dataset
    from datasets_app.items import parse_item
    from evalhub.access.models import Project, User

    with fresh_database():
        local.migrate()
        local.ensure_defaults()
        evalhub.target(id="bench", name="Bench")(target)
        user = User.objects.get(username=local.ADMINISTRATOR)
        project = Project.objects.get(slug=local.DEFAULT_PROJECT)
        dataset = create_dataset(project=project, name="Bench", by=user)
        contents = [parse_item({"input": q, "expected_output": "61"}) for q in QUESTIONS]
        add_items(dataset=dataset, contents=contents, by=user)
        rows = [paired(f"engine: {ITEMS:,} items, python target", "CPU ms/item", floor, product)]
        connection.close()
    json.dump(rows, sys.stdout)


if __name__ == "__main__":
    main()
