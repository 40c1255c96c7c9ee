"""`evalhub items list` against recorded answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.client.api_server import ApiServer, listing, problem
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]
WHERE = 'metadata.topic = "percent" and tag = "hard"'


def item(number: int, **other: Any) -> dict[str, Any]:
    return {
        "number": number,
        "revision": number,
        "version": 1,
        "input": {"question": "What is 10% of 50?" * 5},
        "expected_output": 5,
        "metadata": {},
        "tags": ["hard"],
        "split": "test",
        "external_id": None,
        "source": "",
        "content_hash": "0" * 32,
    } | other


def test_items_are_listed_by_filter_search_split_and_order(
    sums: ApiServer, evalhub: Evalhub
) -> None:
    sums.answer("GET", "/datasets/sums/items", listing(item(3), item(1)))
    options = ("--where", WHERE, "--q", "10%", "--split", "test", "--sort", "-number")
    ran = evalhub("items", "list", "sums", *options[:-2], f"--sort={options[-1]}")
    assert ran.code == 0
    (asked,) = sums.requests("GET", "/datasets/sums/items")
    assert asked.query["where"] == WHERE
    assert asked.query["q"] == "10%"
    assert asked.query["split"] == "test"
    assert asked.query["sort"] == "-number"
    lines = ran.out.splitlines()
    assert lines[0].split() == [
        "Item",
        "External",
        "ID",
        "Split",
        "Tags",
        "Input",
        "Expected",
        "output",
    ]
    assert [line.split()[0] for line in lines if line.startswith("#")] == ["#3", "#1"]
    assert "…" in ran.out


def test_a_limit_ends_the_list_and_json_gives_the_items(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("GET", "/datasets/sums/items", listing(item(1), item(2), item(3)))
    ran = evalhub("items", "list", "sums", "--limit", "2", "--json")
    assert [one["number"] for one in json.loads(ran.out)] == [1, 2]


def test_a_filter_that_is_not_understood_is_said(sums: ApiServer, evalhub: Evalhub) -> None:
    detail = "The filter is not understood at character 1: There is no field “topic”."
    sums.answer("GET", "/datasets/sums/items", problem(422, detail))
    ran = evalhub("items", "list", "sums", "--where", "topic = 1")
    assert ran.code == 1
    assert "There is no field “topic”" in ran.err
