"""Pages that show items, at 1,000 and at 1,000,000: server time of the view, p95, and queries.

Each row holds a page of the large dataset to two measures: what PERFORMANCE allows it (`floor` is
the allowed time, so a ratio of 1 is just in it) and the same page of the small dataset. The pages
are asked for by Django's test client, in this process, by a signed-in member; the database is the
one of the settings. The rows are written by COPY (PostgreSQL) or executemany (SQLite), a third of
the items changed once, some deleted, so that there is a past.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

from bench.measure import single
from bench.servers import signed_in
from evalhub import local

SMALL, LARGE = 1_000, 1_000_000
ROUNDS = 40
WORDS = ("refund", "invoice", "order", "address", "late", "parcel", "password", "reset", "charge")
TOPICS = ("percent", "rate", "sum", "ratio")
SPLITS = ("train", "train", "train", "test")
CHANGED_EVERY, DELETED_EVERY = 50, 1_000


def rows(dataset_id: int, count: int) -> Iterator[tuple[object, ...]]:
    """Rows of `bulk.insert`: version 1, changes in version 2, deletions in version 3."""
    chance = random.Random(7)
    for number in range(1, count + 1):
        text = " ".join(chance.choices(WORDS, k=40))
        meta = {"topic": chance.choice(TOPICS), "n": number, "rare": number % 5_000 == 0}
        shared = (f'{{"answer":"{text[:120]}"}}', json.dumps(meta, separators=(",", ":")), "[]")
        split, identifier = SPLITS[number % 4], f"id-{number:07d}"
        changed, deleted = number % CHANGED_EVERY == 0, number % DELETED_EVERY == 7
        end = 2 if changed else 3 if deleted else None
        first = f'"{text} question {number:07d}"'
        yield dataset_id, number, 1, end, False, first, *shared, split, identifier
        if changed:
            again = f'"{text} changed {number:07d}"'
            yield dataset_id, number, 2, None, False, again, *shared, split, identifier
        if deleted:
            yield dataset_id, number, 3, None, True, first, *shared, split, identifier


def make(count: int) -> Any:
    """A dataset of `count` items with three versions and, when it is large, its index."""
    from django.db import connection, transaction

    from datasets_app.actions import create_dataset
    from datasets_app.models import Dataset, DatasetVersion, ItemRevision
    from evalhub.access.models import Project, User
    from evalhub.kit import bulk

    user = User.objects.get(username=local.ADMINISTRATOR)
    project = Project.objects.get(slug=local.DEFAULT_PROJECT)
    dataset = create_dataset(project=project, name=f"Bench {count}", by=user)
    columns = (
        *("dataset", "number", "version_from", "version_to", "deleted", "input_json"),
        *("expected_json", "metadata_json", "tags_json", "split", "external_id"),
    )
    fixed = ("content_hash", "source", "purged")
    with transaction.atomic():
        found = ((*row, "0" * 32, "bench", False) for row in rows(dataset.pk, count))
        bulk.insert(ItemRevision, (*columns, *fixed), found)
    changed, deleted = count // CHANGED_EVERY, len(range(7, count + 1, DELETED_EVERY))
    deltas = ((count, 0, 0), (0, changed, 0), (0, 0, deleted))
    for number, (added, changes, removed) in enumerate(deltas, start=1):
        DatasetVersion.objects.create(
            dataset=dataset,
            number=number,
            author=user,
            added=added,
            changed=changes,
            removed=removed,
            item_count=count - (deleted if number == 3 else 0),
        )
    Dataset.objects.filter(pk=dataset.pk).update(version=3, next_item_number=count + 1)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    dataset.refresh_from_db()
    return dataset


def index(dataset: Any) -> float:
    """Seconds to build the dataset's index for searches."""
    from datasets_app import indexing
    from datasets_app.models import SearchIndex

    began = time.perf_counter()
    while SearchIndex.objects.is_behind(dataset):
        indexing.sweep()
        indexing.build(dataset.pk)
    return time.perf_counter() - began


def addresses(slug: str, count: int) -> dict[str, tuple[str, float]]:
    """{page: (address, what is allowed in ms)}."""
    dataset = f"/p/{local.DEFAULT_PROJECT}/datasets/{slug}"
    base = f"{dataset}/items"
    deep = count // 2
    return {
        "items, first page": (base, 60),
        "items, deep page": (f"{base}?after={deep}", 60),
        "items, last page": (f"{base}?after={count - 30}", 60),
        "items, last changed first": (f"{base}?sort=changed", 60),
        "items, by external id, deep": (f"{base}?sort=external_id&from={deep}", 60),
        "items, by split": (f"{base}?sort=split", 60),
        "items of a split": (f"{base}?split=test", 60),
        "open item, with previous and next": (f"{base}/{deep}", 60),
        "old version, deep page": (f"{base}?v=1&after={deep}", 60),
        "metadata, a common value": (f"{base}?where=metadata.topic+%3D+%22rate%22", 200),
        "metadata, a rare value": (f"{base}?where=metadata.rare+%3D+true", 200),
        "metadata, one item": (f"{base}?where=metadata.n+%3D+{deep + 1}", 200),
        "metadata, no item": (f"{base}?where=metadata.topic+%3D+%22nothing%22", 200),
        "search, a common word": (f"{base}?q=refund", 400),
        "search, one item": (f"{base}?q=question+{deep + 1:07d}", 400),
        "search, nothing": (f"{base}?q=zebra", 400),
        "version diff, changed items": (f"{dataset}/diff?from=1&to=2", 150),
        "version diff, all three versions": (f"{dataset}/diff?from=1&to=3", 150),
        "dataset list": (f"/p/{local.DEFAULT_PROJECT}/datasets/", 60),
    }


def p95(client: Any, address: str) -> tuple[float, int]:
    """Milliseconds of server time, 95th percentile of ROUNDS, and the number of queries."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)
    queries = len(captured)
    if answer.status_code != 200:
        sys.exit(f"{address} answers {answer.status_code}")
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        client.get(address)
        took.append((time.perf_counter() - began) * 1000)
    return statistics.quantiles(took, n=20)[-1], queries


def held(
    client: Any,
    small: dict[str, tuple[str, float]],
    large: dict[str, tuple[str, float]],
    sizes: str,
) -> list[dict[str, object]]:
    """Two rows for each page of `large`: to what is allowed, and to the same page of `small`."""
    found = []
    for page, (address, allowed) in large.items():
        few, _ = p95(client, small[page][0])
        many, queries = p95(client, address)
        found.append(single(f"{page}, {queries} queries, to what is allowed", "ms", allowed, many))
        found.append(single(f"{page}, {sizes}", "ms", few, many))
    return found


def measured() -> list[dict[str, object]]:
    """The rows, on the backend of the settings (Django is set up)."""
    from django.db import connection

    found: list[dict[str, object]] = []
    with signed_in() as client:
        small, large = make(SMALL), make(LARGE)
        took = index(large)
        found.append(single(f"search index of {LARGE:,} items", "s", took, took))
        pages = addresses(large.slug, LARGE)
        if connection.vendor == "sqlite":
            slower = {page: (at, 600) for page, (at, _) in pages.items() if page[:6] == "search"}
            pages |= slower
        sizes = f"{LARGE:,} to {SMALL:,} items"
        found += held(client, addresses(small.slug, SMALL), pages, sizes)
    return found


def main() -> None:
    local.setup()
    json.dump(measured(), sys.stdout)


if __name__ == "__main__":
    main()
