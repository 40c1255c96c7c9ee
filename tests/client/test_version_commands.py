"""`evalhub versions`, `diff`, `restore`, `label` and `schema` against recorded answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evalhub_client import Client

from tests.client.api_server import ApiServer, Reply, listing, problem
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]
Json = dict[str, Any]


def version(number: int, **other: Any) -> Json:
    return {
        "number": number,
        "author": "anna",
        "created_at": "2025-01-05T10:00:00+00:00",
        "message": "",
        "label": "",
        "schema_fields": [],
        "added": 0,
        "changed": 2,
        "removed": 0,
        "item_count": 1319,
    } | other


def job(state: str = "done", **other: Any) -> Json:
    return {
        "id": "6f1c",
        "dataset": "sums",
        "kind": "restore",
        "state": state,
        "active": state in ("working", "undoing"),
        "done": 3,
        "total": 3,
        "added": 1,
        "changed": 1234,
        "removed": 0,
        "version": 9 if state == "done" else None,
        "problems": [],
        "message": "",
    } | other


def test_versions_are_listed_with_what_they_changed(sums: ApiServer, evalhub: Evalhub) -> None:
    rows = listing(version(3, label="gold", message="Fixed"), version(2, changed=0))
    sums.answer("GET", "/datasets/sums/versions", rows)
    out = evalhub("versions", "sums").out
    for text in ("v3", "gold", "Fixed", "2 items changed", "no item changed", "1,319", "anna"):
        assert text in out
    assert [row["number"] for row in json.loads(evalhub("versions", "sums", "--json").out)] == [
        3,
        2,
    ]


def test_a_diff_is_a_line_for_each_item_and_for_each_field(
    sums: ApiServer, evalhub: Evalhub
) -> None:
    counts = {"added": 1, "changed": 1, "removed": 0, "exact": False}
    items = [
        {
            "number": 2,
            "kind": "changed",
            "before": {"number": 2, "input": "a"},
            "after": {"number": 2, "input": "b"},
            "changes": [
                {"path": "input", "before": "a", "after": "b"},
                {"path": "metadata.x", "after": 1},
            ],
        },
        {
            "number": 17,
            "kind": "added",
            "before": None,
            "after": {"number": 17, "input": {"q": 1}},
            "changes": [],
        },
    ]
    page = {"from": 3, "to": 8, "counts": counts, "items": items, "next_cursor": None}
    sums.answer("GET", "/datasets/sums/diff", Reply(page))
    ran = evalhub("diff", "sums", "gold", "--kind", "added")
    assert ran.out == (
        "Sums v3 to v8: 1 item added, 1 item changed, or more.\n"
        "~ 0002  b\n    input: a → b\n    metadata.x: – → 1\n"
        '+ 0017  {"q": 1}\n'
    )
    first, second = sums.requests("GET", "/datasets/sums/diff")
    assert first.query["from"] == "gold"
    assert (second.query["from"], second.query["to"], second.query["kind"]) == ("3", "8", "added")


def test_a_restore_says_what_it_changed_and_waits_for_a_large_one(
    sums: ApiServer, evalhub: Evalhub
) -> None:
    path = "/datasets/sums/versions/3/restore"
    sums.answer("POST", path, Reply(job("working")))
    sums.answer("GET", "/jobs/6f1c", Reply(job("working")), Reply(job()))
    ran = evalhub("restore", "sums", "3", "--message", "Back")
    assert (ran.code, ran.out) == (0, "Sums v9: 1 item added, 1,234 items changed.\n")
    assert sums.requests("POST", path)[0].json == {"message": "Back"}


def test_a_restore_that_fails_in_the_background_says_why(sums: ApiServer, evalhub: Evalhub) -> None:
    found = [{"pointer": "/items/2/input", "detail": "3 is a number; text is needed."}]
    failed = job("failed", message="It does not match.", problems=found)
    sums.answer("POST", "/datasets/sums/versions/3/restore", Reply(job("working")))
    sums.answer("GET", "/jobs/6f1c", Reply(failed))
    ran = evalhub("restore", "sums", "3")
    assert (ran.code, ran.out) == (1, "")
    assert "It does not match.\n  /items/2/input: 3 is a number" in ran.err


def test_a_label_is_given_and_taken_away(sums: ApiServer, evalhub: Evalhub) -> None:
    path = "/datasets/sums/versions/3"
    sums.answer("PATCH", path, Reply(version(3, label="gold")))
    assert evalhub("label", "sums", "3", "gold").out == "Sums v3 has the label “gold”.\n"
    assert evalhub("label", "sums", "3", "--remove", "--message", "Old").code == 0
    first, second = sums.requests("PATCH", path)
    assert (first.json, second.json) == ({"label": "gold"}, {"label": "", "message": "Old"})
    assert evalhub("label", "sums", "3").code == 2


def test_one_schema_is_set_and_the_others_stay(
    sums: ApiServer, evalhub: Evalhub, tmp_path: Path
) -> None:
    now = {"version": 3, "schemas": {"input": {"type": "object"}, "metadata": {}}, "job": None}
    sums.answer("GET", "/datasets/sums/schemas", Reply(now))
    sums.answer("PUT", "/datasets/sums/schemas", Reply(now | {"job": job(kind="set_schemas")}))
    file = tmp_path / "expected.json"
    file.write_text('{"type": "string"}')
    ran = evalhub("schema", "sums", "--expected-output", f"@{file}", "--metadata", "")
    assert ran.out == "The schemas hold from v9 on. Every item matches.\n"
    sent = sums.requests("PUT", "/datasets/sums/schemas")[0].json
    assert sent == {"input": {"type": "object"}, "expected_output": {"type": "string"}}
    assert json.loads(evalhub("schema", "sums").out) == now["schemas"]
    assert evalhub("schema", "sums", "--input", "{").code == 2


def test_a_refused_schema_tells_the_first_items_and_writes_the_whole_list(
    sums: ApiServer, evalhub: Evalhub, tmp_path: Path
) -> None:
    sums.answer("GET", "/datasets/sums/schemas", Reply({"version": 3, "schemas": {}, "job": None}))
    errors = [{"pointer": "/items/2/input", "detail": "3 is a number; text is needed."}]
    refused = problem(
        422, "1 of 3 items does not match.", errors=errors, kinds={"wrong type": 1}, job="6f1c"
    )
    sums.answer("PUT", "/datasets/sums/schemas", refused)
    sums.answer("GET", "/jobs/6f1c/problems", Reply(b"item,reason\n2,no\n"))
    file = tmp_path / "problems.csv"
    ran = evalhub("schema", "sums", "--input", '{"type": "string"}', "--problems", str(file))
    assert ran.code == 1
    assert "1 of 3 items does not match. Problems: wrong type 1." in ran.err
    assert "  /items/2/input: 3 is a number" in ran.err
    assert file.read_text() == "item,reason\n2,no\n"


def test_the_client_asks_for_a_version_by_label(sums: ApiServer) -> None:
    sums.answer("GET", "/datasets/sums/versions/release%204", Reply(version(3)))
    with Client(sums.url, "eh_x") as client:
        assert client.get_version("sums", "release 4")["number"] == 3
