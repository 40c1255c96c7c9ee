"""Scoring one outcome with the run's scorers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from datasets_app.public import ItemRow
from evalhub.kit.json import ABSENT
from runs_app.engine.attempt import storable
from runs_app.scorers import Scorer


@dataclass(frozen=True, slots=True)
class BoundScorer:
    """A scorer ready to score, with the id of its row in the run."""

    run_scorer_id: int
    scorer: Scorer


ScoreRow = tuple[int, int, int, str, float | None, str]
"""(run scorer, item number, repetition, state, value, reason): the columns of a score."""


def score(scorers: Sequence[BoundScorer], item: ItemRow, output_json: str) -> list[ScoreRow]:
    """One row for each scorer. A failing scorer is a row with the state "error", never an
    exception.
    """
    output = json.loads(output_json)
    expected = ABSENT if item.expected_json is None else json.loads(item.expected_json)
    about = {"number": item.number, "external_id": item.external_id}
    rows: list[ScoreRow] = []
    for bound in scorers:
        outcome = bound.scorer.score(output, expected, item=about)
        rows.append(
            (
                bound.run_scorer_id,
                item.number,
                0,
                outcome.state,
                outcome.value,
                storable(outcome.reason),
            )
        )
    return rows
