"""`evalhub bulk` and `evalhub undo`, and the client's methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from evalhub_client import Client

from tests.client.api_server import ApiServer, Reply, problem
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]

BULK = "/datasets/sums/items/bulk"


def done(**fields: Any) -> dict[str, Any]:
    plain = {"dataset": "sums", "version": 2, "job": None, "added": 0, "changed": 0, "removed": 0}
    return plain | {"there": 0, "skipped": []} | fields


def job(state: str, **fields: Any) -> dict[str, Any]:
    plain = {"id": "j1", "state": state, "active": state == "working", "done": 3, "total": 9}
    counts = {"added": 0, "changed": 0, "removed": 0, "there": 0, "problems": [], "message": ""}
    return plain | counts | {"version": None} | fields


@pytest.mark.parametrize(
    ("arguments", "selection", "action"),
    [
        (["--all", "--delete"], {"all": True}, {"type": "delete"}),
        (
            ["--where", "split = ''", "--except", "3", "--set-split", "test"],
            {"where": "split = ''", "except": [3]},
            {"type": "set_split", "split": "test"},
        ),
        (
            ["--q", "refund", "--split", "test", "--add-tag", "a", "--add-tag", "b"],
            {"q": "refund", "split": "test"},
            {"type": "add_tags", "tags": ["a", "b"]},
        ),
        (
            ["-i", "4", "--item", "7", "--remove-tag", "a"],
            {"numbers": [4, 7]},
            {"type": "remove_tags", "tags": ["a"]},
        ),
        (
            ["--all", "--copy-to", "sums", "--skip-conflicts"],
            {"all": True},
            {"type": "copy_to", "dataset": "sums", "on_conflict": "skip"},
        ),
        (["--all", "--new-dataset", "N"], {"all": True}, {"type": "copy_to", "new_dataset": "N"}),
        (["--all", "--move-to", "sums"], {"all": True}, {"type": "move_to", "dataset": "sums"}),
    ],
)
def test_what_is_typed_is_what_is_asked(
    arguments: list[str],
    selection: dict[str, Any],
    action: dict[str, Any],
    sums: ApiServer,
    evalhub: Evalhub,
) -> None:
    sums.answer("POST", BULK, Reply(done(changed=1_200)))
    ran = evalhub("bulk", "sums", *arguments, "--message", "Why")
    assert (ran.code, ran.out) == (0, "sums v2: 1,200 items changed.\n")
    (asked,) = sums.requests("POST", BULK)
    assert asked.json == {"selection": selection, "action": action, "message": "Why"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--delete"], "Say which items: --where, --q, --split, --item or --all."),
        (["--all", "--item", "1", "--delete"], "not by both"),
        (["--item", "1", "--except", "2", "--delete"], "--except leaves items out"),
        (["--all", "--delete", "--skip-conflicts"], "--skip-conflicts belongs to"),
        (["--all", "--delete", "--set-split", "x"], "not allowed with argument"),
        (["--all"], "is required"),
    ],
)
def test_an_unclear_command_is_refused_before_anything_is_asked(
    arguments: list[str], said: str, sums: ApiServer, evalhub: Evalhub
) -> None:
    ran = evalhub("bulk", "sums", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert sums.requests("POST", BULK) == []


def test_a_job_is_waited_for(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("POST", BULK, Reply(done(version=None, job=job("working")), 202))
    ended = job("done", removed=9, version=5)
    sums.answer("GET", "/jobs/j1", Reply(job("working")), Reply(ended))
    ran = evalhub("bulk", "sums", "--all", "--delete")
    assert (ran.code, ran.out) == (0, "sums v5: 9 items removed.\n")
    assert "3 of 9 items" in ran.err


def test_a_job_that_failed_is_an_error_with_its_reasons(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("POST", BULK, Reply(done(version=None, job=job("working")), 202))
    detail = "External id “x” of item #4 is taken."
    failed = job("failed", message="Taken.", problems=[{"pointer": "/4", "detail": detail}])
    sums.answer("GET", "/jobs/j1", Reply(failed))
    ran = evalhub("bulk", "sums", "--all", "--new-dataset", "N")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.endswith(f"  {detail}\nevalhub: Taken.\n")


def test_a_version_is_undone_or_the_reason_said(sums: ApiServer, evalhub: Evalhub) -> None:
    path = "/datasets/sums/versions/2/undo"
    sums.answer("POST", path, Reply(done(version=3, added=1)))
    assert evalhub("undo", "sums", "v2").out == "sums v3: 1 item added.\n"
    sums.answer("POST", path, problem(409, "Item #7 was changed again after v2."))
    ran = evalhub("undo", "sums", "2")
    assert (ran.code, ran.err) == (1, "evalhub: Item #7 was changed again after v2.\n")
    assert evalhub("undo", "sums", "last").code == 2


def test_what_was_left_out_is_told(sums: ApiServer, evalhub: Evalhub) -> None:
    skipped = [{"pointer": "/items/4/external_id", "detail": "Taken by item #2."}]
    sums.answer("POST", BULK, Reply(done(added=3, there=1, skipped=skipped)))
    ran = evalhub("bulk", "sums", "--all", "--new-dataset", "N", "--skip-conflicts")
    told = "sums v2: 3 items added. 1 item was there already. 1 item left out.\n"
    assert (ran.code, ran.out, ran.err) == (0, told, "  Taken by item #2.\n")
    sums.answer("POST", BULK, Reply(done(version=None)))
    nothing = evalhub("bulk", "sums", "--all", "--set-split", "")
    assert nothing.out == "Nothing changed, so there is no new version.\n"


def test_the_client_sends_batches_with_a_key_of_their_own(
    server: ApiServer, client: Client
) -> None:
    path = "/datasets/sums/items/batch"
    server.answer("POST", path, Reply({"version": 2, "numbers": [4]}))
    change = {"number": 1, "revision": 7, "split": "test"}
    client.batch_items("sums", add=[{"input": 1}], update=[change], delete=[3, {"number": 2}])
    client.batch_items("sums", delete=[3], message="Why", idempotency_key="mine")
    first, second = server.requests("POST", path)
    assert first.json == {"add": [{"input": 1}], "update": [change], "delete": [3, {"number": 2}]}
    assert second.json == {"delete": [3], "message": "Why"}
    keys = [asked.headers["idempotency-key"] for asked in (first, second)]
    assert (len(keys[0]), keys[1]) == (32, "mine")


def test_the_client_follows_and_cancels_jobs(
    server: ApiServer, client: Client, short_polls: None
) -> None:
    server.answer("GET", "/jobs/j1", Reply(job("working")), Reply(job("done")))
    seen: list[str] = []
    ended = client.wait_for_job("j1", on_poll=lambda found: seen.append(found["state"]))
    assert (ended["state"], seen) == ("done", ["working", "done"])
    server.answer("POST", "/jobs/j1/cancel", Reply(job("cancelled")))
    assert client.cancel_job("j1")["state"] == "cancelled"
