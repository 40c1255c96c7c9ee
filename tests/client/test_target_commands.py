"""`evalhub connections`, `targets` and `recordings`, against recorded answers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.client.api_server import ApiServer, Reply, listing, problem
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]

AT = "2026-01-02T03:04:05+00:00"
CONNECTION = {
    "id": "openai",
    "name": "OpenAI",
    "base_url": "https://api.example.org/v1",
    "key": "env:OPENAI_API_KEY",
    "requests_per_minute": 1500,
    "tokens_per_minute": None,
}
CONFIG = {"connection": "openai", "model": "m"}
TARGET = {
    "ref": "mini",
    "id": "mini",
    "name": "Mini",
    "kind": "agent",
    "transport": "chat",
    "description": "Small.",
    "version": "2",
    "config": CONFIG,
    "created_at": AT,
    "updated_at": AT,
}
TRIAL = "6f1c2b1e-0000-4000-8000-0000000000cc"


def trial(**other: Any) -> dict[str, Any]:
    """A test as the API gives it once it is over."""
    request = {"method": "POST", "url": "https://x/y", "body": '{"q": "1+1"}'}
    span = {"name": "chat m", "ms": 245.0, "data": {"request": request, "response": "two\x1b"}}
    made = {
        "id": TRIAL,
        "status": "completed",
        "reason": "",
        "error": None,
        "spans": [{"name": "try 1"}, span],
        "latency_ms": 245.0,
        "input_tokens": None,
        "output_tokens": None,
        "cost_usd": None,
        "output": {"answer": 2},
    }
    return made | other


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def type_in(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return type_in


# Connections


def test_connections_are_a_table_without_keys(server: ApiServer, evalhub: Evalhub) -> None:
    without = CONNECTION | {"id": "local", "name": "Local", "key": None}
    server.answer("GET", "/connections", listing(CONNECTION, without))
    rows = evalhub("connections").out.splitlines()
    assert rows[0].split() == ["Name", "Slug", "Base", "URL", "Key", "Requests/min", "Tokens/min"]
    assert "env:OPENAI_API_KEY         1,500           –" in rows[1]
    assert "none" in rows[2]
    assert json.loads(evalhub("connections", "list", "--json").out)[0] == CONNECTION


@pytest.mark.parametrize(
    ("arguments", "typed", "sent"),
    [
        ((), "", {}),
        (("--key-env", "OPENAI_API_KEY"), "", {"key": "env:OPENAI_API_KEY"}),
        (("--key-stdin",), "sk-secret\n", {"key": "sk-secret"}),
        (("--requests-per-minute", "60"), "", {"requests_per_minute": 60}),
    ],
)
def test_a_connection_is_made_with_a_key_from_elsewhere(
    server: ApiServer,
    evalhub: Evalhub,
    keyboard: Callable[[str], None],
    arguments: tuple[str, ...],
    typed: str,
    sent: dict[str, Any],
) -> None:
    server.answer("POST", "/connections", Reply(CONNECTION, 201))
    keyboard(typed)
    ran = evalhub("connections", "create", "OpenAI", "--base-url", "https://a/v1", *arguments)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "The connection OpenAI is made. Targets name it as openai.\n"
    (asked,) = server.requests("POST", "/connections")
    assert asked.json == {"name": "OpenAI", "base_url": "https://a/v1"} | sent


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ((), {}),
        (("--name", "New"), {"name": "New"}),
        (("--no-key",), {"key": None}),
        (("--tokens-per-minute", "0"), {"tokens_per_minute": None}),
    ],
)
def test_a_changed_connection_keeps_what_is_not_named(
    server: ApiServer, evalhub: Evalhub, arguments: tuple[str, ...], sent: dict[str, Any]
) -> None:
    server.answer("PUT", "/connections/openai", Reply(CONNECTION))
    assert evalhub("connections", "update", "openai", *arguments).code == 0
    (asked,) = server.requests("PUT", "/connections/openai")
    assert asked.json == sent


def test_a_key_is_never_an_argument_and_never_empty(
    server: ApiServer, evalhub: Evalhub, keyboard: Callable[[str], None]
) -> None:
    create = ("connections", "create", "X", "--base-url", "https://a/v1")
    assert evalhub(*create, "--key", "sk-secret").code == 2
    assert evalhub(*create, "--key-stdin", "--key-env", "X_API_KEY").code == 2
    keyboard("\n")
    ran = evalhub(*create, "--key-stdin")
    assert (ran.code, server.asked) == (2, [])
    assert "There is no key on standard input" in ran.err


def test_a_key_that_is_refused_is_named(server: ApiServer, evalhub: Evalhub) -> None:
    detail = "FOO does not end in _API_KEY."
    server.answer("POST", "/connections", problem(422, detail, ("/key", detail)))
    ran = evalhub("connections", "create", "X", "--base-url", "https://a", "--key-env", "FOO")
    assert (ran.code, ran.err) == (1, f"evalhub: the key: {detail}\n")


@pytest.mark.parametrize(
    ("command", "path", "said"),
    [
        ("connections", "/connections/openai", "The connection openai is deleted.\n"),
        ("targets", "/targets/openai", "The target openai is deleted. Its runs stay.\n"),
        ("recordings", "/recordings/openai", "The recording openai is deleted.\n"),
    ],
)
def test_deleting_says_what_is_gone(
    server: ApiServer, evalhub: Evalhub, command: str, path: str, said: str
) -> None:
    server.answer("DELETE", path, Reply(None, 204), Reply(None, 204), problem(409, "In use."))
    assert evalhub(command, "delete", "openai").out == said
    answered = evalhub(command, "delete", "openai", "--json").out
    assert json.loads(answered) == {"id": "openai", "deleted": True}
    ran = evalhub(command, "delete", "openai")
    assert (ran.code, ran.out, ran.err) == (1, "", "evalhub: In use.\n")


# Targets


def test_a_new_target_is_saved_from_a_file(
    server: ApiServer, evalhub: Evalhub, tmp_path: Path
) -> None:
    server.answer("GET", "/targets", listing())
    server.answer("POST", "/targets", Reply(TARGET | {"version": "1"}, 201))
    file = tmp_path / "mini.json"
    file.write_text(json.dumps(CONFIG))
    ran = evalhub(
        *("targets", "save", "Mini", "--kind", "agent", "--transport", "chat"),
        *("--config", f"@{file}", "--message", "First"),
    )
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "Mini is saved as version 1. Run it with --target mini\n"
    (asked,) = server.requests("POST", "/targets")
    kind = {"name": "Mini", "kind": "agent", "transport": "chat"}
    assert asked.json == kind | {"config": CONFIG, "message": "First"}


@pytest.mark.parametrize("name", ["mini", "Mini", " Mini "])
def test_saving_one_that_is_there_makes_a_version_of_it(
    server: ApiServer, evalhub: Evalhub, name: str
) -> None:
    registered = TARGET | {"ref": "python:mini", "id": "mini2"}
    server.answer("GET", "/targets", listing(registered, TARGET))
    server.answer("GET", "/targets/mini", Reply(TARGET))
    server.answer("PUT", "/targets/mini", Reply(TARGET | {"version": "3"}), Reply(TARGET))
    save = ("targets", "save", name, "--config", json.dumps(CONFIG))
    assert evalhub(*save).out.startswith("Mini is saved as version 3.")
    assert evalhub(*save).out.startswith("Mini is still at version 2.")
    assert server.requests("PUT", "/targets/mini")[0].json == {"config": CONFIG}


def test_what_cannot_be_saved_is_said_before_anything_changes(
    server: ApiServer, evalhub: Evalhub
) -> None:
    server.answer("GET", "/targets", listing())
    ran = evalhub("targets", "save", "New one", "--config", "{}")
    assert ran.code == 2
    assert "“New one” is new: say its --kind and --transport." in ran.err
    server.answer("GET", "/targets/mini", Reply(TARGET))
    ran = evalhub("targets", "save", "mini", "--config", "{}", "--kind", "scorer")
    assert ran.code == 1
    assert "The kind of Mini is agent and stays." in ran.err
    assert {one.method for one in server.asked} == {"GET"}


def test_a_part_of_the_configuration_that_is_refused_is_named(
    server: ApiServer, evalhub: Evalhub
) -> None:
    detail = "Name the model."
    server.answer("GET", "/targets/mini", Reply(TARGET))
    server.answer("PUT", "/targets/mini", problem(422, detail, ("/config/model", detail)))
    ran = evalhub("targets", "save", "mini", "--config", "{}")
    assert (ran.code, ran.err) == (1, f"evalhub: --config, model: {detail}\n")


def test_a_target_is_shown_with_its_configuration_and_its_versions(
    server: ApiServer, evalhub: Evalhub
) -> None:
    server.answer("GET", "/targets/mini", Reply(TARGET))
    shown = evalhub("targets", "show", "mini").out
    assert shown.startswith("Mini, agent, chat\nSmall.\nVersion 2, ")
    assert json.loads(shown[shown.index("{") :]) == CONFIG
    versions = [
        {"version": 2, "config": {}, "message": "Other", "author": "ada", "created_at": AT},
        {"version": 1, "config": {}, "message": "", "author": None, "created_at": AT},
    ]
    server.answer("GET", "/targets/mini/versions", listing(*versions))
    rows = evalhub("targets", "versions", "mini").out.splitlines()
    assert rows[1].split() == ["2", *rows[1].split()[1:3], "ada", "Other"]
    assert rows[2].lstrip().startswith("1 ")


def test_a_test_waits_and_shows_request_response_and_timing(
    server: ApiServer, evalhub: Evalhub
) -> None:
    server.answer("POST", "/targets/mini/check", Reply({"id": TRIAL, "status": "pending"}, 201))
    running = trial(status="running", spans=[])
    server.answer("GET", f"/playground/{TRIAL}", Reply(running), Reply(trial()))
    ran = evalhub("targets", "test", "mini", "--input", '{"q": "1+1"}', "--metadata", '{"t": 1}')
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "Request (chat m):\n"
        "{\n"
        '  "method": "POST",\n'
        '  "url": "https://x/y",\n'
        '  "body": {\n'
        '    "q": "1+1"\n'
        "  }\n"
        "}\n"
        "\n"
        "Response after 245 ms:\n"
        "two \n"
        "\n"
        "Output:\n"
        "{\n"
        '  "answer": 2\n'
        "}\n"
        "\n"
        "Latency: 245 ms.\n"
    )
    (asked,) = server.requests("POST", "/targets/mini/check")
    assert asked.json == {"input": {"q": "1+1"}, "metadata": {"t": 1}}


def test_a_failed_test_shows_the_exchange_and_is_exit_code_1(
    server: ApiServer, evalhub: Evalhub
) -> None:
    error = {"type": "http_status", "message": "The server said 500."}
    server.answer("POST", "/targets/mini/check", Reply({"id": TRIAL, "status": "pending"}, 201))
    failed = trial(status="failed", error=error)
    nothing_sent = trial(status="failed", error=error, spans=[])
    server.answer("GET", f"/playground/{TRIAL}", Reply(failed), Reply(nothing_sent))
    ran = evalhub("targets", "test", "mini", "--input", "1")
    assert (ran.code, ran.err) == (1, "evalhub: http_status: The server said 500.\n")
    assert "Response after 245 ms:" in ran.out
    assert "Output:" not in ran.out
    assert evalhub("targets", "test", "mini", "--input", "1").out == ""


# Recordings


def test_a_recording_is_uploaded_and_named(
    server: ApiServer, evalhub: Evalhub, tmp_path: Path
) -> None:
    made = {"ref": "file:last-week", "id": "last-week", "name": "Last week", "rows": 2}
    made |= {"key_field": "number", "created_at": AT}
    server.answer("POST", "/recordings", Reply(made, 201))
    server.answer("GET", "/recordings", listing(made), listing())
    file = tmp_path / "answers.csv"
    file.write_text("n,a\n1,x\n2,y\n")
    options = ("--name", "Last week", "--key", "n", "--output", "a")
    ran = evalhub("recordings", "upload", str(file), *options, "--key-field", "number")
    assert ran.out == "2 outputs recorded. Run with --target file:last-week\n"
    (asked,) = server.requests("POST", "/recordings")
    assert b"n,a\n1,x\n2,y\n" in asked.body
    assert b'name="key_column"\r\n\r\nn\r\n' in asked.body
    assert b'name="read_as"' not in asked.body
    assert "file:last-week  number        2" in evalhub("recordings").out
    assert evalhub("recordings").out == "No recordings yet.\n"
    ran = evalhub("recordings", "upload", str(tmp_path / "none.csv"), *options)
    assert ran.code == 2
    assert "cannot be read" in ran.err
