"""What moves on a run's page: progress, which is polled often, and figures, polled seldom.

A poll of the progress counts no results, so it costs the same whatever the run's size. Figures read
every result, so the larger the run, the longer they rest.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from evalhub.access.doors import project_view
from evalhub.access.models import Project
from evalhub.kit.figures import integer
from runs_app import changes, passing, queries
from runs_app.engine.throttling import limit_of
from runs_app.history import EventLine, history
from runs_app.models import Run, Score
from runs_app.progress import Progress
from runs_app.rate import Look, look_again
from runs_app.usage import Usage, usage
from runs_app.views.common import find_run, number_in
from runs_app.views.heads import head
from runs_app.views.shown import latency_label, latency_profile, tiles, with_changes

SMALL = 20_000  # results; up to here the figures are told every few seconds while it runs
JUDGED = 2_000  # results; up to here the bar tells passed from failed at every poll
FIGURES_EVERY_S = 4  # of a small run
FIGURES_REST_S = 10  # for every 100,000 results of a larger one
MOST_ERROR_TYPES = 4  # in a figure's list


@dataclass(frozen=True, slots=True)
class Spent:
    """What calls used so far under a cap; `share` of it is 0..1."""

    name: str
    used: float
    cap: float
    share: float
    money: bool


@project_view()
def live(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Progress so far; the last answer, of a run that is over, brings the rest and polls no more.

    An empty list is told to fill itself, as nothing can move under the pointer then; later results
    wait behind a button.
    """
    run = find_run(request, project, number, scorers=False)
    listed = number_in(request, "shown") or 0
    context = progress_context(run, listed, Look.from_text(request.GET.get("look", "")))
    now: Progress = context["progress"]
    fills = not listed and now.done > 0
    if fills:
        context |= {"shown_count": now.done, "unseen": 0}
    state = context["state"]
    changed = state == "over" or request.GET.get("was", state) != state
    if changed:
        context |= head(project, run)
    if state == "over":
        context |= figures_context(run)
    if number_in(request, "log") == context["log"]:
        context["events"] = []  # the page shows them already
    response = render(
        request,
        "runs/_live.html",
        context
        | {
            "polled": True,
            "changed": changed,
            "was_rescored": request.GET.get("was") == "rescoring",
        },
    )
    if fills:
        response["HX-Trigger"] = "first-results"
    return response


@project_view()
def figures(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """The figures so far."""
    run = find_run(request, project, number)
    return render(request, "runs/_figures.html", {"run": run} | figures_context(run))


def progress_context(run: Run, listed: int, earlier: Look | None = None) -> dict[str, Any]:
    """Context of `runs/_live.html`; `listed` is how many results the page's list stands for."""
    now = queries.progress(run)
    events = history(run)
    rescore = None if run.active else queries.rescoring(run)
    look = look_again(earlier, now.done, time.time(), now.rate)
    going = run.active and run.paused_at is None and run.cancel_requested_at is None
    waiting = max(0, now.total - now.done)
    return {
        "run": run,
        "state": _state(run, rescore is not None),
        "progress": now,
        "percent": int(100 * now.share),
        "progress_label": f"Progress: {integer(now.done)} of {integer(now.total)} results",
        "waiting": waiting,
        "look": look.to_text(),
        "rate": look.rate if going else None,
        "eta_s": waiting / look.rate if going and look.rate else None,
        "seats": min(now.seats, limit_of(run)),
        "throttled": limit_of(run) < run.max_concurrency,
        "spent": _spent(run),
        "events": events,
        "log": events[0].id if events else 0,
        "paused_by": _paused_by(events),
        "rescore": rescore,
        "shown_count": listed,
        "unseen": max(0, now.done - listed),
    } | _parts(run, now)


def figures_context(run: Run, *, late: bool = False) -> dict[str, Any]:
    """Context of `runs/_figures.html`: everything of a run that is over or small, else what its
    calls came to; with `late` the page asks for that itself, as it takes a while."""
    now = queries.progress(run)
    rest = FIGURES_EVERY_S if now.done <= SMALL else FIGURES_REST_S * (1 + now.done // 100_000)
    context: dict[str, Any] = {"figures_every_s": rest, "done": now.done}
    if not run.active or (now.done and now.done <= SMALL):
        return context | _summary(run)
    if late:
        return context | {"late": True}
    used = usage(run) if now.done else Usage()
    return context | _used(run, used, now.done)


def _summary(run: Run) -> dict[str, Any]:
    summary = queries.summary(run)
    done = summary["succeeded"] + summary["failed"]
    tokens = summary["tokens"] or {}
    latency = latency_profile(summary)
    base = None if run.active else changes.baseline_of(run.dataset_id)
    shown = tiles(list(run.scorers.all()), summary, run.repetitions)
    used = Usage(
        results=done,
        errors=summary["errors"],
        retries=summary["retries"],
        input_tokens=tokens.get("input"),
        output_tokens=tokens.get("output"),
        cost_usd=summary["cost_usd"],
    )
    return _used(run, used, done) | {
        "summary": summary,
        "tiles": with_changes(shown, changes.change_of(run, base)),
        "compared_with": base,
        "success": summary["succeeded"] / done if done else None,
        "success_label": f"{integer(summary['succeeded'])} succeeded, "
        f"{integer(summary['failed'])} errors",
        "latency": latency,
        "latency_label": latency_label(latency),
    }


def _used(run: Run, used: Usage, done: int) -> dict[str, Any]:
    per_1000 = whole = None
    if used.cost_usd is not None and done:
        per_1000 = 1000 * used.cost_usd / done
        whole = used.cost_usd * run.total_results / done
    errors = sorted(used.errors.items(), key=lambda each: (-each[1], each[0]))
    return {
        "used": used,
        "errors": errors[:MOST_ERROR_TYPES],
        "other_errors": sum(count for _, count in errors[MOST_ERROR_TYPES:]),
        "cost_per_1000": per_1000,
        "cost_whole": whole,
    }


def _state(run: Run, rescoring: bool) -> str:
    """What the header and its actions depend on; a page that shows another one is told."""
    if not run.active:
        return "rescoring" if rescoring else "over"
    if run.cancel_requested_at is not None:
        return "stopping"
    return "paused" if run.paused_at is not None else run.status


def _parts(run: Run, now: Progress) -> dict[str, Any]:
    """How the results divide: by the primary scorer where that takes no time, else by errors."""
    whole = {"good": now.succeeded, "bad": 0, "warn": now.failed, "mute": 0}
    primary = None
    if run.active and 0 < now.done <= JUDGED:
        primary = next(iter(run.scorers.all()), None)
    fails = passing.failing(primary) if primary is not None else None
    if primary is None or fails is None:
        return {"judged": False, "parts": whole}
    counts = Score.objects.filter(run_scorer=primary, state="scored").aggregate(
        scored=Count("item_number"), failing=Count("item_number", filter=fails)
    )
    scored, failing = counts["scored"], counts["failing"]
    unscored = max(0, now.succeeded - scored)
    parts = whole | {"good": scored - failing, "bad": failing, "mute": unscored}
    return {"judged": True, "parts": parts, "primary": primary.name}


def _spent(run: Run) -> list[Spent]:
    caps = (
        ("Tokens", run.used_tokens, run.max_tokens, False),
        ("Cost", run.used_cost_usd, run.max_cost_usd, True),
    )
    return [
        Spent(name, used, cap, min(1.0, used / cap) if cap else 1.0, money)
        for name, used, cap, money in caps
        if cap is not None
    ]


def _paused_by(events: list[EventLine]) -> str:
    """ "Paused by Mara.", as the last pause was told."""
    return next((event.message for event in events if event.kind == "paused"), "Paused.")
