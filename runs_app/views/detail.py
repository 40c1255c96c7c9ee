"""One run: its list of results, one result that is open, and cancelling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import NotFound
from evalhub.kit.figures import integer
from evalhub.kit.htmx import render_page
from evalhub.kit.json import loads
from evalhub.kit.paging import Page
from evalhub.kit.whole import LARGEST_NUMBER
from runs_app import queries
from runs_app.actions import cancel_run
from runs_app.calibrating import calibrates
from runs_app.classes import class_fields
from runs_app.engine.contexts import merged
from runs_app.error_help import advice
from runs_app.models import Run
from runs_app.queries import ResultRow
from runs_app.results import matches, rows_of
from runs_app.views import noted
from runs_app.views.common import actor, find_run, number_in, part_for, query
from runs_app.views.heads import head, scorer_settings, settings_of
from runs_app.views.live import figures_context, progress_context
from runs_app.views.shown import VIEWS, compared, mark_of, shown
from runs_app.views.traces import trace_view

TEMPLATE = "runs/detail.html"
PAGE_SIZE = 50
LEAST_ITEMS = 10  # on a page, however many repetitions each has
COLUMNS = 4  # scorers with a column of their own; the templates slice as many
INPUT_SHOWN = 4_000  # characters of the input of an open result before "Show all of it"
LABELS = {"all": "All", "fail": "Fail", "error": "Error", "not_scored": "Not scored"}
MARKS = {"all": "", "fail": "fail", "error": "warn", "not_scored": "dash"}


@dataclass(frozen=True, slots=True)
class RepetitionLink:
    """One of the repetitions of the open item; `mark` as `Shown.mark`."""

    number: int
    url: str
    mark: str
    current: bool


@project_view()
def detail(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """The run's page, or its list of results when htmx asks."""
    run = find_run(request, project, number)
    listed = _results(request, run)
    part = part_for(request, results="results")
    context = _columns(run) | head(project, run) | listed
    if part is None:
        context |= _top(run, listed["done"])
    return render_page(request, TEMPLATE, context, part=part)


@project_view()
def result(request: HttpRequest, project: Project, number: int, item: int) -> HttpResponse:
    """One result, beside the list it was opened from."""
    run = find_run(request, project, number)
    opened = _opened(request, project, run, item)
    context = _columns(run) | head(project, run) | opened
    context["notes"] = noted.block(request, project, context["dataset"], item)
    if part_for(request, detail="result"):
        return render_page(request, TEMPLATE, context, part="result")
    listed = _results(request, run)
    return render_page(request, TEMPLATE, listed | context | _top(run, listed["done"]))


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
    context = head(project, run) | {"progress": queries.progress(run)}
    return render(request, "runs/cancel.html", context)


def _columns(run: Run) -> dict[str, Any]:
    scorers = list(run.scorers.all())
    return {
        "scorers": scorers,
        "columns": scorers[:COLUMNS],
        "scorers_set": [(one, *scorer_settings(one)) for one in scorers],
    }


def _top(run: Run, listed: int) -> dict[str, Any]:
    """What stands above the list; `listed` is how many results that stands for."""
    return (
        figures_context(run, late=True)
        | progress_context(run, listed)
        | {
            "settings": settings_of(run),
            "calibrates": calibrates(run),
            "has_classes": not (run.active or calibrates(run)) and bool(class_fields(run)),
        }
    )


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
        before=LARGEST_NUMBER if newest else before,
        size=max(LEAST_ITEMS, PAGE_SIZE // run.repetitions),
    )
    scorers = list(run.scorers.all())
    here = reverse("runs:detail", args=[run.project.slug, run.number])
    kept = {"f": show if show != "all" else "", "by": by, "q": q}
    place = {**kept, "after": after, "before": before}
    rows = [shown(row, scorers, _result_url(run, row, place)) for row in page.rows]
    counts = queries.filter_counts(run, scorer=by)
    later = here + query(kept, after=page.after) if page.after and not newest else ""
    earlier = here + query(kept, before=page.before) if page.before else ""
    return {
        "rows": rows[::-1] if run.active else rows,
        "done": counts.all,
        "q": q,
        "show": show,
        "by": by,
        "list_query": query(place),
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


def _result_url(run: Run, row: ResultRow, place: Mapping[str, object], **more: object) -> str:
    """The page of a result; `place` is where in the list it was opened."""
    here = reverse("runs:result", args=[run.project.slug, run.number, row.number])
    return here + query(place, r=row.repetition + 1 if run.repetitions > 1 else None, **more)


def _opened(request: HttpRequest, project: Project, run: Run, item: int) -> dict[str, Any]:
    """The open result with its neighbours in the list."""
    show, q, by = _wanted(request)
    all_rows = rows_of(run, [item], spans=True).get(item, ())
    open_row = _repetition(request, run, item, all_rows)
    row = shown(open_row, list(run.scorers.all()))
    view = request.GET.get("view", "diff")
    view = view if view in dict(VIEWS) else "diff"
    place = {
        "f": show if show != "all" else "",
        "by": by,
        "q": q,
        "after": number_in(request, "after"),
        "before": number_in(request, "before"),
    }
    beside = queries.result_neighbours(run, item, show=show, scorer=by, q=q)
    kept_view = view if view != "diff" else ""

    def beside_url(number: int | None) -> str:
        if number is None:
            return ""
        here = reverse("runs:result", args=[run.project.slug, run.number, number])
        return here + query(place, view=kept_view)

    both = row.has_expected and row.row.status == "ok"
    return {
        "open": row,
        "advice": advice(open_row.error_type),
        "given": _context_of(run, open_row),
        "trace": trace_view(open_row.spans_json, open_row.trace_id, project.trace_url),
        "repetitions": [
            RepetitionLink(
                each.repetition + 1,
                _result_url(run, each, place, view=kept_view),
                mark_of(each),
                each is open_row,
            )
            for each in all_rows
            if run.repetitions > 1
        ],
        "view": view if both else "raw",
        "views": [
            (name, label, _result_url(run, open_row, place, view=name))
            for name, label in VIEWS
            if both
        ],
        "compared": compared(row.expected, row.output) if both and view != "raw" else None,
        "all_url": _result_url(run, open_row, place, view="raw", all="1"),
        "show_all": request.GET.get("all") == "1",
        "input_limit": 0 if request.GET.get("all") == "1" else INPUT_SHOWN,
        "all_input_url": _result_url(run, open_row, place, view=kept_view, all="1"),
        "previous_result": beside_url(beside.previous),
        "next_result": beside_url(beside.next),
        "list_query": query(place),
    }


def _repetition(request: HttpRequest, run: Run, item: int, rows: Sequence[ResultRow]) -> ResultRow:
    """The repetition that is asked for, else the first that the filter holds."""
    wanted = number_in(request, "r")
    if wanted is not None:
        found = [row for row in rows if row.repetition + 1 == wanted]
    else:
        show, _, by = _wanted(request)
        found = [row for row in rows if matches(row, show, by)] or list(rows)
    if not found:
        raise NotFound(f"Run #{run.number} has no such result for item #{item}.")
    return found[0]


def _context_of(run: Run, row: ResultRow) -> dict[str, Any]:
    """What the target was given as context: the run's, with the item's own over it."""
    text = merged(run.context, row.item.context_json)
    given: dict[str, Any] = loads(text) if text else {}
    return given


def _page_text(page: Page[ResultRow], show: str) -> str:
    if not page.rows:
        return ""
    what = "results" if show == "all" else f"“{LABELS[show]}” results"
    whole = f" of {integer(page.total)}" if page.total is not None else ""
    numbers = f"items {page.rows[0].number} to {page.rows[-1].number}"
    return f"{integer(len(page.rows))}{whole} {what}, {numbers}"
