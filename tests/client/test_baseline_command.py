"""`evalhub baseline`, and the client's methods for it."""

from __future__ import annotations

import json
from collections.abc import Callable

from evalhub_client import Client

from tests.client.api_server import ApiServer, Reply
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]

NONE = {"dataset": "sums", "run": None, "id": None, "name": None}
SEVEN = {"dataset": "sums", "run": 7, "id": "u-7", "name": "gpt-small on Sums"}


def test_a_run_is_pinned_by_its_number(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("PUT", "/datasets/sums/baseline", Reply(SEVEN))
    ran = evalhub("baseline", "sums", "#7")
    assert (ran.code, ran.out) == (0, "The baseline of Sums is run #7, gpt-small on Sums.\n")
    (sent,) = sums.requests("PUT", "/datasets/sums/baseline")
    assert sent.json == {"run": "7"}


def test_without_a_run_it_is_shown(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("GET", "/datasets/sums/baseline", Reply(NONE))
    assert evalhub("baseline", "sums").out == "Sums has no baseline.\n"
    assert json.loads(evalhub("baseline", "sums", "--json").out) == NONE
    assert sums.requests("PUT", "/datasets/sums/baseline") == []


def test_it_is_unpinned_by_none(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("PUT", "/datasets/sums/baseline", Reply(NONE))
    assert evalhub("baseline", "sums", "--none").out == "Sums has no baseline.\n"
    (sent,) = sums.requests("PUT", "/datasets/sums/baseline")
    assert sent.json == {"run": None}
    assert evalhub("baseline", "sums", "7", "--none").code == 2


def test_the_client_asks_what_a_run_changed(server: ApiServer, client: Client) -> None:
    server.answer("GET", "/datasets/runs/7/change", Reply({"baseline": 3, "scorers": {}}))
    assert client.get_change(7) == {"baseline": 3, "scorers": {}}
