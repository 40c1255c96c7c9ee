"""Runs beside each other: verdicts, figures, and the items behind them.

Two runs have a page of their own (`compared_two.py`), three to twenty another (`compared_many.py`);
choosing fewer gives the page on which to choose them. While a run goes on the page polls itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from datasets_app import public
from datasets_app.public import DatasetRow
from evalhub.access.doors import project_view
from evalhub.access.models import Project
from evalhub.kit.figures import integer
from evalhub.kit.htmx import render_page, wants_fragment
from runs_app import changes, comparing, queries
from runs_app.comparing_many import MOST_RUNS
from runs_app.item_fields import group_fields
from runs_app.margins import DEFAULT_MARGIN
from runs_app.models import Run
from runs_app.views import compared_many, compared_two
from runs_app.views.asked import asked, cluster_choices, slice_choices
from runs_app.views.common import actor, find_run, part_for

TEMPLATE = "runs/compare.html"
MANY = "runs/compare_many.html"
CHOICES = 100  # runs in each selector
NEAR = 8  # runs of the same dataset that are offered as baselines


@project_view()
def compare(request: HttpRequest, project: Project) -> HttpResponse:
    """The comparison of `?run=A&run=B` and more; the page to choose two without them."""
    given = [ref for ref in request.GET.getlist("run") if ref.strip()]
    different = list(dict.fromkeys(given))
    if "pick" in request.GET and 2 <= len(different) <= MOST_RUNS:
        return _in_order(request, project, different)
    if 3 <= len(different) <= MOST_RUNS:
        return _many(request, project, different)
    if len(given) != 2 or len(different) != 2:
        return render(request, TEMPLATE, _choosing(request, project, different, len(given)))
    run_a, run_b = (find_run(request, project, ref) for ref in given)
    context = _selectors(request, project, [run_a, run_b])
    context |= compared_two.context(request, project, run_a, run_b, asked(request))
    part = part_for(request, comparison="comparison")
    return render_page(request, TEMPLATE, context | {"polled": part is not None}, part=part)


@project_view()
def items(request: HttpRequest, project: Project) -> HttpResponse:
    """The items of a comparison for htmx; anybody else is sent to the whole page."""
    here = reverse("runs:compare", args=[project.slug])
    page = f"{here}?{urlencode([(name, value) for name, value in _pairs(request) if value])}"
    if not wants_fragment(request):
        return redirect(page)
    run_a, run_b = (find_run(request, project, ref) for ref in _two(request))
    context: dict[str, Any] = {"a": run_a, "b": run_b}
    context["items"] = compared_two.items(request, project, run_a, run_b, asked(request))
    answer = render_page(request, TEMPLATE, context, part="items")
    answer["HX-Push-Url"] = page
    return answer


def _many(request: HttpRequest, project: Project, given: Sequence[str]) -> HttpResponse:
    runs = list(
        {run.pk: run for run in (find_run(request, project, ref) for ref in given)}.values()
    )
    wanted = asked(request)
    if len(runs) < 3:  # a number and a uuid may name one run
        return redirect(wanted.url(project, [run.number for run in runs]))
    context = compared_many.context(request, project, runs, wanted)
    known = {run.pk for run in runs}
    recent = queries.runs(actor(request), project)[: CHOICES + len(runs)]
    context["addable"] = [run for run in recent if run.pk not in known] if len(runs) < 20 else []
    part = part_for(request, comparison="comparison")
    return render_page(request, MANY, context, part=part)


def _pairs(request: HttpRequest) -> list[tuple[str, str]]:
    """The query string's names and values, in the order given."""
    return [(name, value) for name, values in request.GET.lists() for value in values]


def _two(request: HttpRequest) -> Sequence[str]:
    given = request.GET.getlist("run")
    return given if len(given) == 2 else ("", "")


def _in_order(request: HttpRequest, project: Project, given: Sequence[str]) -> HttpResponse:
    """From check boxes in a list: the oldest run is the baseline."""
    numbers = sorted({find_run(request, project, ref, scorers=False).number for ref in given})
    return redirect(asked(request).url(project, numbers))


def _choosing(
    request: HttpRequest, project: Project, given: Sequence[str], count: int
) -> dict[str, Any]:
    """Context of the page on which runs are chosen; one that is given is the candidate. `given`
    are different ones, of `count` in all. The baseline of the candidate's dataset, or of the one
    that the address names, is chosen already."""
    problem = ""
    if len(given) > MOST_RUNS:
        problem = f"A comparison takes 2 to {MOST_RUNS} runs; {integer(len(given))} were chosen."
    elif count > 1:
        problem = "Choose two different runs."
    chosen: list[Run | None] = [None, None]
    if len(given) == 1:
        # A form with an empty candidate names the baseline; a link with one run its candidate.
        is_baseline = count == 1 and request.GET.getlist("run")[-1].strip() == ""
        chosen[0 if is_baseline else 1] = find_run(request, project, given[0])
    candidate = chosen[1]
    dataset = _dataset(request, project)
    within = candidate.dataset_id if candidate else dataset.id if dataset else None
    pinned = None if chosen[0] else changes.baseline_of(within)
    if pinned is not None and pinned != candidate:
        chosen[0] = pinned
    context = _selectors(request, project, chosen, dataset)
    near = [
        run
        for run in context["runs"]
        if run.dataset_id == within and run not in (pinned, candidate)
    ]
    return context | {
        "problem": problem,
        "dataset": dataset,
        "candidate": candidate,
        "base": chosen[0] if pinned else None,
        "near": near[:NEAR],
    }


def _dataset(request: HttpRequest, project: Project) -> DatasetRow | None:
    """The dataset whose runs alone are offered; None without one in the address."""
    slug = request.GET.get("dataset", "")
    return public.find_dataset(actor(request), project, slug) if slug else None


def _margin_hint(a: Run | None, b: Run | None) -> str:
    """What holds without a margin in the address: one for all scorers, or each its own."""
    margins = set(comparing.margins_of(a, b).values()) if a and b else set()
    if len(margins) > 1:
        return "own"
    return "".join(f"{margin:g}" for margin in margins) or f"{DEFAULT_MARGIN:g}"


def _selectors(
    request: HttpRequest,
    project: Project,
    chosen: Sequence[Run | None],
    dataset: DatasetRow | None = None,
) -> dict[str, Any]:
    """The selectors of runs, those of `dataset` alone when given, margin and fields, and the
    address with A and B swapped."""
    found = queries.runs(actor(request), project, dataset_id=dataset.id if dataset else None)
    recent = list(found[:CHOICES])
    known = {run.pk for run in recent}
    recent += [run for run in chosen if run is not None and run.pk not in known]
    a, b = chosen
    wanted = asked(request)
    fields = group_fields(b) if a and b else []
    both = {run.pk for run in chosen if run}
    return {
        "runs": recent,
        "addable": [run for run in recent if run.pk not in both] if a and b else [],
        "sides": [("a", "Baseline", a), ("b", "Candidate", b)],
        "margin_text": wanted.margin_text,
        "margin_hint": _margin_hint(a, b),
        "clusters": cluster_choices(b, wanted, fields) if a and b else [],
        "slicings": slice_choices(wanted, fields),
        "wanted": wanted,
        "compare_url": reverse("runs:compare", args=[project.slug]),
        "swap_url": wanted.url(project, [b.number, a.number]) if a and b else "",
    }
