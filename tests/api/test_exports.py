"""Exports through the API: streamed, filtered, and named safely."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from datasets_app import exports
from datasets_app.actions import add_items, delete_item
from datasets_app.items import parse_item
from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from tests.factories import make_dataset, questions

pytestmark = [pytest.mark.django_db, pytest.mark.db]


@pytest.fixture
def sums(project: Project, owner: User) -> Dataset:
    made = make_dataset(project, owner, questions(5), name="Zahlen & mehr")
    contents = [parse_item({"input": "in a split", "split": "test"})]
    add_items(dataset=made, contents=contents, by=owner)
    delete_item(dataset=made, number=2, by=owner)
    return made


def numbers(body: str) -> list[int]:
    return [json.loads(line)["number"] for line in body.splitlines()]


@pytest.fixture
def export(client_for: Callable[..., Client], owner: User, sums: Dataset) -> Callable[..., Any]:
    client = client_for(owner)

    def get(**params: object) -> Any:
        address = f"/p/{sums.project.slug}/datasets/{sums.slug}/export"
        return client.get(address, {"format": "jsonl", **params})

    return get


def text(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def test_every_item_is_there_once_whatever_the_size_of_a_page(
    export: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "FIRST_PAGE", 2)
    monkeypatch.setattr(exports, "LARGEST_PAGE", 3)
    monkeypatch.setattr(exports, "SMALLEST_WINDOW", 1)
    assert numbers(text(export())) == [1, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"version": 1}, [1, 2, 3, 4, 5]),
        ({"v": 2}, [1, 2, 3, 4, 5, 6]),
        ({"q": "question 4"}, [4]),
        ({"split": "test"}, [6]),
        ({"numbers": "1-3,6"}, [1, 3, 6]),
        ({"numbers": "2"}, []),
    ],
)
def test_a_part_can_be_had(
    export: Callable[..., Any], params: dict[str, Any], found: list[int]
) -> None:
    assert numbers(text(export(**params))) == found


def test_the_file_is_named_after_slug_and_version(export: Callable[..., Any]) -> None:
    answer = export(format="csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    disposition = answer["Content-Disposition"]
    assert disposition.startswith('attachment; filename="zahlen-mehr-v3-')
    assert disposition.endswith('.csv"')


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"format": "xlsx"}, 422),
        ({"version": 9}, 404),
        ({"version": "x"}, 404),
        ({"numbers": "1;2"}, 422),
        ({"numbers": "1-999999999"}, 422),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_sent(
    export: Callable[..., Any], params: dict[str, Any], status: int
) -> None:
    assert export(**params).status_code == status


def test_an_export_asks_for_pages_only_as_they_are_read(
    sums: Dataset, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(exports, "FIRST_PAGE", 3)
    monkeypatch.setattr(exports, "SMALLEST_WINDOW", 1)
    with django_assert_num_queries(0):
        chunks = exports.open_export(sums, format="csv").chunks
        next(chunks)
    with django_assert_num_queries(2):
        assert len(list(chunks)) == 1
