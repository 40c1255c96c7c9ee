"""`evalhub run` against recorded answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from evalhub_client import connect, waiting

from tests.client import recorded
from tests.client.api_server import ApiServer, Reply, listing, problem
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]

RUN_KEYS = ["id", "number", "status", "total_items", "total_results", "succeeded", "failed"]
RUN_KEYS += ["skipped", "scores", "latency_ms"]


def run_route(server: ApiServer, *runs: dict[str, Any]) -> None:
    server.answer("GET", f"/datasets/runs/{recorded.run()['id']}", *map(Reply, runs))


def test_run_without_wait_names_the_run_and_how_to_follow_it(
    started: ApiServer, evalhub: Evalhub
) -> None:
    ran = evalhub("run", "sums", "--target", "recorded:metadata.a")
    assert (ran.code, ran.err) == (0, "")
    assert "Run #7 started: 4 items." in ran.out
    assert "evalhub results 7" in ran.out
    (asked,) = started.requests("POST", "/datasets/sums/runs")
    assert asked.json == {"target": "recorded:metadata.a"}


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


def test_all_options_about_items_repetitions_and_stopping_reach_the_api(
    started: ApiServer, evalhub: Evalhub
) -> None:
    options = "--split test --failed-of #3 --sample 20 --seed 7 --first 10 --repetitions 3"
    options += " --deadline 90 --stop-after-errors 5 --stop-error-share 0.25"
    options += " --max-tokens 1000 --max-cost 1.5 --tag nightly --tag small"
    context = ["--context", '{"locale": "en"}']
    assert evalhub("run", "sums", "--target", "x", *options.split(), *context).code == 0
    (asked,) = started.requests("POST", "/datasets/sums/runs")
    assert asked.json == {
        "target": "x",
        "selection": {"split": "test", "failed_of": 3, "sample": 20, "seed": 7},
        "limit": 10,
        "repetitions": 3,
        "context": {"locale": "en"},
        "deadline": 90,
        "stop_after_errors": 5,
        "stop_error_share": 0.25,
        "max_tokens": 1000,
        "max_cost_usd": 1.5,
        "tags": ["nightly", "small"],
    }


def test_each_target_is_a_run_of_its_own(started: ApiServer, evalhub: Evalhub) -> None:
    first, second = recorded.run("pending", done=0), recorded.run("pending", done=0, number=8)
    second["id"] = "6f1c2b1e-0000-4000-8000-0000000000cc"
    started.answer("POST", "/datasets/sums/runs", Reply(first, 201), Reply(second, 201))
    ran = evalhub("run", "sums", "--target", "x", "--target", "y")
    asked = started.requests("POST", "/datasets/sums/runs")
    assert [one.json["target"] for one in asked] == ["x", "y"]
    assert "Run #7 started: 4 items.\nRun #8 started: 4 items.\n" in ran.out
    assert "`evalhub results 7` and `evalhub results 8`" in ran.out


def test_several_runs_are_waited_for_and_one_that_fails_is_exit_code_1(
    started: ApiServer, evalhub: Evalhub
) -> None:
    first, second = recorded.run(), recorded.run("failed", number=8, reason="Too many errors.")
    second["id"] = "6f1c2b1e-0000-4000-8000-0000000000cc"
    started.answer("POST", "/datasets/sums/runs", Reply(first, 201), Reply(second, 201))
    for one in (first, second):
        started.answer("GET", f"/datasets/runs/{one['id']}", Reply(one))
    ran = evalhub("run", "sums", "--target", "x", "--target", "y", "--wait", "--json")
    assert ran.code == 1
    assert [one["status"] for one in json.loads(ran.out)] == ["completed", "failed"]
    assert "evalhub: Run #8 failed. Too many errors." in ran.err


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
            ("/selection/failed_of", "Run 3 has no errors."),
            ("/max_cost_usd", "The price is not known."),
        ),
    )
    ran = evalhub("run", "sums", "--target", "x", "--wait")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "evalhub: --target: There is no target “x”.\n"
        "  --scorer 2, extract: Missing ) at position 3.\n"
        "  --limit: At least 1.\n"
        "  --failed-of: Run 3 has no errors.\n"
        "  --max-cost: The price is not known.\n"
    )


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
