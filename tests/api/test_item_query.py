"""Items by search, filter, split and order in the API."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from datasets_app.item_sorts import SORTS
from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from tests.api.client import Api, assert_problem
from tests.factories import make_dataset

pytestmark = pytest.mark.db


@pytest.fixture
def tickets(project: Project, editor: User) -> Dataset:
    topics, splits = ("refund", "login"), ("train", "test", "")
    payloads: list[dict[str, Any]] = [
        {
            "input": f"ticket {number}",
            "metadata": {"topic": topics[number % 2], "level": number},
            "split": splits[number % 3],
            "external_id": f"ä/{20 - number}" if number % 4 else None,
            "tags": ["hard"] if number > 6 else [],
        }
        for number in range(1, 11)
    ]
    return make_dataset(project, editor, payloads, name="Tickets")


def numbers(api: Api, dataset: Dataset, query: str) -> list[int]:
    """The numbers of all pages of two items."""
    found: list[int] = []
    address = f"/datasets/{dataset.slug}/items?limit=2&{query}"
    cursor = ""
    while cursor is not None:
        page = api.get(f"{address}&cursor={cursor}" if cursor else address).json()
        found += [item["number"] for item in page["items"]]
        cursor = page["next_cursor"]
    return found


def test_a_filter_a_search_and_a_split_narrow_the_list(api: Api, tickets: Dataset) -> None:
    where = quote('metadata.topic = "refund" and metadata.level >= 4 or tag = "hard"')
    assert numbers(api, tickets, f"where={where}") == [4, 6, 7, 8, 9, 10]
    assert numbers(api, tickets, f"where={where}&split=test") == [4, 7, 10]
    assert numbers(api, tickets, "q=TICKET+1") == [1, 10]
    assert numbers(api, tickets, "q=refund&split=train") == [6]


@pytest.mark.parametrize("sort", SORTS)
def test_cursors_go_through_the_whole_list_in_every_order(
    api: Api, tickets: Dataset, sort: str
) -> None:
    found = numbers(api, tickets, f"sort={sort}")
    assert sorted(found) == list(range(1, 11))
    if sort == "external_id":
        assert found == [10, 9, 7, 6, 5, 3, 2, 1, 4, 8]
    if sort == "split":
        assert found == [1, 4, 7, 10, 3, 6, 9, 2, 5, 8]


def test_a_filter_that_is_not_understood_says_where(api: Api, tickets: Dataset) -> None:
    where = quote('metadata.topic = "refund" and spilt = "test"')
    answer = api.get(f"/datasets/{tickets.slug}/items?where={where}")
    problem = assert_problem(answer, 422, "/where")
    assert "Did you mean “split”?" in problem["detail"]
    assert problem["position"] == 30


@pytest.mark.parametrize(
    ("query", "pointers"),
    [("sort=colour", ["/sort"]), ("sort=split&cursor=azE", []), ("cursor=W10", [])],
)
def test_an_order_or_a_cursor_that_is_not_there_is_refused(
    api: Api, tickets: Dataset, query: str, pointers: list[str]
) -> None:
    assert_problem(api.get(f"/datasets/{tickets.slug}/items?{query}"), 422, *pointers)
