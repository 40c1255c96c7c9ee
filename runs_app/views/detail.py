"""One run: its progress while it is active, its figures, its results, and one that is open."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from datasets_app import public
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.figures import integer
from evalhub.kit.htmx import render_page
from evalhub.kit.paging import Page
from runs_app import queries
from runs_app.actions import cancel_run
from runs_app.models import Run
from runs_app.queries import ResultRow
from runs_app.views.common import actor, find_run, number_in, part_for, query
from runs_app.views.shown import VIEWS, compared, latency_label, latency_profile, shown, tiles, took

TEMPLATE = "runs/detail.html"
LIVE_SUMMARY_UP_TO = 20_000  # results; a larger run shows its figures when it is over
PAGE_SIZE = 50
COLUMNS = 4  # scorers with a column of their own; the templates slice as many
MOST_ERROR_TYPES = 4  # in the first figure's list
LABELS = {"all": "All", "fail": "Fail", "error": "Error", "not_scored": "Not scored"}
MARKS = {"all": "", "fail": "fail", "error": "warn", "not_scored": "dash"}


@project_view()
def detail(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """The run's page, or its list of results when htmx asks."""
    run = find_run(request, project, number)
    listed = _results(request, run)
    part = part_for(request, results="results")
    context = _head(project, run) | listed
    if part is None:
        context |= _figures(run, listed["done"])
    return render_page(request, TEMPLATE, context, part=part)


@project_view()
def live(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Progress and figures so far; the last answer, when the run is over, polls no more.

    An empty list is told to fill itself, as nothing can move under the pointer then; later results
    wait behind a button.
    """
    run = find_run(request, project, number)
    listed = number_in(request, "shown") or 0
    figures = _figures(run, listed)
    fills = not listed and figures["progress"].done > 0
    if fills:
        figures |= {"shown_count": figures["progress"].done, "unseen": 0}
    context = _head(project, run) | figures | {"polled": True}
    response = render(request, "runs/_live.html", context)
    if fills:
        response["HX-Trigger"] = "first-results"
    return response


@project_view()
def result(request: HttpRequest, project: Project, number: int, item: int) -> HttpResponse:
    """One result, beside the list it was opened from."""
    run = find_run(request, project, number)
    opened = _opened(request, run, item)
    if part_for(request, detail="result"):
        return render_page(request, TEMPLATE, _head(project, run) | opened, part="result")
    listed = _results(request, run)
    context = _head(project, run) | listed | _figures(run, listed["done"]) | opened
    return render_page(request, TEMPLATE, context)


@project_view(needs=Role.EDITOR)
def cancel(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Ask whether to cancel, and cancel."""
    run = find_run(request, project, number)
    if request.method == "POST":
        cancel_run(run=run, by=actor(request))
        messages.success(request, f"Run {run.number} stops. Its finished results stay.")
        return redirect("runs:detail", project.slug, run.number)
    if not run.active:
        return redirect("runs:detail", project.slug, run.number)
    context = _head(project, run) | {"progress": queries.progress(run)}
    return render(request, "runs/cancel.html", context)


def _head(project: Project, run: Run) -> dict[str, Any]:
    scorers = list(run.scorers.all())
    return {
        "run": run,
        "dataset": public.datasets_by_id([run.dataset_id])[run.dataset_id],
        "scorers": scorers,
        "columns": scorers[:COLUMNS],
        "took": took(run),
        "run_url": reverse("runs:detail", args=[project.slug, run.number]),
    }


def _figures(run: Run, listed: int) -> dict[str, Any]:
    """Progress and the summary so far; `listed` is how many results the page's list stands for."""
    now = queries.progress(run)
    context = {
        "progress": now,
        "percent": int(100 * now.share),
        "progress_label": f"Progress: {integer(now.done)} of {integer(now.total)} items",
        "waiting": max(0, now.total - now.done),
        "shown_count": listed,
        "unseen": max(0, now.done - listed),
        "parts": {"good": now.succeeded, "bad": 0, "warn": now.failed, "mute": 0},
    }
    if run.active and (now.done > LIVE_SUMMARY_UP_TO or not now.done):
        return context
    summary = queries.summary(run)
    return context | _summary(run, summary) | _parts(now, summary)


def _summary(run: Run, summary: dict[str, Any]) -> dict[str, Any]:
    done = summary["succeeded"] + summary["failed"]
    errors = sorted(summary["errors"].items(), key=lambda each: (-each[1], each[0]))
    latency = latency_profile(summary)
    return {
        "summary": summary,
        "primary": summary["primary"],
        "tiles": tiles(list(run.scorers.all()), summary),
        "errors": errors[:MOST_ERROR_TYPES],
        "success": summary["succeeded"] / done if done else None,
        "success_label": f"{integer(summary['succeeded'])} succeeded, "
        f"{integer(summary['failed'])} errors",
        "latency": latency,
        "latency_label": latency_label(latency),
    }


def _parts(now: queries.Progress, summary: dict[str, Any]) -> dict[str, Any]:
    """How the results divide by the primary scorer; nothing new when it knows no passing."""
    figures = summary["scores"].get(summary["primary"], {})
    passed = figures.get("passed")
    if passed is None:
        return {"judged": False}
    unscored = max(0, now.succeeded - figures["n"])
    failing = figures["n"] - passed
    return {
        "judged": True,
        "parts": {"good": passed, "bad": failing, "warn": now.failed, "mute": unscored},
    }


def _results(request: HttpRequest, run: Run) -> dict[str, Any]:
    """The list of results with its filters; in an active run the newest come first."""
    show, q, by = _wanted(request)
    after, before = number_in(request, "after"), number_in(request, "before")
    newest = run.active and after is None and before is None
    page = queries.results_page(
        run,
        show=show,
        scorer=by,
        q=q,
        after=after,
        before=queries.MAX_NUMBER if newest else before,
        size=PAGE_SIZE,
    )
    scorers = list(run.scorers.all())
    rows = [shown(row, scorers) for row in page.rows]
    counts = queries.filter_counts(run, scorer=by)
    here = reverse("runs:detail", args=[run.project.slug, run.number])
    kept = {"f": show if show != "all" else "", "by": by, "q": q}
    later = here + query(kept, after=page.after) if page.after and not newest else ""
    earlier = here + query(kept, before=page.before) if page.before else ""
    return {
        "rows": rows[::-1] if run.active else rows,
        "done": counts.all,
        "q": q,
        "show": show,
        "by": by,
        "list_query": query(kept, after=after, before=before),
        "filters": [
            {
                "label": LABELS[name],
                "mark": MARKS[name],
                "count": getattr(counts, name),
                "href": here + query({**kept, "f": name if name != "all" else ""}),
                "current": name == show,
            }
            for name in queries.FILTERS
        ],
        "previous_url": later if run.active else earlier,
        "next_url": earlier if run.active else later,
        "page_text": _page_text(page, show),
    }


def _wanted(request: HttpRequest) -> tuple[str, str, str]:
    """The filter, the words searched for, and the one scorer whose verdict counts ("" for any)."""
    return request.GET.get("f", "all"), request.GET.get("q", ""), request.GET.get("by", "")


def _opened(request: HttpRequest, run: Run, item: int) -> dict[str, Any]:
    """The open result with its neighbours in the list."""
    show, q, by = _wanted(request)
    row = shown(queries.find_result(run, item), list(run.scorers.all()))
    view = request.GET.get("view", "diff")
    view = view if view in dict(VIEWS) else "diff"
    kept = {
        "f": show if show != "all" else "",
        "by": by,
        "q": q,
        "after": number_in(request, "after"),
        "before": number_in(request, "before"),
    }
    beside = queries.result_neighbours(run, item, show=show, scorer=by, q=q)

    def url(number: int | None, **more: str) -> str:
        if number is None:
            return ""
        here = reverse("runs:result", args=[run.project.slug, run.number, number])
        return here + query(kept, **more)

    both = row.has_expected and row.row.status == "ok"
    return {
        "open": row,
        "view": view if both else "raw",
        "views": [(name, label, url(item, view=name)) for name, label in VIEWS if both],
        "compared": compared(row.expected, row.output) if both and view != "raw" else None,
        "all_url": url(item, view="raw", all="1"),
        "show_all": request.GET.get("all") == "1",
        "previous_result": url(beside.previous, view=view if view != "diff" else ""),
        "next_result": url(beside.next, view=view if view != "diff" else ""),
        "list_query": query(kept),
    }


def _page_text(page: Page[ResultRow], show: str) -> str:
    if not page.rows:
        return ""
    what = "results" if show == "all" else f"“{LABELS[show]}” results"
    whole = f" of {integer(page.total)}" if page.total is not None else ""
    numbers = f"items {page.rows[0].number} to {page.rows[-1].number}"
    return f"{integer(len(page.rows))}{whole} {what}, {numbers}"
