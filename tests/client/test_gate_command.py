"""`--gate` on `evalhub compare` and `evalhub run`: exit codes and words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.client import recorded
from tests.client.api_server import ApiServer, Reply
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]

FAILED = {
    "passed": False,
    "inconclusive": False,
    "exit_code": 3,
    "reasons": [
        {"gate": "threshold:0.9", "state": "failed", "text": "It misses 0.9."},
        {"gate": "max-regressed-items:3", "state": "passed", "text": "2 items got worse."},
    ],
}
PASSED = FAILED | {"passed": True, "reasons": FAILED["reasons"][1:]}
UNSURE = FAILED | {"inconclusive": True}


def compared(server: ApiServer, gate: dict[str, Any] | None, **other: Any) -> None:
    server.answer("POST", "/datasets/compare", Reply(recorded.comparison(gate=gate, **other)))


@pytest.mark.parametrize(("gate", "code"), [(PASSED, 0), (FAILED, 3), (UNSURE, 4)])
def test_a_gate_decides_the_exit_code_of_compare(
    server: ApiServer, evalhub: Evalhub, gate: dict[str, Any], code: int
) -> None:
    compared(server, gate)
    rules = ("--gate", "threshold:0.9", "--gate", "max-regressed-items:3")
    ran = evalhub("compare", "7", "8", *rules)
    assert ran.code == code
    assert server.asked[0].json["gate"] == ["threshold:0.9", "max-regressed-items:3"]
    assert "max-regressed-items:3: passed. 2 items got worse." in ran.out
    assert json.loads(evalhub("compare", "7", "8", *rules, "--json").out)["gate"] == gate


def test_margin_cluster_and_slices_reach_the_api(server: ApiServer, evalhub: Evalhub) -> None:
    slices = {
        "field": "metadata.topic",
        "scorer": "exact_match",
        "exploratory": True,
        "groups": [recorded.compared_scorer("billing", primary=False, q=0.2)],
        "more": 3,
        "without": 1,
    }
    compared(server, None, slices=slices)
    options = ["--margin", "1.5", "--cluster", "metadata.customer", "--slices", "metadata.topic"]
    ran = evalhub("compare", "7", "8", *options)
    assert server.asked[0].json == {
        "runs": ["7", "8"],
        "margin": 1.5,
        "cluster": "metadata.customer",
        "slices": "metadata.topic",
    }
    assert "exact_match by metadata.topic, exploratory:" in ran.out
    assert "billing" in ran.out
    assert "3 smaller slices more." in ran.out
    assert "1 pair without the field." in ran.out


def test_classes_reach_the_api_and_are_printed(server: ApiServer, evalhub: Evalhub) -> None:
    figures = {"expected": 6, "predicted": 7, "precision": 0.857, "recall": 1.0, "f1": 0.923}
    side = {
        "n": 10,
        "accuracy": 0.9,
        "accuracy_ci95": [0.596, 0.982],
        "classes": [{"label": "billing", **figures}],
        "macro": figures,
    }
    difference = {
        "n": 10,
        "accuracy": 0.3,
        "accuracy_ci95": [-0.02, 0.6],
        "macro_f1": None,
        "macro_f1_ci95": None,
        "classes": [{"label": "billing", "precision": 0.19, "recall": 0.333, "f1": None}],
    }
    field = "expected_output.queue"
    found = {"field": field, "a": side, "b": side, "difference": difference}
    compared(server, None, classes={**found, "errors": 2, "left_out": 1})
    ran = evalhub("compare", "7", "8", "--classes", field)
    assert server.asked[0].json["classes"] == field
    assert f"Classes by {field}, over 10 pairs:" in ran.out
    assert "+30.0  −2.0 to +60.0" in ran.out
    assert "85.7% +19.0" in ran.out
    assert "2 pairs with an error, 1 without an expected class left out." in ran.out


def test_a_field_that_says_no_class_is_named(server: ApiServer, evalhub: Evalhub) -> None:
    compared(server, None, classes=None)
    ran = evalhub("compare", "7", "8", "--classes", "expected_output.queu")
    assert ran.code == 0
    assert "No pair has an expected class by expected_output.queu." in ran.out


@pytest.mark.parametrize("margin", ["-1", "101", "nan", "wide"])
def test_a_margin_is_a_number_of_points(evalhub: Evalhub, margin: str) -> None:
    assert evalhub("compare", "7", "8", f"--margin={margin}").code == 2


def test_large_runs_are_waited_for(server: ApiServer, evalhub: Evalhub) -> None:
    preparing = Reply({"preparing": {"done": 2, "total": 6}}, 202)
    server.answer("POST", "/datasets/compare", preparing, Reply(recorded.comparison()))
    server.answer("GET", "/workers", Reply({"alive": 1, "workers": []}))
    ran = evalhub("compare", "7", "8")
    assert ran.code == 0
    assert "exact_match: Worse" in ran.out
    assert len(server.requests("POST", "/datasets/compare")) == 2


@pytest.mark.parametrize(("gate", "code"), [(PASSED, 0), (FAILED, 3), (UNSURE, 4)])
def test_run_with_a_baseline_waits_compares_and_ends_with_the_gate(
    started: ApiServer, evalhub: Evalhub, gate: dict[str, Any], code: int
) -> None:
    ended = recorded.run(summary=recorded.summary())
    started.answer("GET", f"/datasets/runs/{ended['id']}", Reply(ended))
    compared(started, gate)
    ran = evalhub("run", "sums", "--target", "x", "--baseline", "#3")
    assert ran.code == code
    (asked,) = started.requests("POST", "/datasets/compare")
    assert asked.json == {"runs": ["3", ended["id"]], "gate": ["no-significant-regression"]}
    out = evalhub("run", "sums", "--target", "x", "--baseline", "3", "--json").out
    assert json.loads(out)["comparison"]["gate"] == gate


def test_a_run_that_failed_is_1_whatever_the_gate_says(
    started: ApiServer, evalhub: Evalhub
) -> None:
    ended = recorded.run("failed", reason="All failed.", summary=recorded.summary())
    started.answer("GET", f"/datasets/runs/{ended['id']}", Reply(ended))
    compared(started, FAILED)
    assert evalhub("run", "sums", "--target", "x", "--baseline", "3").code == 1


def test_a_gate_of_a_run_needs_a_baseline(started: ApiServer, evalhub: Evalhub) -> None:
    ran = evalhub("run", "sums", "--target", "x", "--gate", "threshold:1")
    assert (ran.code, started.requests("POST", "/datasets/sums/runs")) == (2, [])
    assert "--baseline" in ran.err
