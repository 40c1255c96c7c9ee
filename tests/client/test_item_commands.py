"""`evalhub items`, against recorded answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from evalhub_client import Client

from tests.client.api_server import ApiServer, Reply, listing, problem
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]
ITEM = "/datasets/sums/items/3"


def item(**other: Any) -> dict[str, Any]:
    return {
        "number": 3,
        "revision": 11,
        "version": 2,
        "input": {"question": "1 + 1"},
        "expected_output": 2,
        "metadata": {"topic": "sum"},
        "tags": ["easy"],
        "split": "",
        "external_id": None,
        "source": "",
        "content_hash": "x",
        "purged": False,
    } | other


def test_an_item_is_shown_with_what_it_has(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("GET", ITEM, Reply(item()))
    ran = evalhub("items", "show", "sums", "#3")
    assert ran.code == 0
    assert ran.out.startswith("Item #3, since version 2\n\nInput:\n")
    assert "Expected output:\n2\n" in ran.out
    assert '"tags": [' in ran.out
    assert "split" not in ran.out
    evalhub("items", "show", "sums", "3", "--version", "1")
    assert sums.requests("GET", ITEM)[-1].query == {"version": "1"}


def test_a_purged_item_says_so(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("GET", ITEM, Reply(item(purged=True, input=None)))
    assert "Purged: what it said is gone" in evalhub("items", "show", "sums", "3").out


def test_an_item_is_added_with_every_field(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("POST", "/datasets/sums/items", Reply({"numbers": [4], "version": 3}, 201))
    ran = evalhub(
        *("items", "add", "sums", "--input", '{"q": 1}', "--expected", "null"),
        *("--metadata", '{"a": 1}', "--context", '{"b": 2}', "--tag", "x", "--tag", "y"),
        *("--split", "dev", "--external-id", "t-4", "--scorer", "contains"),
    )
    assert ran.out == "Item #4 is in version 3.\n"
    (asked,) = sums.requests("POST", "/datasets/sums/items")
    assert asked.json == {
        "input": {"q": 1},
        "expected_output": None,
        "metadata": {"a": 1},
        "context": {"b": 2},
        "tags": ["x", "y"],
        "split": "dev",
        "external_id": "t-4",
        "scorers": ["contains"],
    }


def test_an_edit_changes_what_is_given_on_what_was_read(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("GET", ITEM, Reply(item()))
    sums.answer("PATCH", ITEM, Reply(item(revision=12, version=3)))
    ran = evalhub(
        *("items", "edit", "sums", "3", "--expected", "two", "--no-scorers"),
        *("--remove", "tags", "--message", "Words"),
    )
    assert ran.out == "Item #3 is saved in version 3.\n"
    (asked,) = sums.requests("PATCH", ITEM)
    assert asked.json == {
        "expected_output": "two",
        "scorers": [],
        "remove": ["tags"],
        "message": "Words",
        "revision": 11,
    }


def test_an_edit_of_nothing_is_a_usage_error(sums: ApiServer, evalhub: Evalhub) -> None:
    ran = evalhub("items", "edit", "sums", "3")
    assert (ran.code, "Say what to change" in ran.err) == (2, True)


def test_what_is_refused_is_told_by_the_options_name(sums: ApiServer, evalhub: Evalhub) -> None:
    detail = "The external id “a” belongs to item #1."
    sums.answer("GET", ITEM, Reply(item()))
    sums.answer("PATCH", ITEM, problem(409, detail, ("/external_id", "Taken.")))
    ran = evalhub("items", "edit", "sums", "3", "--external-id", "a")
    assert (ran.code, ran.err) == (1, f"evalhub: {detail}\n  --external-id: Taken.\n")


def test_an_item_is_deleted_copied_and_restored(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("DELETE", ITEM, Reply(None, 204))
    assert evalhub("items", "delete", "sums", "3").out.startswith("Item #3 is deleted.")
    made = {"dataset": "sums", "number": 9, "version": 4}
    sums.answer("POST", f"{ITEM}/duplicate", Reply(made, 201))
    assert evalhub("items", "duplicate", "sums", "3").out == "The copy is item #9 of Sums.\n"
    sums.answer("POST", f"{ITEM}/restore", Reply(item(version=5)))
    ran = evalhub("items", "restore", "sums", "3", "--revision", "7", "--json")
    assert json.loads(ran.out)["version"] == 5
    assert sums.requests("POST", f"{ITEM}/restore")[0].json == {"revision": 7}


def test_the_history_is_a_table(sums: ApiServer, evalhub: Evalhub) -> None:
    version = {
        "number": 2,
        "author": "ada",
        "created_at": "2026-01-01T00:00:00+00:00",
        "message": "Words",
    }
    change = {"path": "expected_output", "before": 2, "after": "two"}
    sums.answer(
        "GET",
        f"{ITEM}/history",
        listing(
            {"version": version, "deleted": False, "changes": [change], "item": item()},
            {"version": version | {"number": 1}, "deleted": False, "changes": [], "item": item()},
        ),
    )
    lines = evalhub("items", "history", "sums", "3").out.splitlines()
    assert lines[0].split()[:2] == ["Version", "Revision"]
    assert "expected_output" in lines[1]
    assert "created" in lines[2]


def test_a_purge_is_asked_for_or_confirmed(
    sums: ApiServer, evalhub: Evalhub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums.answer("POST", f"{ITEM}/purge", Reply({"number": 3, "revisions": 2}))
    assert evalhub("items", "purge", "sums", "3").code == 2
    assert sums.requests("POST", f"{ITEM}/purge") == []
    ran = evalhub("items", "purge", "sums", "3", "--yes")
    assert ran.out == "Item #3 is purged: 2 revisions.\n"
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "4")
    assert "Nothing was purged" in evalhub("items", "purge", "sums", "3").err
    assert client.purge_item("sums", 3) == {"number": 3, "revisions": 2}
    assert [one.json for one in sums.requests("POST", f"{ITEM}/purge")] == [{"confirm": True}] * 2
