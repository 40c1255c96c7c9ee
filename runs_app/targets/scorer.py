"""A built-in scorer as the target, so that it can be held against what people said. Pure.

The item's input is `{"input", "output", "expected_output"}`; the scorer's value is the output.
"""

from __future__ import annotations

from typing import Any

from evalhub.kit.errors import FieldError, Invalid
from evalhub.kit.json import ABSENT, dumps, loads
from runs_app.scorers import SpecError, build, parse_spec
from runs_app.targets.base import ItemCall, PlainTarget, TargetFailure, TargetInfo
from runs_app.targets.trace import Trace


class ScorerTarget(PlainTarget):
    """Scores `input.output` against `input.expected_output`. Raises SpecError when made of a spec
    that is none.
    """

    instant = True  # built-in scorers run on the event loop after every call anyway

    def __init__(self, spec: dict[str, Any]) -> None:
        self.scorer = build(parse_spec(spec))

    async def call(self, item: ItemCall, trace: Trace) -> str:
        given = loads(item.input_json)
        if not isinstance(given, dict) or "output" not in given:
            raise TargetFailure(
                "invalid_input",
                "A scorer under test needs an input with “output”, the output that it is to "
                "score, and “expected_output” where it compares.",
            )
        about = {
            "number": item.number,
            "external_id": item.external_id,
            "metadata": loads(item.metadata_json),
        }
        begin = trace.now_ms()
        expected = given.get("expected_output", ABSENT)
        outcome = self.scorer.score(given["output"], expected, item=about)
        trace.add(
            self.scorer.spec.name,
            "scorer",
            begin,
            error=outcome.reason if outcome.state == "error" else "",
            data={"state": outcome.state, "value": outcome.value, "reason": outcome.reason},
        )
        if outcome.state == "not_scored":
            raise TargetFailure("not_scored", outcome.reason)
        if outcome.state == "error":
            raise TargetFailure("scorer_error", outcome.reason)
        return dumps(outcome.value)


def check_config(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a saved target: {"scorer": its specification}. Raises Invalid."""
    try:
        return {"scorer": parse_spec(config.get("scorer") or {}).as_dict()}
    except SpecError as error:
        pointer = f"/config/scorer{error.pointer}"
        raise Invalid(error.message, errors=[FieldError(pointer, error.message)]) from error


def info(use: str) -> TargetInfo:
    """The target for a built-in's name with its usual parameters. Raises Invalid."""
    config = check_config({"scorer": {"use": use}})
    return TargetInfo(
        ref=f"scorer:{use}",
        id=use,
        name=f"Scorer {use}",
        kind="scorer",
        transport="scorer",
        description="A built-in scorer, run on {input, output, expected_output}.",
        version="",
        config=config,
    )
