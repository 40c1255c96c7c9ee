"""Export of 1,000,000 items of about 500 bytes, against reading the same columns by a raw cursor.

The product reads page by page, writes the format and encodes it. Then: how long the first items
take to come, against the reach of 200 ms, and the memory of the process from the first items to the
last.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from bench.import_rows import WORDS
from bench.measure import paired, single
from bench.servers import fresh_database
from evalhub import local

ITEMS = 1_000_000
REACH_S = 0.2


def add_dataset(count: int) -> Any:
    """A dataset with that many items at version 1, written past the actions."""
    from django.db import transaction

    from datasets_app.actions import create_dataset
    from datasets_app.actions.versions import COLUMNS
    from datasets_app.models import Dataset, DatasetVersion, ItemRevision
    from evalhub.access.models import Project, User
    from evalhub.kit import bulk

    chance = random.Random(7)
    texts = [" ".join(chance.choices(WORDS, k=32)) for _ in range(1_000)]

    def rows() -> Iterator[tuple[Any, ...]]:
        for number in range(1, count + 1):
            text = json.dumps(texts[number % len(texts)])
            metadata = json.dumps({"topic": WORDS[number % len(WORDS)], "n": number})
            values = (text, text, metadata, None, "[]", None, "test", f"q-{number}", "bench")
            yield (dataset.pk, number, 1, False, *values, "0" * 32)

    user = User.objects.get(username=local.ADMINISTRATOR)
    project = Project.objects.get(slug=local.DEFAULT_PROJECT)
    dataset = create_dataset(project=project, name="Bench", by=user)
    with transaction.atomic():
        bulk.insert(ItemRevision, COLUMNS, rows())
        DatasetVersion.objects.create(dataset=dataset, number=1, added=count, item_count=count)
        Dataset.objects.filter(pk=dataset.pk).update(version=1, next_item_number=count + 1)
    dataset.refresh_from_db()
    return dataset


def raw(dataset: Any) -> float:
    """Seconds to read every row through the driver's own cursor, kept on the server."""
    from django.db import connection, transaction

    from datasets_app.exporting import ExportRow
    from datasets_app.models import ItemRevision

    columns = ", ".join(ExportRow._fields)
    mark = "%s" if connection.vendor == "postgresql" else "?"
    query = (
        f"SELECT {columns} FROM {ItemRevision._meta.db_table} WHERE dataset_id = {mark} "
        "AND version_from <= 1 AND version_to IS NULL AND NOT deleted ORDER BY number"
    )
    began = time.perf_counter()
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.connection.cursor(name="bench") as cursor:
                cursor.itersize = 2_000
                cursor.execute(query, [dataset.pk])
                found = sum(1 for _ in cursor)
        else:
            found = sum(1 for _ in connection.connection.execute(query, [dataset.pk]))
    if found != ITEMS:
        sys.exit(f"the cursor gave {found} rows")
    return time.perf_counter() - began


def product(dataset: Any, format: str) -> float:
    """Seconds."""
    from datasets_app.exports import open_export

    began = time.perf_counter()
    for _ in open_export(dataset, format=format).chunks:
        pass
    return time.perf_counter() - began


def first_items(dataset: Any) -> float:
    """Seconds until the first piece with items in it."""
    from datasets_app.exports import open_export

    began = time.perf_counter()
    pieces = open_export(dataset, format="csv").chunks
    if not list(islice(pieces, 2))[1]:
        sys.exit("there was no second piece")
    return time.perf_counter() - began


def memory(dataset: Any) -> dict[str, object]:
    """Megabytes, at most: after the first pieces and at the end."""
    from datasets_app.exports import open_export

    pieces = open_export(dataset, format="jsonl").chunks
    for _ in islice(pieces, 50):
        pass
    begin = _megabytes()
    for _ in pieces:
        pass
    most = _megabytes()
    return single(f"memory of an export of {ITEMS:,} items, most to first", "MB", begin, most)


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000


def main() -> None:
    local.setup()
    from django.db import connection

    with fresh_database():
        local.migrate()
        local.ensure_defaults()
        dataset = add_dataset(ITEMS)
        on = connection.vendor
        floor: Callable[[], float] = partial(raw, dataset)
        found = [
            paired(
                f"export {ITEMS:,} items as {format}, {on}, against a raw cursor",
                "s",
                floor,
                partial(product, dataset, format),
                rounds=2,
            )
            for format in ("csv", "jsonl")
        ]
        name = f"first items of an export, {on}, against the reach"
        found.append(paired(name, "s", lambda: REACH_S, partial(first_items, dataset)))
        found.append(memory(dataset))
        connection.close()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
