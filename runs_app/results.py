"""Reading the results of one run: pages, single rows, neighbours and counts.

A page costs the same few queries whatever its size: item numbers, results, scores, items. Pages go
by items; filters choose and count results, so an item shows those of its repetitions that match.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from evalhub.kit.errors import NotFound
from evalhub.kit.paging import Page
from runs_app import passing
from runs_app.models import Result, Run, RunScorer, Score
from runs_app.progress import progress
from runs_app.result_rows import ResultRow, ScoreRow, rows_of

__all__ = [
    "FILTERS",
    "FilterCounts",
    "Neighbours",
    "ResultRow",
    "ScoreRow",
    "count_failing",
    "count_not_scored",
    "filter_counts",
    "find_result",
    "matches",
    "matching",
    "result_neighbours",
    "results_page",
    "rows_of",
]

PAGE_SIZE = 50
FILTERS = ("all", "fail", "error", "not_scored")
COUNTED_WHILE_ACTIVE = 50_000  # results; above that an unfinished run shows no count of failures


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
    spans: bool = False,
) -> Page[ResultRow]:
    """The results of `size` items in their order after number `after`, or before `before`.

    `show` is one of FILTERS; `scorer` narrows "fail" and "not_scored" to one scorer; `q` is looked
    for in outputs and error messages. `total` counts results and is known without a filter. Rows
    have their spans only with `spans`. Raises NotFound for a filter or scorer that the run does not
    have.
    """
    if before is not None:
        numbers = _numbers(run, show, scorer, q, before=before, limit=size + 1)
        more_before, more_after = len(numbers) > size, True
        numbers = numbers[:size][::-1]
    else:
        numbers = _numbers(run, show, scorer, q, after=after or 0, limit=size + 1)
        more_before, more_after = bool(after), len(numbers) > size
        numbers = numbers[:size]
    found = rows_of(run, numbers, spans=spans)
    rows = [row for number in numbers for row in found.get(number, ())]
    return Page(
        rows=rows if run.repetitions == 1 else _only_matching(run, rows, show, scorer, q),
        after=numbers[-1] if numbers and more_after else None,
        before=numbers[0] if numbers and more_before else None,
        total=count_done(run)[0] if show == "all" and not q else None,
    )


def find_result(run: Run, number: int, repetition: int = 0) -> ResultRow:
    """The result of item `number`, with its spans; the first repetition is 0. Raises NotFound."""
    for row in rows_of(run, [number], spans=True).get(number, ()):
        if row.repetition == repetition:
            return row
    which = f", repetition {repetition + 1}" if repetition else ""
    raise NotFound(f"Run #{run.number} has no result for item #{number}{which}.")


def matches(row: ResultRow, show: str, scorer: str = "") -> bool:
    """Whether the filter `show` holds this result; `scorer` narrows it as in `results_page`."""
    if show == "error":
        return row.status == "error"
    scores = [score for name, score in row.scores.items() if scorer in ("", name)]
    if show == "fail":
        return any(score.passed is False for score in scores)
    if show == "not_scored":
        return any(score.state != "scored" for score in scores)
    return True


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
        fails = 0 if passed is None else figures.get("scored", figures["n"]) - passed
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


def matching(q: str) -> Q:
    """The condition on `Result` rows that hold the text `q`, as it is written inside JSON."""
    inside = json.dumps(q, ensure_ascii=False)[1:-1]
    return Q(output_json__icontains=inside) | Q(error_message__icontains=q)


def _only_matching(
    run: Run, rows: Sequence[ResultRow], show: str, scorer: str, q: str
) -> list[ResultRow]:
    """Those of the items' results that match themselves, not by another repetition."""
    kept = [row for row in rows if matches(row, show, scorer)]
    if not q:
        return kept
    # Only the database knows what is like `q`: its rules for case are its own.
    numbers = {row.number for row in kept}
    found = Result.objects.filter(matching(q), run=run, item_number__in=numbers)
    holding = set(found.values_list("item_number", "repetition"))
    return [row for row in kept if (row.number, row.repetition) in holding]


def _count_any(conditions: Iterable[Q]) -> int:
    conditions = list(conditions)
    if not conditions:
        return 0
    found = Score.objects.filter(_any(conditions))
    if len(conditions) == 1:
        return found.count()
    return found.values("item_number", "repetition").distinct().count()


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
            scores = Score.objects.filter(
                _any(conditions),
                item_number=OuterRef("item_number"),
                repetition=OuterRef("repetition"),
            )
            found = Result.objects.filter(matching(q), Exists(scores), run=run)
            return _walk(run, found, after, before, limit)
        # One walk along an index per scorer, merged: an OR over scorers would read them all.
        merged: set[int] = set()
        for condition in conditions:
            scores = Score.objects.filter(condition)
            merged.update(_walk(run, scores, after, before, limit))
        return sorted(merged, reverse=before is not None)[:limit]
    results = Result.objects.filter(run=run)
    if show == "error":
        results = results.exclude(error_type="")
    if q:
        results = results.filter(matching(q))
    return _walk(run, results, after, before, limit)


_RULES = {"fail": "failing", "not_scored": "not_scored"}


def _walk(
    run: Run,
    found: QuerySet[Result] | QuerySet[Score],
    after: int | None,
    before: int | None,
    limit: int,
) -> list[int]:
    if before is not None:
        found = found.filter(item_number__lt=before).order_by("-item_number")
    else:
        found = found.filter(item_number__gt=after or 0).order_by("item_number")
    # An item has a row for each repetition at most, so these hold `limit` items, where there are.
    rows = found.values_list("item_number", flat=True)[: limit * run.repetitions]
    return list(dict.fromkeys(rows))[:limit]


def _any(conditions: Sequence[Q]) -> Q:
    together = conditions[0]
    for condition in conditions[1:]:
        together |= condition
    return together
