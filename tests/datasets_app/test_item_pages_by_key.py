"""Pages, neighbours and counts of items: stable, by key, and true whatever is written meanwhile."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets_app import indexing, item_pages
from datasets_app.actions import add_items, create_dataset, delete_item, update_item
from datasets_app.actions.bulk import undo_version
from datasets_app.actions.imports import apply_import, stage_import
from datasets_app.actions.purge import purge_item
from datasets_app.actions.versions import COLUMNS, content_of, revision_row
from datasets_app.item_query import ItemQuery, select
from datasets_app.item_search import TABLE
from datasets_app.item_sorts import SORTS
from datasets_app.items import parse_item
from datasets_app.models import Dataset, ItemRevision, SearchIndex
from datasets_app.visible import last_number
from evalhub.access.models import Project, User
from evalhub.kit import bulk
from evalhub.kit.errors import Invalid
from tests.datasets_app.jobs import ended
from tests.factories import make_dataset

pytestmark = [pytest.mark.db, pytest.mark.django_db]
TOPICS = ["percent", "rate", "sum"]


def payload(number: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "input": f"question {number}",
        "metadata": {"topic": TOPICS[number % 3], "n": number},
        "split": ["", "train", "test", "test"][number % 4],
    }
    if number % 5:
        found["external_id"] = f"id-{(number * 7) % 100:02d}"
    return found


@pytest.fixture
def dataset(project: Project, editor: User) -> Dataset:
    dataset = make_dataset(project, editor, [payload(n) for n in range(1, 31)])
    for number in (7, 3, 20):
        current = ItemRevision.objects.get(dataset=dataset, number=number, version_to=None)
        update_item(
            dataset=dataset,
            number=number,
            revision=current.pk,
            content=parse_item(payload(number) | {"input": "changed"}),
            by=editor,
        )
    delete_item(dataset=dataset, number=11, by=editor)
    return dataset


def numbers(dataset: Dataset, query: ItemQuery, version: int | None = None) -> list[int]:
    rows = select(dataset.pk, dataset.version if version is None else version, query)
    return [row.number for row in rows]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("where", ["", 'metadata.topic in ("percent", "rate")'])
@pytest.mark.parametrize("version", [1, 5])
def test_pages_forth_and_back_are_the_whole_list_in_order(
    dataset: Dataset, sort: str, where: str, version: int
) -> None:
    query = ItemQuery(where=where, sort=sort)
    whole = numbers(dataset, query, version)
    assert len(whole) == (30 if version == 1 else 29) if not where else len(whole) > 15
    forth: list[int] = []
    page = item_pages.page(dataset, version, query, size=4)
    pages = [page]
    forth += [row.number for row in page.rows]
    while page.after is not None:
        page = item_pages.page(dataset, version, query, after=page.after, size=4)
        pages.append(page)
        forth += [row.number for row in page.rows]
    assert forth == whole
    assert page.before is not None
    back = item_pages.page(dataset, version, query, before=page.before, size=4)
    assert back.rows == pages[-2].rows
    assert back.after is not None
    again = item_pages.page(dataset, version, query, after=back.after, size=4)
    assert again.rows == page.rows


@pytest.mark.parametrize("sort", SORTS)
def test_previous_and_next_follow_the_list(dataset: Dataset, sort: str) -> None:
    query = ItemQuery(sort=sort, where='metadata.topic = "rate"')
    whole = numbers(dataset, query)
    for before, after in pairwise(whole):
        assert item_pages.neighbours(dataset, dataset.version, query, before).next == after
        assert item_pages.neighbours(dataset, dataset.version, query, after).previous == before
    assert item_pages.neighbours(dataset, dataset.version, query, whole[-1]).next is None
    assert item_pages.neighbours(dataset, dataset.version, query, whole[0]).previous is None


def test_a_page_can_begin_with_an_item(dataset: Dataset) -> None:
    for sort in SORTS:
        query = ItemQuery(sort=sort)
        whole = numbers(dataset, query)
        page = item_pages.page(dataset, dataset.version, query, at=whole[9], size=3)
        assert [row.number for row in page.rows] == whole[9:12]


def test_the_last_changed_come_first(dataset: Dataset) -> None:
    assert numbers(dataset, ItemQuery(sort="changed"))[:3] == [20, 3, 7]


def test_counts_are_exact_up_to_their_limit(dataset: Dataset) -> None:
    query = ItemQuery(split="test")
    there = len(numbers(dataset, query))
    assert item_pages.count(dataset, dataset.version, query) == item_pages.Count(there, True)
    few = item_pages.count(dataset, dataset.version, query, limit=5)
    assert few == item_pages.Count(5, False)
    everything = item_pages.count(dataset, dataset.version, ItemQuery())
    assert everything == item_pages.Count(29, True)


def test_a_walk_that_runs_out_of_time_says_how_far_it_came_and_goes_on(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_pages, "BUDGET_S", 0)
    monkeypatch.setattr(item_pages, "FIRST_CHUNK", 10)
    query = ItemQuery(where="metadata.n = 28")
    page = item_pages.page(dataset, dataset.version, query)
    assert page.rows == []
    assert page.searched == item_pages.Searched(10, 29, index_is_built=True)
    assert page.after == "10"
    page = item_pages.page(dataset, dataset.version, query, after="10", seen=10)
    assert page.searched is not None
    assert page.searched.looked_at == 20
    assert page.after is not None
    page = item_pages.page(dataset, dataset.version, query, after=page.after, seen=20)
    assert [row.number for row in page.rows] == [28]
    assert page.after is None


def write_pending(dataset: Dataset) -> None:
    """What an import in the middle of its work has written under the next version."""
    version = dataset.version + 1
    Dataset.objects.filter(pk=dataset.pk).update(pending_version=version)
    some = list(ItemRevision.objects.filter(dataset=dataset, version_to=None, number__lte=5))
    ItemRevision.objects.filter(pk__in=[row.pk for row in some]).update(version_to=version)
    rows = [revision_row(dataset.pk, row.number, version, content_of(row)) for row in some]
    new = parse_item({"input": "not yet"})
    rows += [revision_row(dataset.pk, n, version, new) for n in range(31, 40)]
    bulk.insert(ItemRevision, COLUMNS, rows)


@pytest.mark.parametrize("stale", [False, True])
def test_what_an_import_has_written_so_far_shows_nowhere(dataset: Dataset, stale: bool) -> None:
    """Also to who read the dataset just before the import began (`stale`)."""
    queries = [ItemQuery(), ItemQuery(sort="changed"), ItemQuery(where="metadata.n < 100")]
    before = [numbers(dataset, query) for query in queries]
    write_pending(dataset)
    if not stale:
        dataset.refresh_from_db()
    for query, whole in zip(queries, before, strict=True):
        page = item_pages.page(dataset, dataset.version, query)
        assert [row.number for row in page.rows] == whole
        assert item_pages.neighbours(dataset, dataset.version, query, 5).previous in (4, 20, 6)


def test_an_old_version_of_few_items_reads_nothing_of_the_many_that_came_later(
    dataset: Dataset, editor: User
) -> None:
    add_items(dataset=dataset, contents=[parse_item({"input": "x"})] * 50, by=editor)
    assert last_number(dataset, 1) == 30
    assert last_number(dataset, dataset.version) == 80
    assert len(item_pages.page(dataset, 1, ItemQuery()).rows) == 30


def test_an_old_version_keeps_its_last_items_where_numbers_are_missing(
    project: Project, editor: User
) -> None:
    """Items that come back count as added too, here as many as there are numbers without an item:
    what was added until a version then looks like its last number, and is not."""
    dataset = create_dataset(project=project, name="Gaps", by=editor)
    file = b"number,input:json\r\n1,1\r\n2,2\r\n5,5\r\n"
    job = stage_import(dataset=dataset, filename="gaps.csv", chunks=[file], by=editor)
    assert ended(apply_import(job=job, by=editor)).state == "done"
    for number in (1, 2):
        deleted = delete_item(dataset=dataset, number=number, by=editor)
        undo_version(dataset=dataset, version=deleted.version_from, by=editor)
    dataset.refresh_from_db()
    assert last_number(dataset, 1) is None
    assert numbers_shown(dataset, 1) == [1, 2, 5]
    add_items(dataset=dataset, contents=[parse_item({"input": "x"})] * 9, by=editor)
    dataset.refresh_from_db()
    assert last_number(dataset, 5) == 5
    assert numbers_shown(dataset, 5) == [1, 2, 5]


def numbers_shown(dataset: Dataset, version: int) -> list[int]:
    return [row.number for row in item_pages.page(dataset, version, ItemQuery()).rows]


def test_a_deep_page_goes_to_its_place_by_the_index(dataset: Dataset) -> None:
    """A comparison of keys would be an OR, which SQLite answers by reading from the start."""
    for sort in SORTS:
        query = ItemQuery(sort=sort)
        first = item_pages.page(dataset, dataset.version, query, size=10)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            item_pages.page(dataset, dataset.version, query, after=first.after or "", size=10)
        sql = next(q["sql"] for q in captured if "ORDER BY" in q["sql"])
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
                plan = " ".join(row[3] for row in cursor.fetchall())
            assert "TEMP B-TREE" not in plan, (sort, plan)
            first_stretch = SORTS[sort].stretches[0].fields
            key = ",".join(first_stretch)
            assert f"{key}>" in plan or f"({key})>" in plan or "<" in plan, (sort, plan)
            assert len(first_stretch) == 1 or f"({key})" in plan, (sort, plan)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (ItemQuery(where="metadata.topic == 1"), "character 16: Did you mean “=”?"),
        (ItemQuery(sort="colour"), "no order “colour”"),
        (ItemQuery(q="x" * 501), "at most 500"),
    ],
)
def test_a_query_that_is_not_understood_is_refused(
    dataset: Dataset, query: ItemQuery, says: str
) -> None:
    with pytest.raises(Invalid, match=says.replace("?", "\\?")):
        item_pages.page(dataset, 1, query)


@pytest.mark.parametrize("cursor", ["x", "-1", "99999999999999", "WzAsMV0", "WzBd", "e30"])
@pytest.mark.parametrize("sort", ["number", "external_id", "changed"])
def test_a_cursor_of_another_kind_is_refused(dataset: Dataset, cursor: str, sort: str) -> None:
    with pytest.raises(Invalid):
        item_pages.page(dataset, 1, ItemQuery(sort=sort), after=cursor)


class TestIndex:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(indexing, "INDEX_FROM", 10)
        monkeypatch.setattr(indexing, "BATCH", 7)
        monkeypatch.setattr(indexing, "REST_S", 0)
        monkeypatch.setattr(indexing, "wake_now", lambda *args: None)
        monkeypatch.setattr(item_pages, "FIRST_CHUNK", 2)
        monkeypatch.setattr(item_pages, "BUDGET_S", 0)  # what is found, the index has found

    def test_it_is_built_after_publishing_and_answers_at_once(self, dataset: Dataset) -> None:
        query = ItemQuery(q="question 28")
        assert item_pages.page(dataset, dataset.version, query).searched is not None
        assert indexing.sweep() == 1
        indexing.build(dataset.pk)
        assert SearchIndex.objects.get(pk=dataset.pk).version == dataset.version
        assert indexing.sweep() == 0
        page = item_pages.page(dataset, dataset.version, query)
        assert [row.number for row in page.rows] == [28]
        assert page.searched is None
        assert page.after is None

    def test_rows_newer_than_the_index_are_found_too(self, dataset: Dataset, editor: User) -> None:
        indexing.sweep()
        indexing.build(dataset.pk)
        add_items(dataset=dataset, contents=[parse_item({"input": "brand new"})], by=editor)
        page = item_pages.page(dataset, dataset.version, ItemQuery(q="brand new"))
        assert [row.number for row in page.rows] == [31]
        assert indexing.sweep() == 1
        indexing.build(dataset.pk)
        page = item_pages.page(dataset, dataset.version, ItemQuery(q="brand new"))
        assert [row.number for row in page.rows] == [31]

    def test_a_crash_repeats_nothing_and_leaves_nothing_out(
        self, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        indexing.sweep()
        calls = []
        insert = indexing._insert

        def fails(dataset_id: int, rows: list[Any]) -> None:
            insert(dataset_id, rows)
            calls.append(len(rows))
            if len(calls) == 2:
                raise RuntimeError("killed")

        monkeypatch.setattr(indexing, "_insert", fails)
        with pytest.raises(RuntimeError):
            indexing.build(dataset.pk)
        SearchIndex.objects.update(lease_until=None)
        indexing.build(dataset.pk)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {TABLE}")
            assert cursor.fetchone()[0] == 33  # 30 items and 3 edits, without the deletion

    def test_metadata_is_found_by_the_index_where_there_is_one(self, dataset: Dataset) -> None:
        indexing.sweep()
        indexing.build(dataset.pk)
        query = ItemQuery(where='metadata.n in (20, 28) and not metadata.topic = "x"')
        page = item_pages.page(dataset, dataset.version, query)
        if connection.vendor == "postgresql":
            assert [row.number for row in page.rows] == [20, 28]
            assert page.searched is None
        else:
            assert page.searched is not None

    def test_what_is_purged_leaves_the_index(self, dataset: Dataset, editor: User) -> None:
        indexing.sweep()
        indexing.build(dataset.pk)
        purge_item(dataset=dataset, number=7, by=editor)
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                sql = f"SELECT count(*) FROM {TABLE} WHERE {TABLE} MATCH %s"
                wanted = ["'cha' AND 'ang'".replace("'", '"')]
            else:
                sql, wanted = f"SELECT count(*) FROM {TABLE} WHERE body LIKE %s", ["%changed%"]
            cursor.execute(sql, wanted)
            assert cursor.fetchone()[0] == 2  # items 3 and 20
        dataset.refresh_from_db()
        page = item_pages.page(dataset, dataset.version, ItemQuery(q="changed"))
        assert [row.number for row in page.rows] == [3, 20]

    def test_all_numbers_that_match_come_from_the_index_or_without_it(
        self, dataset: Dataset
    ) -> None:
        query = ItemQuery(q="question", split="test", where='metadata.topic = "rate"')
        without = item_pages.matching_numbers(dataset, dataset.version, query)
        assert without == numbers(dataset, query)
        indexing.sweep()
        indexing.build(dataset.pk)
        assert item_pages.matching_numbers(dataset, dataset.version, query) == without
        assert item_pages.matching_numbers(dataset, 1, query) == numbers(dataset, query, 1)
