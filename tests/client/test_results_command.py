"""`evalhub results` against a server with recorded answers."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from evalhub_client.commands.results import safe_cell

from tests.client import recorded
from tests.client.api_server import ApiServer, Reply, listing, problem
from tests.client.conftest import TOKEN, Ran

Evalhub = Callable[..., Ran]
ROUTE = "/datasets/runs/7/results"


def cells(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("options", [(), ("--format", "jsonl"), ("--json",)])
def test_results_are_a_json_object_on_each_line(
    server: ApiServer, evalhub: Evalhub, options: tuple[str, ...]
) -> None:
    first, second = recorded.result(1, output="ü\n"), recorded.result(2, output=10**30)
    server.answer("GET", ROUTE, listing(first, next_cursor="azE"), listing(second))
    ran = evalhub("results", "7", *options)
    assert (ran.code, ran.err) == (0, "")
    assert [json.loads(line) for line in ran.out.splitlines()] == [first, second]


def test_csv_has_a_row_for_each_result_and_four_columns_for_each_scorer(
    server: ApiServer, evalhub: Evalhub
) -> None:
    failed = recorded.result(2, status="error", error={"type": "timeout", "message": "60 s."})
    for name in ("output", "expected_output"):
        del failed[name]
    server.answer("GET", "/datasets/runs/7", Reply(recorded.run()))
    server.answer("GET", ROUTE, listing(recorded.result(1), failed | {"scores": {}}))
    first, second = cells(evalhub("results", "#7", "--format", "csv").out)
    assert first["input"] == "1 + 1"
    assert first["exact_match.value"] == "1.0"
    assert first["exact_match.passed"] == "true"
    assert first["exact_match.reason"] == "Equal."
    assert (first["error_type"], first["external_id"]) == ("", "")
    assert (second["error_type"], second["error_message"]) == ("timeout", "60 s.")
    assert (second["output"], second["expected_output"]) == ("", "")
    assert second["exact_match.value"] == ""


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("plain", "plain"),
        ("=1+1", "'=1+1"),
        ("+44 20", "'+44 20"),
        ("-cmd", "'-cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("-5", "-5"),
        ("-1.5e-3", "-1.5e-3"),
        (-5, "-5"),
        (-0.25, "-0.25"),
        (None, "null"),
        (False, "false"),
        ({"a": ["=1"]}, '{"a": ["=1"]}'),
        ('a,"b"\nc', 'a,"b"\nc'),
    ],
)
def test_a_value_is_a_cell_that_no_spreadsheet_runs_and_numbers_stay_numbers(
    server: ApiServer, evalhub: Evalhub, value: Any, cell: str
) -> None:
    server.answer("GET", "/datasets/runs/7", Reply(recorded.run()))
    server.answer("GET", ROUTE, listing(recorded.result(output=value)))
    ran = evalhub("results", "7", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(ran.out, newline=""))
    assert row["output"] == cell


def test_the_name_of_a_scorer_is_a_safe_cell_too(server: ApiServer, evalhub: Evalhub) -> None:
    scorer = {"name": "=cmd", "kind": "binary"}
    server.answer("GET", "/datasets/runs/7", Reply(recorded.run(scorers=[scorer])))
    server.answer("GET", ROUTE, listing())
    assert "'=cmd.value" in evalhub("results", "7", "--format", "csv").out


def test_other_digits_are_no_number_for_a_spreadsheet() -> None:
    assert safe_cell("-٣") == "'-٣"


def test_an_unknown_run_is_exit_code_1(server: ApiServer, evalhub: Evalhub) -> None:
    server.answer("GET", ROUTE, problem(404, "There is no run “7”."))
    ran = evalhub("results", "7")
    assert (ran.code, ran.out, ran.err) == (1, "", "evalhub: There is no run “7”.\n")


def test_a_reader_that_has_seen_enough_is_no_error(server: ApiServer) -> None:
    results = [recorded.result(number, output="x" * 5000) for number in range(100)]
    server.answer("GET", ROUTE, listing(*results))
    command = [sys.executable, "-m", "evalhub_client.cli", "results", "7"]
    environment = os.environ | {"EVALHUB_SERVER": server.url, "EVALHUB_TOKEN": TOKEN}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"number": 0')
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(10) == 0
