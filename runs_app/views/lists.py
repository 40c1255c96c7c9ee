"""Lists of runs: the project's and a dataset's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from datasets_app import public
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.figures import integer
from runs_app import overview, queries, states, trends
from runs_app.models import Run
from runs_app.views.common import actor, number_in, query

PAGE_SIZE = 50
FILTERS = (
    ("", "All"),
    ("active", "Running"),
    (states.COMPLETED, "Completed"),
    (states.FAILED, "Failed"),
    (states.CANCELLED, "Cancelled"),
)


@dataclass(frozen=True, slots=True)
class Filter:
    label: str
    count: int
    href: str
    current: bool


@project_view()
def runs(request: HttpRequest, project: Project) -> HttpResponse:
    """All runs of the project, newest first."""
    here = reverse("runs:list", args=[project.slug])
    context = _list(request, project, here) | {"show_dataset": True}
    return render(request, "runs/list.html", context)


@project_view()
def runs_of_dataset(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """The runs of one dataset, with the trend of their primary score."""
    shell = public.shell(actor(request), project, slug, tab="runs")
    dataset = public.find_dataset(actor(request), project, slug)
    here = reverse("runs:of_dataset", args=[project.slug, slug])
    known = trends.choices(actor(request), project, dataset.id)
    target, tag = request.GET.get("target", ""), request.GET.get("tag", "")
    recent = trends.recent(actor(request), project, dataset.id, target=target, tag=tag)
    context = _list(request, project, here, dataset_id=dataset.id) | {
        "show_dataset": False,
        "can_pin": shell.get("can_edit", Role.allows(request.role, Role.EDITOR)),  # type: ignore[attr-defined]
        "choices": known,
        "target": target,
        "tag": tag,
        "new_url": reverse("runs:new", args=[project.slug]) + query({"dataset": slug}),
    }
    context |= _trend(request, project, here, recent, {"target": target, "tag": tag})
    return render(request, "runs/of_dataset.html", shell | context)


def _trend(
    request: HttpRequest,
    project: Project,
    here: str,
    recent: list[Run],
    kept: dict[str, str],
) -> dict[str, Any]:
    """The chart over the table, and the links to the other figures."""
    series = trends.series_of(recent)
    wanted = request.GET.get("show", "")
    chosen = next((each for each in series if each.key == wanted), next(iter(series), None))
    shown = chosen and trends.trend(
        recent, chosen, lambda run: reverse("runs:detail", args=[project.slug, run.number])
    )
    more = {name: request.GET.get(name, "") for name in ("status", "q")}
    return {
        "trend": shown,
        "show": wanted,
        "series": [
            (each.label, here + query({**more, **kept, "show": each.key}), each == chosen)
            for each in series
        ],
    }


def _list(
    request: HttpRequest, project: Project, here: str, *, dataset_id: int | None = None
) -> dict[str, Any]:
    """Context of `runs/_table.html`."""
    q, status = request.GET.get("q", ""), request.GET.get("status", "")
    narrowed = {name: request.GET.get(name, "") for name in ("target", "tag")}
    every = queries.runs(actor(request), project, dataset_id=dataset_id, q=q, **narrowed)
    found = queries.runs(
        actor(request), project, dataset_id=dataset_id, status=status, q=q, **narrowed
    )
    rows, newer, older = _page(found, request)
    kept = {"status": status, "q": q, **narrowed, "show": request.GET.get("show", "")}
    lines = overview.lines(rows)
    return {
        "list_url": here,
        "new_url": reverse("runs:new", args=[project.slug]),
        "q": q,
        "status": status,
        "rows": lines,
        "show_change": any(line.change is not None for line in lines),
        "here": request.get_full_path(),
        "show_cost": any(line.tokens is not None or line.cost_usd is not None for line in lines),
        "filters": _filters(every, here, status, kept),
        "previous_url": here + query(kept, after=newer) if newer else "",
        "next_url": here + query(kept, before=older) if older else "",
        "page_text": _page_text(rows),
    }


def _page(found: QuerySet[Run], request: HttpRequest) -> tuple[list[Run], int | None, int | None]:
    """Up to PAGE_SIZE runs, and the numbers from which newer and older ones follow."""
    before, after = number_in(request, "before"), number_in(request, "after")
    if after is not None:
        rows = list(found.filter(number__gt=after).order_by("number")[: PAGE_SIZE + 1])
        newer, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE][::-1]
        older = True
    else:
        if before is not None:
            found = found.filter(number__lt=before)
        rows = list(found[: PAGE_SIZE + 1])
        newer, older = before is not None, len(rows) > PAGE_SIZE
        rows = rows[:PAGE_SIZE]
    if not rows:
        return [], None, None
    return rows, rows[0].number if newer else None, rows[-1].number if older else None


def _filters(found: QuerySet[Run], here: str, status: str, kept: dict[str, str]) -> list[Filter]:
    """The chips; a state that no run is in is left out, unless it is chosen."""
    counts = dict(found.order_by().values_list("status").annotate(Count("pk")))
    counts["active"] = sum(counts.get(state, 0) for state in states.ACTIVE)
    counts[""] = sum(counts.get(state, 0) for state in states.ALL)
    return [
        Filter(label, counts.get(name, 0), here + query({**kept, "status": name}), name == status)
        for name, label in FILTERS
        if counts.get(name) or name in ("", status)
    ]


def _page_text(rows: list[Run]) -> str:
    if len(rows) < 2:
        return "1 run" if rows else ""
    return f"{integer(len(rows))} runs, #{rows[0].number} to #{rows[-1].number}"
