"""Results as rows: what the target gave, with the item as the run saw it and what scorers said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from datasets_app import public
from datasets_app.public import ItemRow
from runs_app import passing
from runs_app.inline import item_row
from runs_app.models import Result, Run, RunScorer, Score

Status = Literal["ok", "error"]


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One scorer's word on one result. `value` is None unless `state` is "scored"."""

    name: str
    state: str
    value: float | None
    reason: str
    passed: bool | None


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What the target gave for one item and repetition (the first is 0).

    `output_json` is None in an error; `latency_ms` is in milliseconds. Tokens and cost are those of
    all tries, None where the target does not say. `spans_json` is None without spans, and where
    they were not asked for. `scores` are in the run's order and leave out scorers without a row.
    """

    number: int
    repetition: int
    item: ItemRow
    status: Status
    output_json: str | None
    error_type: str
    error_message: str
    latency_ms: float
    retries: int
    started_at: datetime
    completed_at: datetime
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    trace_id: str
    spans_json: str | None
    scores: dict[str, ScoreRow]

    @property
    def spans(self) -> list[dict[str, Any]]:
        """The spans (see targets/trace.py), parsed anew each time; [] without any."""
        found: list[dict[str, Any]] = json.loads(self.spans_json) if self.spans_json else []
        return found


def rows_of(
    run: Run, numbers: Sequence[int], *, spans: bool = False
) -> dict[int, tuple[ResultRow, ...]]:
    """The results of these items: {number: one row for each repetition, in order}.

    Complete with items and scores, in three queries (four when the run's scorers are not loaded);
    spans, which may be long, only when asked for.
    """
    if not numbers:
        return {}
    found = Result.objects.filter(run=run, item_number__in=numbers)
    found = found.order_by("item_number", "repetition")
    results = list(found if spans else found.defer("spans_json"))
    items = _items(run, results)
    scores = _scores(list(run.scorers.all()), numbers)
    rows: dict[int, list[ResultRow]] = {}
    for result in results:
        key = (result.item_number, result.repetition)
        row = _row(result, items[result.revision_id], scores.get(key, {}), spans)
        rows.setdefault(result.item_number, []).append(row)
    return {number: tuple(of_item) for number, of_item in rows.items()}


def score_row(scorer: RunScorer, score: Score) -> ScoreRow:
    """A score as the run's scorer judges it."""
    passed = passing.passes(scorer, score.value)
    return ScoreRow(scorer.name, score.state, score.value, score.reason, passed)


def _row(result: Result, item: ItemRow, scores: dict[str, ScoreRow], with_spans: bool) -> ResultRow:
    return ResultRow(
        number=result.item_number,
        repetition=result.repetition,
        item=item,
        status="error" if result.failed else "ok",
        output_json=result.output_json,
        error_type=result.error_type,
        error_message=result.error_message,
        latency_ms=result.latency_ms,
        retries=result.retries,
        started_at=result.started_at,
        completed_at=result.completed_at,
        input_tokens=result.input_tokens,
        output_tokens=result.output_tokens,
        cost_usd=result.cost_usd,
        trace_id=result.trace_id,
        spans_json=result.spans_json if with_spans else None,
        scores=scores,
    )


def _items(run: Run, results: Sequence[Result]) -> Mapping[int, ItemRow]:
    """The items by revision; the run's own one when it has no dataset."""
    if run.inline_item is not None:
        own = item_row(run)
        return {result.revision_id: own for result in results}
    return public.revisions_by_id(list({result.revision_id for result in results}))


def _scores(
    scorers: Sequence[RunScorer], numbers: Sequence[int]
) -> dict[tuple[int, int], dict[str, ScoreRow]]:
    """{(item number, repetition): {scorer: its score}}, scorers in their order."""
    by_result: dict[tuple[int, int], dict[int, Score]] = {}
    found = Score.objects.filter(run_scorer__in=scorers, item_number__in=numbers)
    for score in found if scorers else ():
        key = (score.item_number, score.repetition)
        by_result.setdefault(key, {})[score.run_scorer_id] = score
    return {
        key: {
            scorer.name: score_row(scorer, scores[scorer.pk])
            for scorer in scorers
            if scorer.pk in scores
        }
        for key, scores in by_result.items()
    }
