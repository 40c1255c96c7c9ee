"""Every list: pages that cover all rows once, and as many queries for 60 rows as for 3."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets_app.actions import add_items, create_dataset, update_item
from datasets_app.items import parse_item
from datasets_app.models import ImportJob
from evalhub.kit.models import Worker
from tests.factories import make_finished_run, make_run, make_scorers, questions

pytestmark = pytest.mark.db

LISTS = [
    "/datasets",
    "/datasets/many/versions",
    "/datasets/many/items",
    "/datasets/many/items?version=1",
    "/datasets/many/imports",
    "/datasets/many/runs",
    "/datasets/many/items/1/history",
    "/runs",
    "/datasets/runs/1/results",
    "/workers",
]


@pytest.fixture
def grow(project, editor):
    """Grows everything that is listed to n rows."""
    many = create_dataset(project=project, name="Many", by=editor)
    add_items(dataset=many, contents=[parse_item(one) for one in questions(60)], by=editor)
    make_finished_run(many, editor, ["x"] * 3, {"exact": [1, 0, 1]})

    def to(n: int) -> None:
        for index in range(many.version, n):
            revision = many.revisions.get(number=1, version_to=None).pk
            content = parse_item({"input": index})
            update_item(dataset=many, number=1, revision=revision, content=content, by=editor)
            create_dataset(project=project, name=f"Other {index}", by=editor)
            ImportJob.objects.create(dataset=many, created_by=editor, filename=f"{index}.csv")
            Worker.objects.create(name=f"w{index}", pid=index)
            make_scorers(make_run(many, editor, 3), {"exact": [1], "close": [0.5]}, {})

    return to


def count_queries(api, path: str) -> tuple[int, int]:
    """Rows in the answer and queries that it took."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = api.get(path).json()
    return len(answer.get("items", answer.get("workers"))), len(captured)


def test_a_list_takes_as_many_queries_for_sixty_rows_as_for_three(api, grow):
    grow(3)
    few = {path: count_queries(api, path) for path in LISTS}
    grow(60)
    Worker.objects.update(seen_at=Worker.objects.latest("seen_at").seen_at)
    for path in LISTS:
        rows, queries = count_queries(api, path)
        assert queries == few[path][1], path
        assert rows >= few[path][0] > 0, path
        assert queries <= 12, path
    assert count_queries(api, "/runs")[0] == 60
    assert count_queries(api, "/datasets/many/versions")[0] == 60


def test_results_take_as_many_queries_for_sixty_rows_as_for_three(api, grow, project, editor):
    grow(1)
    many = project.datasets.get(slug="many")
    make_finished_run(many, editor, ["x"] * 60, {"exact": [1] * 60})
    small = count_queries(api, "/datasets/runs/1/results")
    assert small[0] == 3
    assert count_queries(api, "/datasets/runs/2/results") == (60, small[1])


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/datasets", "id"),
        ("/datasets/many/versions", "number"),
        ("/datasets/many/items", "number"),
        ("/datasets/many/imports", "id"),
        ("/datasets/many/runs", "number"),
        ("/runs", "number"),
        ("/runs?q=Run", "number"),
    ],
)
def test_pages_cover_every_row_once_and_in_order(api, grow, path, key):
    grow(9)
    whole = [row[key] for row in api.get(path).json()["items"]]
    assert len(whole) >= 8
    for limit in (1, 4, len(whole)):
        pages = api.pages(path, limit)
        assert [row[key] for page in pages for row in page] == whole
        assert all(len(page) == limit for page in pages[:-1])
        assert pages[-1]


def test_a_new_row_does_not_move_the_pages_behind_it(api, grow, project, editor):
    grow(5)
    first = api.get("/datasets?limit=2").json()
    create_dataset(project=project, name="Newer", by=editor)
    second = api.get(f"/datasets?limit=2&cursor={first['next_cursor']}").json()
    assert [row["name"] for row in second["items"]] == ["Other 2", "Other 1"]


def test_a_page_has_a_hundred_rows_unless_told(api, grow, project, editor):
    grow(1)
    many = project.datasets.get(slug="many")
    contents = [parse_item({"input": index}) for index in range(100)]
    add_items(dataset=many, contents=contents, by=editor)
    page = api.get("/datasets/many/items").json()
    assert (len(page["items"]), page["total"]) == (100, 160)
    assert len(api.get("/datasets/many/items?limit=1000").json()["items"]) == 160
