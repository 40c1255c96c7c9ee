"""The command line against recorded answers: what is written where, and exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client import recorded
from tests.client.api_server import ApiServer, Reply, listing, problem
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]


# Usage


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "COMMAND"),
        (("improt", "f.csv"), "There is no command 'improt'"),
        (("import", "f.csv"), "--dataset"),
        (("import", "f.csv", "--dataset", "x", "--format", "xlsx"), "invalid choice: 'xlsx'"),
        (("run", "sums", "--target", "x", "--limit", "ten"), "invalid int value: 'ten'"),
        (("run", "sums", "--target", "x", "--timeout", "nan"), "no finite number"),
        (("run", "sums", "--target", "x", "--failed-of", "last"), "no number of a run"),
        (("run", "sums", "--target", "x", "--context", "[1]"), "--context is a JSON object"),
        (("run", "sums", "--target", "x", "--context", '{"a": 1e999}'), "1e999 is too large"),
        (("run", "sums", "--target", "x", "--context", '{"a": -1e999}'), "-1e999 is too large"),
        (("rescore", "1", "--scorer", '{"use": "x", "tolerance": 1e400}'), "1e400 is too large"),
        (("try", "t", "--input", "1e999"), "1e999 is too large"),
        (("try", "t", "--input", "[" * 100_000), "nested too deeply"),
        (("targets", "save", "x", "--config", "[1]"), "--config is a JSON object"),
        (("targets", "test", "x", "--input", "[1e999]"), "1e999 is too large"),
        (("connections", "create", "x"), "--base-url"),
        (("connections", "improve"), "invalid choice: 'improve'"),
        (("rescore", "1"), "--scorer"),
        (("pause", "../x"), "is no run"),
        (("compare", "1"), "RUN_B"),
        (("compare", "1", "../x"), "is no run"),
        (("results", "1", "--format", "csv", "--json"), "Choose one"),
        (("datasets", "--server", "localhost:8000"), "Write http://"),
        (("datasets", "--project", "Ü"), "is no project"),
        (("datasets", "--token", "eh_ü"), "Copy it again"),
        (("datasets", "\udcff"), "invalid choice"),
        (("run", "\udcff", "--target", "x"), "not valid UTF-8"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_asks_nothing_of_the_server(
    server: ApiServer, evalhub: Evalhub, arguments: tuple[str, ...], said: str
) -> None:
    ran = evalhub(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("evalhub: ")
    assert said in ran.err
    assert server.asked == []


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ('{"use": "regex",}', "at line 1, column 17"),
        (r'{"use": "regex", "extract": "A:\s*(.+)"}', "a backslash is written twice"),
        ('{"use": "numeric_match", "tolerance": NaN}', "NaN is no JSON number"),
        ('  {"use"', "not valid JSON"),
    ],
)
def test_a_scorer_that_begins_like_an_object_and_is_none_is_wrong_usage(
    server: ApiServer, evalhub: Evalhub, spec: str, said: str
) -> None:
    ran = evalhub("run", "sums", "--target", "x", "--scorer", spec)
    assert ran.code == 2
    assert said in ran.err
    assert server.asked == []


def test_a_token_without_a_server_is_wrong_usage(
    evalhub: Evalhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVALHUB_SERVER")
    ran = evalhub("datasets", "--token", "eh_x")
    assert ran.code == 2
    assert "--server URL" in ran.err


def test_a_server_without_a_token_is_wrong_usage(
    evalhub: Evalhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVALHUB_TOKEN")
    ran = evalhub("datasets")
    assert ran.code == 2
    assert "EVALHUB_TOKEN" in ran.err


def test_help_and_version_go_to_standard_output(evalhub: Evalhub) -> None:
    shown = evalhub("--help")
    assert shown.code == 0
    for command in ("import", "run", "compare", "runs", "datasets", "results", "targets"):
        assert f"\n    {command} " in shown.out
    version = evalhub("--version")
    assert version.code == 0
    assert version.out.startswith("evalhub 0.")


# Where to, and as whom


def test_options_win_over_the_environment_before_and_after_the_command(
    server: ApiServer, evalhub: Evalhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVALHUB_SERVER", "http://127.0.0.1:9")
    monkeypatch.setenv("EVALHUB_TOKEN", "wrong")
    server.answer("GET", "/datasets", listing())
    before = evalhub("--server", server.url, "--token", "one", "--json", "datasets")
    after = evalhub("datasets", "--json", "--token", "two", "--server", server.url)
    assert (before.code, before.out) == (after.code, after.out) == (0, "[]\n")
    tokens = [asked.headers["authorization"] for asked in server.asked]
    assert tokens == ["Bearer one", "Bearer two"]


def test_a_token_of_another_project_than_the_one_named_is_an_error(
    server: ApiServer, evalhub: Evalhub
) -> None:
    server.answer("GET", "/me", Reply({"project": {"slug": "billing", "name": "Billing"}}))
    ran = evalhub("datasets", "--project", "support")
    assert ran.code == 1
    assert "belongs to the project billing, not to support" in ran.err


def test_a_server_that_is_not_there_is_one_line_and_exit_code_1(evalhub: Evalhub) -> None:
    ran = evalhub("datasets", "--server", "http://127.0.0.1:9")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("evalhub: Cannot reach http://127.0.0.1:9: ")
    assert ran.err.count("\n") == 1


def test_a_refused_token_says_where_to_give_one(server: ApiServer, evalhub: Evalhub) -> None:
    server.answer("GET", "/runs", problem(401, "This API token is unknown."))
    ran = evalhub("runs")
    assert ran.code == 1
    assert "evalhub: This API token is unknown.\n  Give a token" in ran.err


# Lists


def test_datasets_are_an_aligned_table(server: ApiServer, evalhub: Evalhub) -> None:
    server.answer(
        "GET",
        "/datasets",
        listing(recorded.dataset(), next_cursor="azE"),
        listing(recorded.dataset("漢字\x1b[31m", "kanji", item_count=5)),
    )
    ran = evalhub("datasets")
    assert (ran.code, ran.err) == (0, "")
    header, first, second = ran.out.splitlines()
    assert header.split() == ["Name", "Slug", "Version", "Items", "Updated", "Tags"]
    assert header.index("Slug") == first.index("sums")
    assert second.startswith("漢字 [31m")  # no escape reaches the terminal
    assert first.split()[2:4] == ["v1", "1,319"]
    assert first.index("1,319") + 5 == second.index("    5") + 5 + 2  # two wide characters


def test_runs_and_targets_are_tables_too(server: ApiServer, evalhub: Evalhub) -> None:
    failed = recorded.run()["progress"] | {"failed": 2}
    server.answer(
        "GET",
        "/runs",
        listing(
            recorded.run(),
            recorded.run("running", done=1),
            recorded.run("running", done=3, paused_at="2025-01-05T10:00:01+00:00"),
            recorded.run("failed", progress=failed),
        ),
    )
    target = {"ref": "python:triage", "name": "triage", "kind": "workflow", "description": "Sorts."}
    server.answer("GET", "/targets", listing(target))
    lines = evalhub("runs").out.splitlines()[1:]
    states = ["completed", "running 25%", "paused 75%", "failed, 2 errors"]
    for line, state in zip(lines, states, strict=True):
        assert f"#7  triage on Sums  sums v1  python:triage  {state}  " in line
    assert "python:triage  triage  workflow  Sorts." in evalhub("targets").out


def test_lists_in_json_are_the_entries_of_the_api(server: ApiServer, evalhub: Evalhub) -> None:
    server.answer("GET", "/runs", listing(recorded.run(), next_cursor="azE"), listing({"n": "ü"}))
    ran = evalhub("runs", "--json")
    assert json.loads(ran.out) == [recorded.run(), {"n": "ü"}]
    assert "ü" in ran.out


@pytest.mark.parametrize(
    ("command", "path", "said"),
    [("datasets", "/datasets", "evalhub import"), ("runs", "/runs", "evalhub run")],
)
def test_an_empty_list_says_how_to_begin(
    server: ApiServer, evalhub: Evalhub, command: str, path: str, said: str
) -> None:
    server.answer("GET", path, listing())
    assert said in evalhub(command).out
    assert evalhub(command, "--json").out == "[]\n"


# Server commands


def test_a_command_of_the_server_package_gets_the_rest_of_the_arguments(
    evalhub: Evalhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evalhub_client import server_commands

    class Entry:
        name = "up"

        def load(self) -> Callable[[list[str]], int]:
            return lambda arguments: 7 if arguments == ["--port", "9000"] else 1

    def installed(**wanted: str) -> list[Entry]:
        assert wanted["group"] == "evalhub.server_commands"
        return [Entry()] if wanted.get("name", "up") == "up" else []

    monkeypatch.setattr(server_commands, "entry_points", installed)
    assert evalhub("up", "--port", "9000").code == 7
    assert evalhub("down").code == 2
    assert "Commands that run or mend a server: up." in evalhub("--help").out


def test_standard_output_is_utf_8_wherever_it_goes(
    server: ApiServer, evalhub: Evalhub, tmp_path: Path
) -> None:
    server.answer("GET", "/targets", listing({"ref": "half \ud800", "name": "−"}))
    out = evalhub("targets", "--json").out
    assert json.loads(out) == [{"ref": "half \ud800", "name": "−"}]
