"""Two runs beside each other: verdicts, figures, latency, and the items behind them.

While a run goes on the page polls itself and shows progress and means; choosing no two runs gives
the page on which to choose them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from evalhub.access.doors import project_view
from evalhub.access.models import Project
from evalhub.kit.figures import integer
from evalhub.kit.htmx import render_page, wants_fragment
from evalhub.kit.models import Worker
from evalhub.kit.plots import LatencyProfile
from runs_app import comparing, queries
from runs_app.joining import shared_scorers
from runs_app.models import Run
from runs_app.views.common import actor, find_run, number_in, part_for
from runs_app.views.pairs import ItemsView, opened_pair
from runs_app.views.shown import latency_label, latency_profile, took
from runs_app.views.verdicts import Paired, more_sentences, pairing_facts, scale_of, score_lines

TEMPLATE = "runs/compare.html"
CHOICES = 100  # runs in each selector
NEAR = 8  # runs of the same dataset that are offered as baselines
LIVE_MEANS_UP_TO = 20_000  # results; larger runs show their means when they are over
MOST_MARGIN = 100.0


@dataclass(frozen=True, slots=True)
class Side:
    """One run of the pair with its progress and, when it is over, its latency strip."""

    key: str
    run: Run
    dataset: str
    progress: queries.Progress
    label: str
    latency: LatencyProfile | None
    latency_label: str
    took: float | None


@project_view()
def compare(request: HttpRequest, project: Project) -> HttpResponse:
    """The comparison of `?run=A&run=B`; the page to choose two without them."""
    given = [ref for ref in request.GET.getlist("run") if ref.strip()]
    if "pick" in request.GET and len(set(given)) == 2:
        return _in_order(request, project, given)
    if len(given) != 2 or given[0] == given[1]:
        return render(request, TEMPLATE, _choosing(request, project, given))
    run_a, run_b = (find_run(request, project, ref) for ref in given)
    context = _selectors(request, project, [run_a, run_b])
    context |= _comparison(request, project, run_a, run_b)
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
    context["items"] = _items(request, project, run_a, run_b)
    answer = render_page(request, TEMPLATE, context, part="items")
    answer["HX-Push-Url"] = page
    return answer


def _pairs(request: HttpRequest) -> list[tuple[str, str]]:
    """The query string's names and values, in the order given."""
    return [(name, value) for name, values in request.GET.lists() for value in values]


def _two(request: HttpRequest) -> Sequence[str]:
    given = request.GET.getlist("run")
    return given if len(given) == 2 else ("", "")


def _in_order(request: HttpRequest, project: Project, given: Sequence[str]) -> HttpResponse:
    """From check boxes in a list: the older run is the baseline."""
    numbers = sorted(find_run(request, project, ref).number for ref in set(given))
    here = reverse("runs:compare", args=[project.slug])
    return redirect(f"{here}?run={numbers[0]}&run={numbers[1]}")


def _choosing(request: HttpRequest, project: Project, given: Sequence[str]) -> dict[str, Any]:
    """Context of the page on which two runs are chosen; one that is given is the candidate."""
    problem = ""
    if len(set(given)) > 2:
        problem = f"A comparison takes two runs; {len(set(given))} were chosen."
    elif len(given) == 2:
        problem = "Choose two different runs."
    chosen: list[Run | None] = [None, None]
    if len(set(given)) == 1:
        # A form with an empty candidate names the baseline; a link with one run its candidate.
        is_baseline = len(given) == 1 and request.GET.getlist("run")[-1].strip() == ""
        chosen[0 if is_baseline else 1] = find_run(request, project, given[0])
    context = _selectors(request, project, chosen)
    candidate = chosen[1]
    near = [
        run
        for run in context["runs"]
        if candidate and run.dataset_id == candidate.dataset_id and run.pk != candidate.pk
    ]
    return context | {"problem": problem, "candidate": candidate, "near": near[:NEAR]}


def _selectors(
    request: HttpRequest, project: Project, chosen: Sequence[Run | None]
) -> dict[str, Any]:
    """The two selectors, the margin, and the address with A and B swapped."""
    recent = list(queries.runs(actor(request), project)[:CHOICES])
    known = {run.pk for run in recent}
    recent += [run for run in chosen if run is not None and run.pk not in known]
    here = reverse("runs:compare", args=[project.slug])
    a, b = chosen
    return {
        "runs": recent,
        "sides": [("a", "Baseline", a), ("b", "Candidate", b)],
        "margin": _margin(request),
        "margin_text": f"{_margin(request):g}",
        "compare_url": here,
        "swap_url": f"{here}?run={b.number}&run={a.number}{_margin_query(request)}"
        if a and b
        else "",
    }


def _comparison(request: HttpRequest, project: Project, run_a: Run, run_b: Run) -> dict[str, Any]:
    """Everything under the selectors."""
    datasets = queries.datasets_of([run_a, run_b])
    sides = [_side(key, run, datasets[run.pk].name) for key, run in (("a", run_a), ("b", run_b))]
    here = reverse("runs:compare", args=[project.slug])
    base = f"{here}?run={run_a.number}&run={run_b.number}{_margin_query(request)}"
    context: dict[str, Any] = {
        "a": run_a,
        "b": run_b,
        "pair": sides,
        "absolute_url": request.build_absolute_uri(base),
        "dataset": datasets[run_b.pk],
        "base_url": base,
        "in_progress": run_a.active or run_b.active,
        "comparison": None,
    }
    if context["in_progress"]:
        context |= _so_far(sides)
        if context["done"] > LIVE_MEANS_UP_TO or not context["done"]:
            return context
    found = comparing.compare(run_a, run_b, margin=_margin(request))
    paired = Paired(found, base)
    lines = score_lines(paired)
    context |= {
        "comparison": found,
        "lines": lines,
        "scale": scale_of(lines, found.margin),
        "headline": [
            {
                "verdict": {"good": "better", "bad": "worse"}.get(line.tone, "cannot_tell"),
                "text": line.text,
                "evidence": line.detail,
            }
            for line in found.headline
        ],
        "more": more_sentences(found),
        "facts": pairing_facts(paired),
        "longest_ms": max((s.latency.max_ms for s in sides if s.latency), default=None),
        "p50_change": _p50_change(found),
        "margin_line": -found.margin,
        "zeros": [line.errors_as_zero for line in lines if line.errors_as_zero],
        "others": len([line for line in lines if not line.c.primary]),
    }
    if not context["in_progress"]:
        context["items"] = _items(request, project, run_a, run_b, found)
    return context


def _side(key: str, run: Run, dataset: str) -> Side:
    latency = None if run.active else latency_profile(queries.summary(run))
    now = queries.progress(run)
    return Side(
        key=key,
        run=run,
        dataset=dataset,
        progress=now,
        label=f"{run.name}: {integer(now.done)} of {integer(now.total)} results",
        latency=latency,
        latency_label=f"{run.name}, {latency_label(latency)}",
        took=took(run),
    )


def _so_far(sides: Sequence[Side]) -> dict[str, Any]:
    """How far both runs are, in figures for one sentence."""
    done = sum(side.progress.done for side in sides)
    total = sum(side.progress.total for side in sides)
    active = [side.run for side in sides if side.run.active]
    return {
        "done": done,
        "total": total,
        "percent": int(100 * done / total) if total else 0,
        "running": len(active),
        "running_number": active[0].number,
        "worker_alive": done > 0 or Worker.objects.alive().exists(),
    }


def _items(
    request: HttpRequest,
    project: Project,
    run_a: Run,
    run_b: Run,
    found: comparing.Comparison | None = None,
) -> ItemsView:
    """The page of items that the address asks for; what regressed when it does not say."""
    by, q = request.GET.get("by", ""), request.GET.get("q", "")
    open_number = number_in(request, "i")
    show = request.GET.get("f", "") or _first_group(found, by)
    after = number_in(request, "after")
    page = comparing.items_page(run_a, run_b, scorer=by, show=show, after=after, q=q)
    shared = shared_scorers(run_a, run_b)
    chosen = by or (shared[0].name if shared else "")
    return ItemsView(
        page=page,
        show=show,
        by=chosen,
        names=tuple(scorer.name for scorer in shared),
        higher_is_better=next((s.a.higher_is_better for s in shared if s.name == chosen), True),
        binary=next((s.binary for s in shared if s.name == chosen), False),
        q=q,
        open=opened_pair(run_a, run_b, page, open_number, by, show),
        numbers=(run_a.number, run_b.number),
        margin=request.GET.get("margin", ""),
        after=after,
        project_slug=project.slug,
    )


def _first_group(found: comparing.Comparison | None, by: str) -> str:
    """The first group that holds something, of those that ask for attention first."""
    scorers = found.scorers if found else ()
    scorer = next((each for each in scorers if each.name == by or not by), None)
    if scorer is None or scorer.regressed:
        return "regressed"
    return "improved" if scorer.improved else "unchanged"


def _p50_change(found: comparing.Comparison) -> float | None:
    a, b = found.a.latency_ms["p50"], found.b.latency_ms["p50"]
    return None if a is None or b is None else b - a


def _margin(request: HttpRequest) -> float:
    """The margin in points; the default for anything that is no number from 0 to 100."""
    try:
        margin = float(request.GET.get("margin", "").replace(",", "."))
    except ValueError:
        return comparing.DEFAULT_MARGIN
    usable = math.isfinite(margin) and 0 <= margin <= MOST_MARGIN
    return margin if usable else comparing.DEFAULT_MARGIN


def _margin_query(request: HttpRequest) -> str:
    """ "&margin=5" when it is not the default, else ""."""
    margin = _margin(request)
    return "" if margin == comparing.DEFAULT_MARGIN else f"&margin={margin:g}"
