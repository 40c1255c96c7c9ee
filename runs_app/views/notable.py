"""Panels of a run's page that are read when they are opened: the slowest, the worst, the classes.

Without a script each is a page of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from evalhub.access.doors import project_view
from evalhub.access.models import Project
from evalhub.kit.figures import decimal, duration_ms
from evalhub.kit.htmx import wants_fragment
from runs_app.classes import class_fields, class_report
from runs_app.models import Run
from runs_app.notable import Notable, slowest, worst
from runs_app.statistics.classification import Classification
from runs_app.views.common import find_run, query
from runs_app.views.heads import head

SHADES = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One result with the address of its page."""

    label: str
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One count of the confusion matrix; `shade` is 0 for none, up to SHADES for the whole row."""

    count: int
    shade: int
    right: bool


@project_view()
def notable(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """The slowest and the worst results."""
    run = find_run(request, project, number)
    scorer = next(iter(run.scorers.all()), None)
    context = {
        "panel": "runs/_notable.html",
        "title": "Slowest and worst",
        "scorer": scorer,
        "slowest": [_line(project, run, each, duration_ms(each.value)) for each in slowest(run)],
        "worst": [
            _line(project, run, each, decimal(each.value, 0 if each.value in (0, 1) else 3))
            for each in (worst(scorer) if scorer else ())
        ],
    }
    return panel(request, project, run, context)


@project_view()
def classes(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Accuracy, the figures by class and the confusion matrix of `?field=`, else the first."""
    run = find_run(request, project, number)
    fields = class_fields(run)
    wanted = request.GET.get("field", "")
    field = wanted if wanted in fields else next(iter(fields), "")
    report = class_report(run, field) if field else None
    here = reverse("runs:classes", args=[project.slug, run.number])
    context = {
        "panel": "runs/_classes.html",
        "title": "Classes",
        "fields": [(each, here + query({"field": each}), each == field) for each in fields],
        "report": report,
        "matrix": confusion(report.figures) if report else [],
    }
    return panel(request, project, run, context)


def panel(
    request: HttpRequest, project: Project, run: Run, context: dict[str, Any]
) -> HttpResponse:
    """The template `panel` of the context, alone for htmx, else on a page under the run's head."""
    if wants_fragment(request):
        return render(request, context["panel"], {"run": run} | context)
    context |= head(project, run)
    return render(request, "runs/panel.html", context, status=HTTPStatus.OK)


def _line(project: Project, run: Run, found: Notable, text: str) -> Line:
    repeated = run.repetitions > 1
    href = reverse("runs:result", args=[project.slug, run.number, found.number])
    href += query({"r": found.repetition + 1 if repeated else None})
    label = f"{found.number:04d}" + (f" ×{found.repetition + 1}" if repeated else "")
    return Line(label, text, href)


def confusion(figures: Classification) -> list[tuple[str, list[Cell]]]:
    """(expected class, its row): the shades are shares of the row."""
    rows = []
    for i, (each, counts) in enumerate(zip(figures.classes, figures.matrix, strict=True)):
        whole = max(1, sum(counts))
        cells = [Cell(n, -(-n * SHADES // whole), i == j) for j, n in enumerate(counts)]
        rows.append((each.label, cells))
    return rows
