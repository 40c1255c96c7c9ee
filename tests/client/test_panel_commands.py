"""`evalhub classes` and `evalhub calibration`."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.client.api_server import ApiServer, Reply
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]

FIGURES = {
    "n": 10,
    "accuracy": 0.8,
    "accuracy_ci95": [0.49, 0.943],
    "classes": [
        {
            "label": "bad",
            "expected": 4,
            "predicted": 5,
            "precision": 0.6,
            "recall": None,
            "f1": 0.5,
        },
        {
            "label": "good",
            "expected": 6,
            "predicted": 5,
            "precision": 1.0,
            "recall": 0.5,
            "f1": 0.9,
        },
    ],
    "macro": {"f1": 0.7},
    "matrix": [[3, 1], [1, 5]],
}


def test_classes_are_printed(server: ApiServer, evalhub: Evalhub) -> None:
    found = {"fields": ["a", "b"], "field": "a", "figures": FIGURES, "errors": 0, "left_out": 0}
    server.answer("GET", "/datasets/runs/7/classes", Reply(found))
    ran = evalhub("classes", "7", "--field", "a")
    assert ran.code == 0
    assert server.asked[0].query == {"field": "a"}
    assert "Accuracy 80.0% (95% CI 49.0% to 94.3%), macro F1 0.700." in ran.out
    assert "Fields: a, b." in ran.out
    assert "good          6      5     100.0%   50.0%  0.900" in ran.out
    assert "bad         3     1" in ran.out


def test_a_run_without_classes_says_so(server: ApiServer, evalhub: Evalhub) -> None:
    found = {"fields": [], "field": None, "figures": None, "errors": 0, "left_out": 0}
    server.answer("GET", "/datasets/runs/7/classes", Reply(found))
    assert evalhub("classes", "7").out == "The outputs of this run are no classes.\n"


def test_a_calibration_is_printed(server: ApiServer, evalhub: Evalhub) -> None:
    close = {"n": 10, "pearson": 0.9, "spearman": None, "mean_error": -0.1}
    close |= {"mean_error_ci95": [-0.2, 0.0], "mean_absolute_error": 0.15}
    found = {"n": 10, "agreement": {**FIGURES, "kappa": 0.6}, "closeness": close}
    found |= {"mark": 0.5, "errors": 0, "left_out": 0, "disagreeing": 2}
    rows = [{"number": 3, "label": "good", "given": "bad", "error": None}]
    server.answer("GET", "/datasets/runs/7/calibration", Reply(found | {"disagreements": rows}))
    ran = evalhub("calibration", "7")
    assert "Agreement 80.0% (95% CI 49.0% to 94.3%) of 10 items, Cohen's kappa 0.600." in ran.out
    assert "Mean absolute error 0.150, score minus label −0.100" in ran.out
    assert "0003    good     bad" in ran.out
    assert "More of them with --json." in ran.out
    assert json.loads(evalhub("calibration", "7", "--json").out)["disagreeing"] == 2


def test_another_run_has_nothing_to_hold(server: ApiServer, evalhub: Evalhub) -> None:
    server.answer("GET", "/datasets/runs/7/calibration", Reply({"n": 0}))
    assert "the run is of no scorer" in evalhub("calibration", "7").out
