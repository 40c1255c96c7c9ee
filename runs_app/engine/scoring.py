"""Scoring one outcome with the run's scorers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datasets_app.public import ItemRow
from evalhub.kit.json import ABSENT
from runs_app.engine.attempt import storable
from runs_app.scorers import Scorer, build, parse_spec
from runs_app.targets.trace import Trace

NONE_ASKED = "The item asks for no scorers."
OTHERS_ASKED = "The item asks for other scorers."
PURGED = "This item was purged."


@dataclass(frozen=True, slots=True)
class BoundScorer:
    """A scorer ready to score, with the id of its row in the run and its name there."""

    run_scorer_id: int
    name: str
    scorer: Scorer
    use: str = ""


def bind(run_scorer_id: int, spec: Mapping[str, Any]) -> BoundScorer:
    """The scorer of a run's row. Raises SpecError when it cannot be built any more."""
    parsed = parse_spec(dict(spec))
    return BoundScorer(run_scorer_id, parsed.name, build(parsed), parsed.use)


ScoreRow = tuple[int, int, int, str, float | None, str]
"""(run scorer, item number, repetition, state, value, reason): the columns of a score."""


def score(
    scorers: Sequence[BoundScorer],
    item: ItemRow,
    repetition: int,
    output_json: str,
    trace: Trace | None = None,
) -> list[ScoreRow]:
    """One row for each scorer, and a span in `trace`. A failing scorer is a row with the state
    "error", never an exception. What the item's own list leaves out is not scored, nor is an item
    of which nothing is left.
    """
    if item.purged:
        return [
            (bound.run_scorer_id, item.number, repetition, "not_scored", None, PURGED)
            for bound in scorers
        ]
    output = _value(output_json)
    expected = ABSENT if item.expected_json is None else _value(item.expected_json)
    about = {"number": item.number, "external_id": item.external_id}
    asked = None if item.scorers_json is None else _names(item.scorers_json)
    rows: list[ScoreRow] = []
    for bound in scorers:
        if asked is not None and not asked & {bound.name, bound.use}:
            reason = OTHERS_ASKED if asked else NONE_ASKED
            rows.append((bound.run_scorer_id, item.number, repetition, "not_scored", None, reason))
            continue
        begin_ms = trace.now_ms() if trace else 0.0
        outcome = bound.scorer.score(output, expected, item=about)
        if trace:
            error = outcome.reason if outcome.state == "error" else ""
            trace.add(bound.name, "scorer", begin_ms, depth=0, error=error)
        rows.append(
            (
                bound.run_scorer_id,
                item.number,
                repetition,
                outcome.state,
                outcome.value,
                storable(outcome.reason),
            )
        )
    return rows


def _names(scorers_json: str) -> set[str]:
    """What an item's list of scorers names: names, or specifications by their name or use."""
    found: set[str] = set()
    for one in json.loads(scorers_json):
        given = [one.get("name") or one.get("use")] if isinstance(one, dict) else [one]
        found |= {name for name in given if isinstance(name, str)}
    return found


def _value(text: str) -> Any:
    """The value of a JSON text that was written by us; plain strings without a parser."""
    if text[0] == '"' and "\\" not in text:
        return text[1:-1]
    return json.loads(text)
