"""`evalhub pause`, `resume`, `retry`, `rescore` and `delete-run`, and the client's methods."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from evalhub_client import Client

from tests.client import recorded
from tests.client.api_server import ApiServer, Reply, listing, problem
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]

RUN = "/datasets/runs/7"
BY_ID = f"/datasets/runs/{recorded.run()['id']}"


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("pause", "running", "Run #7 paused. Calls in flight end; `evalhub resume 7` goes on."),
        ("resume", "running", "Run #7 goes on."),
        ("retry", "running", "Run #7 is open again."),
    ],
)
def test_a_command_asks_for_its_change_and_says_what_it_did(
    server: ApiServer, evalhub: Evalhub, command: str, status: str, said: str
) -> None:
    server.answer("POST", f"{RUN}/{command}", Reply(recorded.run(status, done=1)))
    ran = evalhub(command, "#7")
    assert (ran.code, ran.out) == (0, f"{said}\n")
    assert len(server.requests("POST", f"{RUN}/{command}")) == 1
    answered = json.loads(evalhub(command, "7", "--json").out)
    assert answered["number"] == 7


def test_what_the_server_refuses_is_said(server: ApiServer, evalhub: Evalhub) -> None:
    server.answer("POST", f"{RUN}/retry", problem(409, "Run #7 is running."))
    ran = evalhub("retry", "7")
    assert (ran.code, ran.out, ran.err) == (1, "", "evalhub: Run #7 is running.\n")


def test_a_waited_retry_gives_the_figures(server: ApiServer, evalhub: Evalhub) -> None:
    server.answer("POST", f"{RUN}/retry", Reply(recorded.run("running", done=3)))
    server.answer("GET", BY_ID, Reply(recorded.run("running", done=3)), Reply(recorded.run()))
    ran = evalhub("retry", "7", "--wait")
    assert ran.code == 0
    assert ran.out.startswith("Run #7 completed.")


def test_a_rescore_names_its_scorers_and_can_be_waited_for(
    server: ApiServer, evalhub: Evalhub
) -> None:
    under_way = recorded.run(rescore={"scorers": ["contains"], "done": 1, "total": 3})
    server.answer("POST", f"{RUN}/rescore", Reply(under_way))
    server.answer("GET", BY_ID, Reply(under_way), Reply(recorded.run()))
    spec = {"use": "contains", "name": "has"}
    ran = evalhub(
        *("rescore", "7", "--scorer", json.dumps(spec), "--scorer", "regex"), "--replace", "--wait"
    )
    assert ran.code == 0
    assert "1 of 3 results scored again" in ran.err
    assert ran.out.startswith("Run #7 completed.")
    (asked,) = server.requests("POST", f"{RUN}/rescore")
    assert asked.json == {"scorers": [spec, "regex"], "mode": "replace"}


def test_a_scorer_that_is_refused_is_named_as_it_was_typed(
    server: ApiServer, evalhub: Evalhub
) -> None:
    detail = "There is no scorer “x”."
    server.answer("POST", f"{RUN}/rescore", problem(422, detail, ("/scorers/0/use", detail)))
    ran = evalhub("rescore", "7", "--scorer", "x")
    assert (ran.code, ran.err) == (1, f"evalhub: --scorer 1, use: {detail}\n")
    (asked,) = server.requests("POST", f"{RUN}/rescore")
    assert asked.json == {"scorers": ["x"], "mode": "add"}


def test_a_run_is_deleted(server: ApiServer, evalhub: Evalhub) -> None:
    server.answer("GET", RUN, Reply(recorded.run()))
    server.answer("DELETE", BY_ID, Reply(None, 204))
    assert evalhub("delete-run", "7").out == "Run #7 is deleted.\n"
    assert len(server.requests("DELETE", BY_ID)) == 1


def test_the_client_lists_what_happened_to_a_run(server: ApiServer, client: Client) -> None:
    event = {"at": "2026-01-01T00:00:00+00:00", "kind": "paused", "seats": None, "message": "P."}
    server.answer("GET", f"{RUN}/events", listing(event))
    assert list(client.list_run_events(7)) == [event]
