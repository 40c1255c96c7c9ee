"""The command line against recorded answers: what is written where, and exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from evalhub_client import connect, waiting

from tests.client import recorded
from tests.client.api_server import ApiServer, Reply, listing, problem
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]

RUN_KEYS = ["id", "number", "status", "total_items", "total_results", "succeeded", "failed"]
RUN_KEYS += ["skipped", "scores", "latency_ms"]


@pytest.fixture
def sums(server: ApiServer) -> ApiServer:
    """The dataset sums is there."""
    server.answer("GET", "/datasets/sums", Reply(recorded.dataset()))
    return server


@pytest.fixture
def started(sums: ApiServer) -> ApiServer:
    """A run can be started."""
    sums.answer("POST", "/datasets/sums/runs", Reply(recorded.run("pending", done=0), 201))
    return sums


def run_route(server: ApiServer, *runs: dict[str, Any]) -> None:
    server.answer("GET", f"/datasets/runs/{recorded.run()['id']}", *map(Reply, runs))


# Usage


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "COMMAND"),
        (("improt", "f.csv"), "There is no command 'improt'"),
        (("import", "f.csv"), "--dataset"),
        (("import", "f.csv", "--dataset", "x", "--format", "xlsx"), "invalid choice: 'xlsx'"),
        (("run", "sums"), "--target"),
        (("run", "sums", "--target", "x", "--limit", "ten"), "invalid int value: 'ten'"),
        (("run", "sums", "--target", "x", "--timeout", "nan"), "no number of seconds"),
        (("compare", "1"), "RUN_B"),
        (("compare", "1", "../x"), "is no run"),
        (("results", "1", "--format", "csv", "--json"), "Choose one"),
        (("datasets", "--server", "localhost:8000"), "Write http://"),
        (("datasets", "--project", "Ü"), "is no project"),
        (("datasets", "--token", "eh_ü"), "Copy it again"),
        (("datasets", "\udcff"), "unrecognized arguments"),
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
    assert header.split() == ["Name", "Slug", "Version", "Items", "Updated"]
    assert header.index("Slug") == first.index("sums")
    assert second.startswith("漢字 [31m")  # no escape reaches the terminal
    assert first.split()[2:4] == ["v1", "1,319"]
    assert first.index("1,319") + 5 == second.index("    5") + 5 + 2  # two wide characters


def test_runs_and_targets_are_tables_too(server: ApiServer, evalhub: Evalhub) -> None:
    server.answer("GET", "/runs", listing(recorded.run(summary=None)))
    target = {"ref": "python:triage", "name": "triage", "kind": "workflow", "description": "Sorts."}
    server.answer("GET", "/targets", listing(target))
    assert "#7  triage on Sums  sums v1  python:triage  completed" in evalhub("runs").out
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


# Run


def test_run_without_wait_names_the_run_and_how_to_follow_it(
    started: ApiServer, evalhub: Evalhub
) -> None:
    ran = evalhub("run", "sums", "--target", "recorded:metadata.a")
    assert (ran.code, ran.err) == (0, "")
    assert "Run #7 started: 4 items." in ran.out
    assert "evalhub results 7" in ran.out
    (asked,) = started.requests("POST", "/datasets/sums/runs")
    assert asked.json == {"target": "recorded:metadata.a", "scorers": []}


def test_run_without_wait_says_when_nobody_is_there_to_do_it(
    started: ApiServer, evalhub: Evalhub
) -> None:
    started.answer("GET", "/workers", Reply({"alive": 0, "workers": []}))
    ran = evalhub("run", "sums", "--target", "x", "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["number"] == 7
    assert "No worker is alive on the server" in ran.err


def test_all_options_of_run_reach_the_api(started: ApiServer, evalhub: Evalhub) -> None:
    spec = {"use": "numeric_match", "name": "answer", "extract": r"A:\s*(.+)"}
    options = "--version 3 --concurrency 4 --timeout 1.5 --retries 0 --limit 10 --name First"
    scorers = ["--scorer", json.dumps(spec), "--scorer", "contains"]
    assert evalhub("run", "sums", "--target", "x", *options.split(), *scorers).code == 0
    (asked,) = started.requests("POST", "/datasets/sums/runs")
    assert asked.json == {
        "target": "x",
        "scorers": [spec, "contains"],
        "version": 3,
        "concurrency": 4,
        "timeout": 1.5,
        "retries": 0,
        "limit": 10,
        "name": "First",
    }


def test_a_waited_run_in_json_is_exactly_its_figures(started: ApiServer, evalhub: Evalhub) -> None:
    run_route(
        started,
        recorded.run("pending", done=0),
        recorded.run("running", done=2),
        recorded.run(),
    )
    ran = evalhub("run", "sums", "--target", "x", "--wait", "--json")
    assert ran.code == 0
    figures = json.loads(ran.out)
    assert list(figures) == RUN_KEYS
    assert figures["id"] == recorded.run()["id"]
    assert (figures["number"], figures["status"]) == (7, "completed")
    assert figures["scores"] == recorded.summary()["scores"]
    assert figures["latency_ms"] == {"p50": 12.0, "p95": 1840.0, "p99": 1900.0}


def test_progress_of_a_run_goes_to_standard_error_with_rate_and_time_left(
    started: ApiServer, evalhub: Evalhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalhub_client.progress.EVERY_S", 0.0)
    run_route(started, recorded.run("running", done=2), recorded.run())
    ran = evalhub("run", "sums", "--target", "x", "--wait")
    assert "Run #7: 2 of 4, 50.0%, 2.0 results/s, about 1 s left\n" in ran.err
    assert ran.err.endswith("Run #7: 4 of 4, 100.0%, 2.0 results/s\n")
    assert ran.out == (
        "Run #7 completed.\n"
        "4 items: 3 succeeded, 1 failed, 0 skipped.\n"
        "\n"
        "Scorer       n   Mean          95% CI  Passed  Errors  Not scored\n"
        "exact_match  3  66.7%  20.8% to 93.8%       2       0           0\n"
        "\n"
        "Latency: p50 12 ms, p95 1,840 ms, p99 1,900 ms.\n"
    )


@pytest.mark.parametrize(
    ("status", "said"), [("failed", "Run #7 failed. Every"), ("cancelled", "Run #7 was cancelled.")]
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_run_that_did_not_complete_is_exit_code_1_with_its_figures_and_its_reason(
    started: ApiServer, evalhub: Evalhub, status: str, said: str, options: tuple[str, ...]
) -> None:
    empty = {"p50": None, "p95": None, "p99": None}
    summary = recorded.summary(succeeded=0, failed=4, scores={}, latency_ms=empty)
    run_route(started, recorded.run(status, reason="Every one is an error.", summary=summary))
    ran = evalhub("run", "sums", "--target", "x", "--wait", *options)
    assert ran.code == 1
    assert status in ran.out
    assert f"evalhub: {said}" in ran.err


def test_waiting_on_a_server_without_a_worker_says_so_and_goes_on(
    started: ApiServer, evalhub: Evalhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "WATCH_S", 0.0)
    nobody, somebody = Reply({"alive": 0, "workers": []}), Reply({"alive": 1, "workers": []})
    started.answer("GET", "/workers", nobody, nobody, somebody)
    pending = recorded.run("pending", done=0)
    run_route(started, pending, pending, pending, recorded.run())
    ran = evalhub("run", "sums", "--target", "x", "--wait")
    assert ran.code == 0
    assert ran.err.count("No worker is alive on the server") == 1
    assert ran.err.count("A worker is alive on the server now") == 1


def test_ctrl_c_while_waiting_says_that_the_run_goes_on(
    started: ApiServer, evalhub: Evalhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_route(started, recorded.run("running", done=1))

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting.time, "sleep", interrupt)
    ran = evalhub("run", "sums", "--target", "x", "--wait")
    assert (ran.code, ran.out) == (130, "")
    assert "Run #7 goes on on the server" in ran.err


def test_each_field_at_fault_is_named_as_it_was_typed(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer(
        "POST",
        "/datasets/sums/runs",
        problem(
            422,
            "There is no target “x”.",
            ("/target", "There is no target “x”."),
            ("/scorers/1/extract", "Missing ) at position 3."),
            ("/limit", "At least 1."),
        ),
    )
    ran = evalhub("run", "sums", "--target", "x", "--wait")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "evalhub: --target: There is no target “x”.\n"
        "  --scorer 2, extract: Missing ) at position 3.\n"
        "  --limit: At least 1.\n"
    )


# Names of datasets


def test_a_dataset_can_be_given_by_its_name(started: ApiServer, evalhub: Evalhub) -> None:
    other = recorded.dataset("My sums!", "my-sums-2")
    started.answer("GET", "/datasets", listing(recorded.dataset(), other))
    started.answer("POST", "/datasets/my-sums-2/runs", Reply(recorded.run("pending"), 201))
    assert evalhub("run", "My  sums!", "--target", "x").code == 0
    assert len(started.requests("POST", "/datasets/my-sums-2/runs")) == 1


def test_a_name_that_two_datasets_have_lists_their_slugs(
    server: ApiServer, evalhub: Evalhub
) -> None:
    server.answer(
        "GET", "/datasets", listing(recorded.dataset(slug="s-1"), recorded.dataset(slug="s-2"))
    )
    ran = evalhub("run", "Sums", "--target", "x")
    assert ran.code == 1
    assert "2 datasets are named “Sums”" in ran.err
    assert "s-1, s-2" in ran.err


def test_an_unknown_dataset_is_said(server: ApiServer, evalhub: Evalhub) -> None:
    server.answer("GET", "/datasets", listing(recorded.dataset()))
    ran = evalhub("run", "nosuch", "--target", "x")
    assert (ran.code, ran.out) == (1, "")
    assert "There is no dataset “nosuch”" in ran.err


# Compare


def test_compare_in_json_is_exactly_pairing_and_scorers(
    server: ApiServer, evalhub: Evalhub
) -> None:
    scorer = recorded.compared_scorer(notes=["more than asked for"])
    server.answer("POST", "/datasets/compare", Reply(recorded.comparison(scorer)))
    ran = evalhub("compare", "#7", "8", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == {
        "pairing": recorded.comparison()["pairing"],
        "scorers": [recorded.compared_scorer()],
    }
    assert server.asked[0].json == {"runs": ["7", "8"]}


def test_compare_says_the_verdicts_then_the_figures_then_the_pairing(
    server: ApiServer, evalhub: Evalhub
) -> None:
    similar = recorded.compared_scorer(
        "similarity",
        kind="continuous",
        primary=False,
        delta=0.0,
        ci95=[-0.01, 0.01],
        p=0.9,
        q=0.00004,
        sentence="Cannot tell.",
    )
    server.answer(
        "POST",
        "/datasets/compare",
        Reply(recorded.comparison(recorded.compared_scorer(), similar, scorers_only_b=["late"])),
    )
    out = evalhub("compare", "7", "8").out
    lines = out.splitlines()
    assert lines[0] == "A  Run #7: first"
    assert lines[3].startswith("exact_match: Worse: −7.0 points")
    rows = [line.split("  ") for line in lines if line.startswith(("exact_match ", "similarity "))]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert cells == [
        [
            "exact_match",
            "78.5%",
            "71.5%",
            "−7.0",
            "−13.0 to −1.4",
            "p = 0.017",
            "10",
            "24",
            "1,166",
        ],
        [
            "similarity",
            "0.785",
            "0.715",
            "0.000",
            "−0.010 to +0.010",
            "q < 0.001",
            "10",
            "24",
            "1,166",
        ],
    ]
    assert "Pairing: 1,200 items in both, 1 only in A, 2 only in B, 3 with changed content." in out
    assert "4 errored in A, 5 errored in B, 6 not scored." in out
    assert "Only run B has late." in out


def test_a_comparison_without_figures_shows_dashes(server: ApiServer, evalhub: Evalhub) -> None:
    empty = {"n": 0, "mean": None, "ci95": None}
    scorer = recorded.compared_scorer(
        a=empty, b=empty, delta=None, ci95=None, p=None, sentence="Too few items."
    )
    server.answer("POST", "/datasets/compare", Reply(recorded.comparison(scorer, finished=False)))
    ran = evalhub("compare", "7", "8")
    assert ran.code == 0
    assert "A run has not ended yet" in ran.out
    assert ran.out.count("–") == 5


def test_an_unknown_run_is_the_message_of_the_api(server: ApiServer, evalhub: Evalhub) -> None:
    server.answer("POST", "/datasets/compare", problem(404, "There is no run “99”."))
    ran = evalhub("compare", "7", "99")
    assert (ran.code, ran.out, ran.err) == (1, "", "evalhub: There is no run “99”.\n")


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
