"""The panel of a scorer's run: how far it agrees with people, and where it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from evalhub.access.doors import project_view
from evalhub.access.models import Project
from evalhub.kit.figures import decimal, integer
from evalhub.kit.json import loads
from runs_app.calibrating import (
    CalibrationReport,
    Disagreement,
    Value,
    calibrates,
    calibration,
)
from runs_app.models import Run
from runs_app.result_rows import rows_of
from runs_app.views.common import find_run, number_in, query
from runs_app.views.notable import confusion, panel

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One disagreement with what the scorer saw and the address of the result."""

    number: int
    input: Any
    label: str
    given: str
    error: str
    href: str


@project_view()
def calibrated(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Agreement, kappa or correlation, and the disagreements from offset `?after=`."""
    run = find_run(request, project, number)
    report = calibration(run) if calibrates(run) and not run.active else None
    context: dict[str, Any] = {
        "panel": "runs/_calibration.html",
        "title": "Calibration",
        "report": report,
        "is_scorer": calibrates(run),
    }
    if report is not None:
        first = min(number_in(request, "after") or 0, len(report.disagreements))
        context |= _page(project, run, report, first)
        if report.agreement is not None:
            context["matrix"] = confusion(report.agreement.figures)
    return panel(request, project, run, context)


def _page(project: Project, run: Run, report: CalibrationReport, first: int) -> dict[str, Any]:
    """The disagreements from an offset, with the addresses of the pages beside."""
    total = len(report.disagreements)
    found = report.disagreements[first : first + PAGE_SIZE]
    rows = rows_of(run, [each.number for each in found])
    here = reverse("runs:calibration", args=[project.slug, run.number])
    last, before = first + len(found), max(0, first - PAGE_SIZE)
    inputs = {number: loads(of_item[0].item.input_json) for number, of_item in rows.items()}
    return {
        "lines": [_line(project, run, each, inputs.get(each.number)) for each in found],
        "total": total,
        "text": f"{integer(first + 1)} to {integer(last)} of {integer(total)}",
        "previous": here + query({"after": before}) if first else "",
        "next": here + query({"after": last}) if last < total else "",
    }


def _line(project: Project, run: Run, found: Disagreement, given: Any) -> Line:
    href = reverse("runs:result", args=[project.slug, run.number, found.number])
    href += query({"r": found.repetition + 1 if run.repetitions > 1 else None})
    return Line(
        number=found.number,
        input=given,
        label=_text(found.label),
        given=_text(found.given),
        error="" if found.error is None else decimal(found.error, 3, signed=True),
        href=href,
    )


def _text(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
