"""What runs put into the pages of datasets. Each slot takes a constant number of queries.

The keys come from a page whose reader may see them, so nothing is scoped again here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Avg, Count, F, Window
from django.db.models.functions import RowNumber
from django.urls import reverse

from evalhub.kit import slots
from evalhub.kit.figures import decimal, percent
from runs_app import passing, states
from runs_app.models import Result, Run, RunScorer, Score
from runs_app.models.runs import RunQuerySet
from runs_app.result_rows import ScoreRow, score_row
from runs_app.scorers.spec import catalogue

RECENT_RUNS = 5  # of an item
TREND_RUNS = 12  # of a dataset


def register() -> None:
    """Fill the slots of the page and of datasets_app."""
    slots.provide("project.running", running)
    slots.provide("project.settings", settings_links)
    slots.provide("dataset.tab_counts", tab_counts)
    slots.provide("dataset.last_run", last_run)
    slots.provide("dataset.links", links)
    slots.provide("item.last_results", last_results)
    slots.provide("item.runs", item_runs)
    slots.provide("item.links", item_links)
    slots.provide("item.scorers", scorer_names)


def running(project_ids: Sequence[int]) -> dict[int, int]:
    """{project: how many of its runs are not over}."""
    found = Run.objects.listed().active().filter(project__in=project_ids).order_by()
    counts = dict(found.values_list("project").annotate(Count("pk")))
    return {project: counts.get(project, 0) for project in project_ids}


def settings_links(project_slugs: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """{project slug: where else something of the project is set}."""
    return {
        slug: [
            {
                "title": "Connections",
                "text": "Addresses and keys of the providers that targets call.",
                "action": "Show connections",
                "href": reverse("runs:connections", args=[slug]),
            }
        ]
        for slug in project_slugs
    }


def tab_counts(dataset_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """{dataset: {"runs": how many}}."""
    found = Run.objects.listed().filter(dataset__in=dataset_ids).order_by()
    counts = dict(found.values_list("dataset").annotate(Count("pk")))
    return {dataset: {"runs": counts.get(dataset, 0)} for dataset in dataset_ids}


def links(dataset_slugs: Sequence[str], *, project_slug: str) -> dict[str, dict[str, str]]:
    """{dataset slug: {"runs": its list of runs, "new_run": the form, "compare": where two of its
    runs are chosen}}."""
    form = reverse("runs:new", args=[project_slug])
    compare = reverse("runs:compare", args=[project_slug])
    return {
        slug: {
            "runs": reverse("runs:of_dataset", args=[project_slug, slug]),
            "new_run": f"{form}?{urlencode({'dataset': slug})}",
            "compare": f"{compare}?{urlencode({'dataset': slug})}",
        }
        for slug in dataset_slugs
    }


def item_links(
    numbers: Sequence[int], *, dataset_slug: str, project_slug: str
) -> dict[int, dict[str, str]]:
    """{item number: {"try": the playground with the item in it}}."""
    form = reverse("runs:playground", args=[project_slug])
    return {
        number: {"try": f"{form}?{urlencode({'item': f'{dataset_slug}:{number}'})}"}
        for number in numbers
    }


def scorer_names(dataset_ids: Sequence[int]) -> dict[int, list[str]]:
    """{dataset: what can be named as a scorer of its items}."""
    return {dataset: [one.use for one in catalogue()] for dataset in dataset_ids}


def last_run(dataset_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The newest run that is over, for each dataset that has one.

    {dataset: {number, name, target, status, errors, finished_at, scorer, kind, mean, ci95, means,
    trend}}: the primary scorer's figures, None without one; `means` are those of the same scorer in
    up to TREND_RUNS runs, oldest first, None where a run lacks it, and `trend` says them in words.
    """
    place = Window(RowNumber(), partition_by=F("dataset"), order_by=F("number").desc())
    found = (
        Run.objects.listed()
        .filter(dataset__in=dataset_ids, status__in=states.TERMINAL)
        .annotate(place=place)
        .filter(place__lte=TREND_RUNS)
        .order_by("dataset", "-number")
    )
    by_dataset: dict[int, list[Run]] = {}
    for run in found:
        if run.dataset_id is not None:
            by_dataset.setdefault(run.dataset_id, []).append(run)
    return {dataset: _last_run(runs) for dataset, runs in by_dataset.items()}


def _last_run(newest_first: list[Run]) -> dict[str, Any]:
    newest = newest_first[0]
    scorer = (newest.summary or {}).get("primary")
    figures = _figures(newest, scorer)
    kind = newest.summary["distribution"][scorer]["kind"] if newest.summary and scorer else None
    means = [_figures(run, scorer).get("mean") for run in reversed(newest_first)]
    return {
        "number": newest.number,
        "name": newest.name,
        "target": newest.target_name,
        "status": newest.status,
        "errors": newest.failed,
        "finished_at": newest.finished_at,
        "scorer": scorer,
        "kind": kind,
        "mean": figures.get("mean"),
        "ci95": figures.get("ci95"),
        "means": means,
        "trend": _in_words(scorer, kind, means),
    }


def _in_words(scorer: str | None, kind: str | None, means: Sequence[float | None]) -> str:
    """ "category, run by run whatever the target, oldest first: 60.0%, 85.0%"."""
    known = [mean for mean in means if mean is not None]
    said = [percent(mean) if kind == "binary" else decimal(mean, 3) for mean in known]
    return f"{scorer}, run by run whatever the target, oldest first: {', '.join(said)}"


def _figures(run: Run, scorer: str | None) -> Mapping[str, Any]:
    if run.summary is None or scorer is None:
        return {}
    figures: Mapping[str, Any] = run.summary["scores"].get(scorer, {})
    return figures


def last_results(numbers: Sequence[int], *, dataset_id: int) -> dict[int, str]:
    """{item number: "ppf-p"}: passed, failed or nothing in the newest runs that are over, newest
    last.

    It is the verdict of each run's primary scorer, on the mean over repetitions; an error is
    nothing. Items without any are left out.
    """
    scorers = _recent_primaries(dataset_id)[::-1]
    found = (
        Score.objects.filter(run_scorer__in=scorers, item_number__in=numbers, state="scored")
        .values_list("item_number", "run_scorer")
        .annotate(Avg("value"))
    )
    places = {scorer.pk: place for place, scorer in enumerate(scorers)}
    marks: dict[int, list[str]] = {}
    for number, scorer_id, value in found if scorers else ():
        passed = passing.passes(scorers[places[scorer_id]], value)
        if passed is not None:
            row = marks.setdefault(number, ["-"] * len(scorers))
            row[places[scorer_id]] = "p" if passed else "f"
    return {number: "".join(row) for number, row in marks.items()}


def item_runs(
    numbers: Sequence[int], *, dataset_id: int, project_slug: str
) -> dict[int, list[dict[str, Any]]]:
    """{item number: its (first) results in the newest runs that are over, newest first}.

    Each: {number, name, target, finished_at, url, output_json, error_type, error_message,
    latency_ms, score}, where `score` is the primary scorer's ScoreRow or None.
    """
    recent = list(_over(dataset_id)[:RECENT_RUNS])
    if not recent:
        return {}
    results = {
        (result.item_number, result.run_id): result
        for result in Result.objects.filter(run__in=recent, item_number__in=numbers, repetition=0)
    }
    scorers = list(RunScorer.objects.filter(run__in=recent, position=0))
    scores = _scores(scorers, numbers)
    rows = {
        number: [
            _item_run(run, results[number, run.pk], scores.get((number, run.pk)), project_slug)
            for run in recent
            if (number, run.pk) in results
        ]
        for number in numbers
    }
    return {number: found for number, found in rows.items() if found}


def _item_run(
    run: Run, result: Result, score: ScoreRow | None, project_slug: str
) -> dict[str, Any]:
    finished_at: datetime | None = run.finished_at
    return {
        "number": run.number,
        "name": run.name,
        "target": run.target_name,
        "finished_at": finished_at,
        "url": reverse("runs:result", args=[project_slug, run.number, result.item_number]),
        "output_json": result.output_json,
        "error_type": result.error_type,
        "error_message": result.error_message,
        "latency_ms": result.latency_ms,
        "score": score,
    }


def _scores(
    scorers: Sequence[RunScorer], numbers: Sequence[int]
) -> dict[tuple[int, int], ScoreRow]:
    by_id = {scorer.pk: scorer for scorer in scorers}
    found = Score.objects.filter(run_scorer__in=scorers, item_number__in=numbers, repetition=0)
    rows = {}
    for score in found if scorers else ():
        scorer = by_id[score.run_scorer_id]
        assert scorer.run_id is not None  # it came by its run
        rows[score.item_number, scorer.run_id] = score_row(scorer, score)
    return rows


def _over(dataset_id: int) -> RunQuerySet:
    """The dataset's runs that are over, newest first."""
    found = Run.objects.listed().filter(dataset=dataset_id, status__in=states.TERMINAL)
    return found.order_by("-number")


def _recent_primaries(dataset_id: int) -> list[RunScorer]:
    """The primary scorers of the newest runs that are over, newest first."""
    ids = list(_over(dataset_id).values_list("pk", flat=True)[:RECENT_RUNS])
    found = {scorer.run_id: scorer for scorer in RunScorer.objects.filter(run__in=ids, position=0)}
    return [found[id] for id in ids if id in found]
