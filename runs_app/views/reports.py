"""The report of a comparison, to keep or to send: a file in one of four formats."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header

from evalhub.access.doors import project_view
from evalhub.access.models import Project
from evalhub.kit.errors import NotFound
from runs_app import comparing, comparing_many, packing
from runs_app.reporting import CONTENT_TYPES, written
from runs_app.views.asked import asked
from runs_app.views.common import find_run, number_in
from runs_app.views.report_parts import many_report, two_report


@project_view()
def report(request: HttpRequest, project: Project) -> HttpResponse:
    """The comparison of the runs in the address as a download; `format` is html, md, csv or json.

    Sent to the page while large runs are still read: it says how far that is.
    """
    format = request.GET.get("format", "html")
    if format not in CONTENT_TYPES:
        raise NotFound(f"There is no report as “{format}”. There are: {', '.join(CONTENT_TYPES)}.")
    refs = dict.fromkeys(ref for ref in request.GET.getlist("run") if ref.strip())
    runs = [find_run(request, project, ref) for ref in refs]
    runs = list({run.pk: run for run in runs}.values())
    wanted = asked(request)
    if not 2 <= len(runs) <= comparing_many.MOST_RUNS:
        raise NotFound("A report is about 2 to 20 runs; name them in the address.")
    numbers = [run.number for run in runs]
    asked_for = number_in(request, "baseline")
    baseline = numbers.index(asked_for) if asked_for in numbers else 0
    more = {"baseline": numbers[baseline]} if baseline else {}
    page = wanted.url(project, numbers, **more)
    fields = [wanted.slices, comparing.cluster_field_of(runs[-1]), wanted.cluster or ""]
    if packing.preparing(runs, [field for field in fields if field]) is not None:
        return redirect(page)
    address = request.build_absolute_uri(page)
    if len(runs) == 2:
        made = two_report(runs[0], runs[1], wanted, address)
    else:
        made = many_report(runs, baseline, wanted, address)
    text = written(made, format, _css() if format == "html" else "")
    name = f"comparison-{'-'.join(str(number) for number in numbers[:6])}.{format}"
    return HttpResponse(
        text,
        content_type=CONTENT_TYPES[format],
        headers={
            "Content-Disposition": content_disposition_header(True, name) or "attachment",
            "X-Content-Type-Options": "nosniff",
        },
    )


@cache
def _css() -> str:
    """The rules of the report's HTML."""
    path = finders.find("css/report.css")
    assert isinstance(path, str)
    return Path(path).read_text(encoding="utf-8")
