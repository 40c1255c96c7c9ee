"""Reading the results of one run: pages, single rows, neighbours and counts.

A page costs the same few queries whatever its size: item numbers, results, scores, items.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Exists, OuterRef, Q, QuerySet

from datasets_app import public
from datasets_app.public import ItemRow
from evalhub.kit.errors import NotFound
from evalhub.kit.paging import Page
from runs_app import passing
from runs_app.models import Result, Run, RunScorer, Score
from runs_app.progress import progress

PAGE_SIZE = 50
FILTERS = ("all", "fail", "error", "not_scored")
COUNTED_WHILE_ACTIVE = 50_000  # results; above that an unfinished run shows no count of failures

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
    """What the target gave for one item. `output_json` is None in an error; `latency_ms` is in
    milliseconds. `scores` are in the run's order and leave out scorers that have no row."""

    number: int
    item: ItemRow
    status: Status
    output_json: str | None
    error_type: str
    error_message: str
    latency_ms: float
    retries: int
    started_at: datetime
    completed_at: datetime
    scores: dict[str, ScoreRow]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Item numbers before and after one, within the filter; None at the ends."""

    previous: int | None
    next: int | None


@dataclass(frozen=True, slots=True)
class FilterCounts:
    """How many results each filter holds. `fail` and `not_scored` are None when counting them would
    take too long: in a large run that is not over."""

    all: int
    fail: int | None
    error: int
    not_scored: int | None


def results_page(
    run: Run,
    *,
    show: str = "all",
    scorer: str = "",
    q: str = "",
    after: int | None = None,
    before: int | None = None,
    size: int = PAGE_SIZE,
) -> Page[ResultRow]:
    """A page of results in item order after number `after`, or the one that ends before `before`.

    `show` is one of FILTERS; `scorer` narrows "fail" and "not_scored" to one scorer; `q` is looked
    for in outputs and error messages. `total` is known without a filter. Raises NotFound for a
    filter or scorer that the run does not have.
    """
    if before is not None:
        numbers = _numbers(run, show, scorer, q, before=before, limit=size + 1)
        more_before, more_after = len(numbers) > size, True
        numbers = numbers[:size][::-1]
    else:
        numbers = _numbers(run, show, scorer, q, after=after or 0, limit=size + 1)
        more_before, more_after = bool(after), len(numbers) > size
        numbers = numbers[:size]
    found = rows_of(run, numbers)
    return Page(
        rows=[found[number] for number in numbers],
        after=numbers[-1] if numbers and more_after else None,
        before=numbers[0] if numbers and more_before else None,
        total=count_done(run)[0] if show == "all" and not q else None,
    )


def find_result(run: Run, number: int) -> ResultRow:
    """The result of item `number`. Raises NotFound."""
    row = rows_of(run, [number]).get(number)
    if row is None:
        raise NotFound(f"Run #{run.number} has no result for item #{number}.")
    return row


def result_neighbours(
    run: Run, number: int, *, show: str = "all", scorer: str = "", q: str = ""
) -> Neighbours:
    """The results before and after item `number` within the filter."""
    earlier = _numbers(run, show, scorer, q, before=number, limit=1)
    later = _numbers(run, show, scorer, q, after=number, limit=1)
    return Neighbours(next(iter(earlier), None), next(iter(later), None))


def filter_counts(run: Run, *, scorer: str = "") -> FilterCounts:
    """How many results each filter of `results_page` holds, without `q`."""
    done, errors = count_done(run)
    scorers = scorers_of(run, scorer)
    summary = run.summary
    if summary is not None and not run.active:
        if not scorer:
            stored = summary["filters"]
            return FilterCounts(done, stored["fail"], errors, stored["not_scored"])
        figures = summary["scores"][scorer]
        passed = figures["passed"]
        fails = 0 if passed is None else figures["n"] - passed
        return FilterCounts(done, fails, errors, figures["errors"] + figures["not_scored"])
    if done > COUNTED_WHILE_ACTIVE:
        return FilterCounts(done, None, errors, None)
    return FilterCounts(done, count_failing(scorers), errors, count_not_scored(scorers))


def count_failing(scorers: Sequence[RunScorer]) -> int:
    """How many results at least one of the scorers fails."""
    return _count_any(
        condition for each in scorers if (condition := passing.failing(each)) is not None
    )


def count_not_scored(scorers: Sequence[RunScorer]) -> int:
    """How many results at least one of the scorers did not score."""
    return _count_any(passing.not_scored(each) for each in scorers)


def count_done(run: Run) -> tuple[int, int]:
    """Results there are, and those in error; from the shards while the run is active."""
    now = progress(run)
    return now.done, now.failed


def scorers_of(run: Run, name: str = "") -> list[RunScorer]:
    """The run's scorers in order, or the one called `name`. Raises NotFound."""
    scorers = list(run.scorers.all())
    if not name:
        return scorers
    named = [scorer for scorer in scorers if scorer.name == name]
    if not named:
        raise NotFound(f"Run #{run.number} has no scorer “{name}”.")
    return named


def rows_of(run: Run, numbers: Sequence[int]) -> dict[int, ResultRow]:
    """The results of these items by number, complete with items and scores; three queries (four
    when the run's scorers are not loaded)."""
    if not numbers:
        return {}
    results = list(Result.objects.filter(run=run, item_number__in=numbers, repetition=0))
    items = public.revisions_by_id([result.revision_id for result in results])
    scores = _scores(list(run.scorers.all()), numbers)
    return {
        result.item_number: ResultRow(
            number=result.item_number,
            item=items[result.revision_id],
            status="error" if result.failed else "ok",
            output_json=result.output_json,
            error_type=result.error_type,
            error_message=result.error_message,
            latency_ms=result.latency_ms,
            retries=result.retries,
            started_at=result.started_at,
            completed_at=result.completed_at,
            scores=scores.get(result.item_number, {}),
        )
        for result in results
    }


def matching(q: str) -> Q:
    """The condition on `Result` rows that hold the text `q`, as it is written inside JSON."""
    inside = json.dumps(q, ensure_ascii=False)[1:-1]
    return Q(output_json__icontains=inside) | Q(error_message__icontains=q)


def _scores(scorers: Sequence[RunScorer], numbers: Sequence[int]) -> dict[int, dict[str, ScoreRow]]:
    by_item: dict[int, dict[int, Score]] = {}
    found = Score.objects.filter(run_scorer__in=scorers, item_number__in=numbers, repetition=0)
    for score in found if scorers else ():
        by_item.setdefault(score.item_number, {})[score.run_scorer_id] = score
    return {
        number: {
            scorer.name: _score_row(scorer, scores[scorer.pk])
            for scorer in scorers
            if scorer.pk in scores
        }
        for number, scores in by_item.items()
    }


def _score_row(scorer: RunScorer, score: Score) -> ScoreRow:
    passed = passing.passes(scorer, score.value)
    return ScoreRow(scorer.name, score.state, score.value, score.reason, passed)


def _count_any(conditions: Iterable[Q]) -> int:
    conditions = list(conditions)
    if not conditions:
        return 0
    found = Score.objects.filter(_any(conditions), repetition=0)
    if len(conditions) == 1:
        return found.count()
    return found.values("item_number").distinct().count()


def _numbers(
    run: Run,
    show: str,
    scorer: str,
    q: str,
    *,
    limit: int,
    after: int | None = None,
    before: int | None = None,
) -> list[int]:
    """Up to `limit` item numbers of the filter above `after` in order, or below `before`
    backwards."""
    if show not in FILTERS:
        raise NotFound(f"There is no filter “{show}”. There are: {', '.join(FILTERS)}.")
    if show in ("fail", "not_scored"):
        conditions = [
            condition
            for each in scorers_of(run, scorer)
            if (condition := getattr(passing, _RULES[show])(each)) is not None
        ]
        if not conditions:
            return []
        if q:
            scores = Score.objects.filter(_any(conditions), item_number=OuterRef("item_number"))
            found = Result.objects.filter(matching(q), Exists(scores), run=run, repetition=0)
            return _walk(found, after, before, limit)
        # One walk along an index per scorer, merged: an OR over scorers would read them all.
        merged: set[int] = set()
        for condition in conditions:
            scores = Score.objects.filter(condition, repetition=0)
            merged.update(_walk(scores, after, before, limit))
        return sorted(merged, reverse=before is not None)[:limit]
    results = Result.objects.filter(run=run, repetition=0)
    if show == "error":
        results = results.exclude(error_type="")
    if q:
        results = results.filter(matching(q))
    return _walk(results, after, before, limit)


_RULES = {"fail": "failing", "not_scored": "not_scored"}


def _walk(
    found: QuerySet[Result] | QuerySet[Score], after: int | None, before: int | None, limit: int
) -> list[int]:
    if before is not None:
        found = found.filter(item_number__lt=before).order_by("-item_number")
    else:
        found = found.filter(item_number__gt=after or 0).order_by("item_number")
    return list(found.values_list("item_number", flat=True)[:limit])


def _any(conditions: Sequence[Q]) -> Q:
    together = conditions[0]
    for condition in conditions[1:]:
        together |= condition
    return together
