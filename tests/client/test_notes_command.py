"""`evalhub notes`, and the client's methods for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from evalhub_client import Client

from tests.client.api_server import ApiServer, Reply, listing, problem
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]
NOTES = "/datasets/sums/items/3/notes"


def note(**other: Any) -> dict[str, Any]:
    made = "2026-01-01T00:00:00+00:00"
    return {"id": 12, "text": "Wrong:\nit is 3.", "author": "ada", "created_at": made} | other


def test_notes_are_listed_line_by_line(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("GET", NOTES, listing(note(), note(id=13, author=None, text="\x1b[2JRight")))
    ran = evalhub("notes", "sums", "#3")
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert lines[0].startswith("12  ada, 202")
    assert lines[1:4] == ["    Wrong:", "    it is 3.", ""]
    assert lines[4].startswith("13  a former user, ")
    assert lines[5] == "     [2JRight"
    assert json.loads(evalhub("notes", "sums", "3", "--json").out)[0] == note()


def test_an_item_without_notes_says_so(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("GET", NOTES, listing())
    assert evalhub("notes", "sums", "3").out == "Item #3 has no notes.\n"


def test_a_note_is_added(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("POST", NOTES, Reply(note(), 201))
    assert evalhub("notes", "sums", "3", "--add", "Wrong").out == "Note 12 is on item #3.\n"
    assert json.loads(evalhub("notes", "sums", "3", "--add", "Wrong", "--json").out) == note()
    assert [one.json for one in sums.requests("POST", NOTES)] == [{"text": "Wrong"}] * 2


def test_a_refused_note_is_told_by_the_options_name(sums: ApiServer, evalhub: Evalhub) -> None:
    detail = "Write something first."
    sums.answer("POST", NOTES, problem(422, detail, ("/text", detail)))
    ran = evalhub("notes", "sums", "3", "--add", "")
    assert (ran.code, ran.err) == (1, f"evalhub: --add: {detail}\n")


def test_a_note_is_deleted(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("DELETE", f"{NOTES}/12", Reply(None, 204))
    assert evalhub("notes", "sums", "3", "--delete", "12").out == "Note 12 is deleted.\n"
    assert evalhub("notes", "sums", "3", "--delete", "12", "--add", "x").code == 2
    assert len(sums.requests("DELETE", f"{NOTES}/12")) == 1


def test_the_client_lists_adds_and_deletes(server: ApiServer, client: Client) -> None:
    server.answer("GET", NOTES, listing(note(), next_cursor="azE"), listing(note(id=13)))
    server.answer("POST", NOTES, Reply(note(), 201))
    server.answer("DELETE", f"{NOTES}/12", Reply(None, 204))
    assert [one["id"] for one in client.list_notes("sums", 3)] == [12, 13]
    assert client.add_note("sums", 3, "Wrong") == note()
    client.delete_note("sums", 3, 12)
    assert [one.method for one in server.asked] == ["GET", "GET", "POST", "DELETE"]
