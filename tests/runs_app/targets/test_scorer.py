"""A built-in scorer as a target."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from evalhub.kit.errors import Invalid
from runs_app.targets import scorer
from runs_app.targets.base import ItemCall, TargetFailure
from runs_app.targets.trace import Trace


def call(given: Any, spec: dict[str, Any], trace: Trace | None = None) -> Any:
    target = scorer.ScorerTarget(spec)
    item = ItemCall(1, None, json.dumps(given), "{}", None)
    return json.loads(asyncio.run(target.call(item, trace or Trace())))


def test_the_value_is_the_output_and_the_reason_is_in_a_span() -> None:
    trace = Trace()
    given = {"input": "1 + 1", "output": "2.0", "expected_output": "2"}
    assert call(given, {"use": "numeric_match"}, trace) == 1.0
    assert call(given, {"use": "exact_match"}, trace) == 0.0
    numeric, exact = trace.spans
    assert (numeric["name"], numeric["kind"]) == ("numeric_match", "scorer")
    assert exact["data"]["value"] == 0.0
    assert exact["data"]["reason"]


def test_what_is_not_scored_is_a_typed_error_with_its_reason() -> None:
    with pytest.raises(TargetFailure) as caught:
        call({"output": "2"}, {"use": "exact_match"})
    assert caught.value.type == "not_scored"
    assert "no expected output" in caught.value.message


def test_an_expected_output_of_null_is_not_an_absent_one() -> None:
    assert call({"output": None, "expected_output": None}, {"use": "exact_match"}) == 1.0


@pytest.mark.parametrize("given", ["text", [], {"input": 1}, None])
def test_an_input_without_an_output_cannot_be_scored(given: Any) -> None:
    with pytest.raises(TargetFailure) as caught:
        call(given, {"use": "exact_match"})
    assert caught.value.type == "invalid_input"
    assert "“output”" in caught.value.message


def test_a_configuration_is_checked_and_made_complete() -> None:
    checked = scorer.check_config({"scorer": {"use": "levenshtein", "threshold": 0.9}})
    assert checked["scorer"]["threshold"] == 0.9
    assert checked["scorer"]["name"] == "levenshtein"
    with pytest.raises(Invalid) as caught:
        scorer.check_config({"scorer": {"use": "levenshtein", "threshold": 9}})
    assert caught.value.errors[0].pointer == "/config/scorer/threshold"
    with pytest.raises(Invalid) as unnamed:
        scorer.check_config({})
    assert unnamed.value.errors[0].pointer == "/config/scorer/use"


def test_a_built_in_can_be_named_in_a_reference() -> None:
    found = scorer.info("exact_match")
    assert (found.ref, found.kind) == ("scorer:exact_match", "scorer")
    assert found.config["scorer"]["use"] == "exact_match"
