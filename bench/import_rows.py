"""Import of 100,000 CSV rows of about 500 bytes: input, expected output and a cell of JSON
metadata.

The product stages the file, detects how to read it, maps it, parses the JSON, hashes, writes in
short transactions that can be resumed, and publishes. It is held against two floors, each in one
process and one transaction, by executemany on SQLite and by COPY on PostgreSQL:

- bare: parse with the csv module and write the raw cells to a table with a key and nothing else;
- table: the same parse, written to a copy of the product's own table, with its columns and indexes.
"""

from __future__ import annotations

import csv
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from bench.large import Memory
from bench.measure import paired, single
from bench.servers import fresh_database
from evalhub import local

ROWS, MANY = 100_000, 1_000_000
TABLE = "datasets_app_itemrevision"
COLUMNS = (
    "dataset_id, number, version_from, deleted, tags_json, split, source, content_hash, "
    "input_json, expected_json, metadata_json"
)
SCHEMA = {
    "type": "object",
    "properties": {
        "metadata": {
            "type": "object",
            "required": ["topic", "priority"],
            "properties": {
                "topic": {"type": "string", "maxLength": 40},
                "priority": {"type": "integer", "minimum": 0, "maximum": 3},
            },
        }
    },
}
WORDS = ("refund", "invoice", "order", "address", "late", "parcel", "password", "reset", "charge")


def write_file(path: Path, count: int, *, with_ids: bool = False) -> None:
    """The same file every time."""
    more = ["id"] if with_ids else []
    chance = random.Random(7)

    def text(words: int) -> str:
        return " ".join(chance.choices(WORDS, k=words))

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["input", "expected", "metadata", *more])
        for number in range(count):
            metadata = {"topic": text(1), "priority": number % 4, "note": text(8), "n": number}
            ids = [f"row-{number}"] if with_ids else []
            writer.writerow([text(32), text(20), json.dumps(metadata), *ids])


def parsed(path: Path) -> Iterator[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        next(reader)
        yield from reader


def bare_floor(path: Path) -> float:
    """Seconds."""
    from django.db import connection

    key = "bigserial PRIMARY KEY" if connection.vendor == "postgresql" else "integer PRIMARY KEY"
    create = f"CREATE TABLE floor (id {key}, input text, expected text, metadata text)"
    return _write([create], "input, expected, metadata", parsed(path))


def table_floor(path: Path) -> float:
    """Seconds."""
    from django.db import connection

    if connection.vendor == "postgresql":
        create = [f"CREATE TABLE floor (LIKE {TABLE} INCLUDING ALL)"]
    else:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sql FROM sqlite_master WHERE tbl_name = %s AND sql <> ''", [TABLE]
            )
            create = [row[0] for row in cursor.fetchall()]
        create = [sql.replace(TABLE, "floor").replace('INDEX "', 'INDEX "floor_') for sql in create]
    fixed = (1, False, "[]", "", "bench.csv", "0" * 32)
    rows = ((1, n, *fixed, *cells) for n, cells in enumerate(parsed(path)))
    return _write(create, COLUMNS, rows)


def _write(create: list[str], columns: str, rows: Iterator[Any]) -> float:
    from django.db import connection, transaction

    with connection.cursor() as cursor:
        for statement in create:
            cursor.execute(statement)
    if connection.vendor == "sqlite":
        connection.disable_constraint_checking()
    marks = ", ".join("?" * len(columns.split(",")))
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY floor ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            connection.connection.executemany(
                f"INSERT INTO floor ({columns}) VALUES ({marks})", rows
            )
    took = time.perf_counter() - began
    if connection.vendor == "sqlite":
        connection.enable_constraint_checking()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE floor")
    return took


def product(path: Path, *, with_ids: bool = False, schema: bool = False) -> float:
    """Seconds from the upload to the published version; `with_ids` gives each row an external id,
    `schema` has each metadata checked.
    """
    from datasets_app.actions import create_dataset
    from datasets_app.actions.imports import apply_import, map_import, stage_import
    from datasets_app.actions.item_schemas import set_schemas
    from datasets_app.importing.job import work
    from datasets_app.importing.mapping import Mapping
    from evalhub.access.models import Project, User

    columns = [
        {"column": "input", "destination": "input"},
        {"column": "expected", "destination": "expected_output"},
        {"column": "metadata", "destination": "metadata", "read_as": "json"},
    ]
    user = User.objects.get(username=local.ADMINISTRATOR)
    project = Project.objects.get(slug=local.DEFAULT_PROJECT)
    dataset = create_dataset(project=project, name=f"Bench {time.time()}", by=user)
    if with_ids:
        columns.append({"column": "id", "destination": "external_id"})
    if schema:
        set_schemas(dataset=dataset, schemas={"metadata": SCHEMA}, by=user)
    began = time.perf_counter()
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(1 << 16), b"")
        job = stage_import(dataset=dataset, filename="bench.csv", chunks=chunks, by=user)
    map_import(job=job, mapping=Mapping.from_dict({"columns": columns}), by=user)
    apply_import(job=job, by=user)
    work(job.pk)
    took = time.perf_counter() - began
    job.refresh_from_db()
    if job.state != "done" or job.rows_good < 1:
        sys.exit(f"the import is {job.state}: {job.message}")
    return took


def rows(count: int = ROWS) -> list[dict[str, object]]:
    """The import against each floor, on the backend of the settings (Django is set up)."""
    from django.db import connection

    from evalhub.kit import dispatch

    with fresh_database(), tempfile.TemporaryDirectory() as folder:
        local.migrate()
        local.ensure_defaults()
        # The work is done here; no worker is to be woken.
        dispatch.wake_now = lambda task, *args: None
        path, ids = Path(folder) / "bench.csv", Path(folder) / "ids.csv"
        write_file(path, count)
        write_file(ids, count, with_ids=True)
        table, bare = partial(table_floor, path), partial(bare_floor, path)
        found = [
            paired(f"import {count:,} rows, {connection.vendor}, {name}", "s", floor, measured)
            for name, floor, measured in (
                ("against its table", table, partial(product, path)),
                ("against a bare table", bare, partial(product, path)),
                ("checked by a schema", table, partial(product, path, schema=True)),
                ("with external ids", table, partial(product, ids, with_ids=True)),
            )
        ]
        found += _many(path, count, Path(folder) / "many.csv")
        connection.close()
    return found


def _many(path: Path, count: int, file: Path) -> list[dict[str, object]]:
    """The cost per row of MANY beside that of `count`, and the memory of the worker over them."""
    write_file(file, MANY)
    memory: list[tuple[float, float]] = []

    def many() -> float:
        with Memory() as watched:
            spent = product(file) / MANY * 1e6
        memory.append(watched.first_and_most())
        return spent

    rate = paired(
        f"import {MANY:,} rows to {count:,}",
        "us a row",
        lambda: product(path) / count * 1e6,
        many,
        rounds=1,
    )
    first, most = memory[0]
    return [
        rate,
        single(f"memory of the worker over {MANY:,} rows, most to first", "MB", first, most),
    ]


def main() -> None:
    local.setup()
    json.dump(rows(), sys.stdout)


if __name__ == "__main__":
    main()
