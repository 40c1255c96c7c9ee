"""`evalhub try`, and the client's methods for trials, against recorded answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from evalhub_client import Client

from tests.client.api_server import ApiServer, Reply, problem
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]

ID = "6f1c2b1e-0000-4000-8000-0000000000cc"
SCORE = {"state": "scored", "value": 0.0, "passed": False, "reason": "priority is 2, expected 1."}


def trial(status: str = "completed", **other: Any) -> dict[str, Any]:
    """A trial as the API gives it."""
    over = status == "completed"
    return {
        "id": ID,
        "status": status,
        "reason": "",
        "waiting_for_worker": False,
        "target": {"ref": "triage", "name": "Triage"},
        "input": {"subject": "x"},
        "error": None,
        "scores": {"exact_match": SCORE} if over else {},
        "latency_ms": 1320.0 if over else None,
        "input_tokens": 412 if over else None,
        "output_tokens": 58 if over else None,
        "cost_usd": 0.0009 if over else None,
        **({"output": {"queue": "technical", "priority": 2}} if over else {}),
    } | other


@pytest.fixture
def trying(server: ApiServer) -> ApiServer:
    """A trial can be started; it is over at the second look."""
    server.answer("POST", "/playground", Reply(trial("pending"), 201))
    server.answer("GET", f"/playground/{ID}", Reply(trial("running")), Reply(trial()))
    return server


def test_output_scores_and_what_it_took_are_printed(trying: ApiServer, evalhub: Evalhub) -> None:
    ran = evalhub("try", "triage", "--input", '{"subject": "x"}', "--scorer", "exact_match")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "{\n"
        '  "queue": "technical",\n'
        '  "priority": 2\n'
        "}\n"
        "\n"
        "Scorer       Score  Passed  Reason\n"
        "exact_match      0  no      priority is 2, expected 1.\n"
        "\n"
        "Latency: 1,320 ms, tokens: 412 in, 58 out, cost: $0.0009.\n"
    )
    (asked,) = trying.requests("POST", "/playground")
    assert asked.json == {
        "target": "triage",
        "input": {"subject": "x"},
        "scorers": ["exact_match"],
    }


def test_values_are_json_files_or_plain_text(
    trying: ApiServer, evalhub: Evalhub, tmp_path: Path
) -> None:
    file = tmp_path / "ticket.json"
    file.write_text('\ufeff{"subject": "ä"}', encoding="utf-8")
    evalhub(
        *("try", "t", "--input", f"@{file}", "--expected", "null", "--context", '{"l": "en"}'),
        *("--scorer", '{"use": "contains", "name": "c"}'),
    )
    evalhub("try", "t", "--input", "How much is it?", "--expected", "42")
    first, second = trying.requests("POST", "/playground")
    assert first.json == {
        "target": "t",
        "input": {"subject": "ä"},
        "expected_output": None,
        "context": {"l": "en"},
        "scorers": [{"use": "contains", "name": "c"}],
    }
    assert (second.json["input"], second.json["expected_output"]) == ("How much is it?", 42)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("try", "t"), "--input"),
        (("try", "t", "--input", '{"a":'), "--input is not valid JSON"),
        (("try", "t", "--input", "[NaN]"), "NaN is no JSON number"),
        (("try", "t", "--input", "1", "--context", "[1]"), "--context is a JSON object"),
        (("try", "t", "--input", "@/no/such/file"), "cannot be read"),
    ],
)
def test_a_value_that_cannot_be_meant_asks_nothing_of_the_server(
    trying: ApiServer, evalhub: Evalhub, arguments: tuple[str, ...], said: str
) -> None:
    ran = evalhub(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert trying.asked == []


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (
            trial("failed", error={"type": "timeout", "message": "No answer in 60 s."}),
            "evalhub: timeout: No answer in 60 s.\n",
        ),
        (trial("failed", reason="The run could not be set up: x"), "could not be set up"),
        (trial("cancelled"), "The trial was cancelled."),
    ],
)
def test_a_trial_without_an_output_is_exit_code_1(
    trying: ApiServer, evalhub: Evalhub, ended: dict[str, Any], said: str
) -> None:
    trying.answer("GET", f"/playground/{ID}", Reply(ended))
    ran = evalhub("try", "t", "--input", "1")
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err
    ran = evalhub("try", "t", "--input", "1", "--json")
    assert ran.code == 1
    assert json.loads(ran.out) == ended


def test_what_the_server_refuses_is_named_as_it_was_typed(
    trying: ApiServer, evalhub: Evalhub
) -> None:
    no_target = "There is no target “x”."
    trying.answer("POST", "/playground", problem(422, no_target, ("/target", no_target)))
    ran = evalhub("try", "x", "--input", "1")
    assert (ran.code, ran.err) == (1, f"evalhub: TARGET: {no_target}\n")


def test_ctrl_c_stops_the_trial(
    trying: ApiServer, evalhub: Evalhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    trying.answer("POST", f"/playground/{ID}/cancel", Reply(trial("cancelled")))

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("evalhub_client.waiting.time.sleep", interrupt)
    ran = evalhub("try", "t", "--input", "1")
    assert (ran.code, ran.out) == (130, "")
    assert len(trying.requests("POST", f"/playground/{ID}/cancel")) == 1


def test_the_client_tries_waits_and_cancels(
    trying: ApiServer, client: Client, short_polls: None
) -> None:
    made = client.try_target("t", None, metadata={"topic": "sum"}, timeout=5)
    assert client.wait_for_trial(made["id"])["status"] == "completed"
    (asked,) = trying.requests("POST", "/playground")
    assert asked.json == {
        "target": "t",
        "input": None,
        "metadata": {"topic": "sum"},
        "timeout": 5,
        "scorers": [],
    }
    trying.answer("POST", f"/playground/{ID}/cancel", Reply(trial("running")))
    assert client.cancel_trial(ID)["id"] == ID
