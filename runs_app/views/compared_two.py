"""Everything under the selectors of a comparison of two runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest

from datasets_app import public
from datasets_app.public import DatasetRow
from evalhub.access.models import Project
from evalhub.kit.figures import integer
from evalhub.kit.models import Worker
from evalhub.kit.plots import LatencyProfile
from runs_app import comparing, packing, queries
from runs_app.classes import class_fields
from runs_app.joining import shared_scorers
from runs_app.models import Run
from runs_app.views import noted
from runs_app.views.asked import Asked
from runs_app.views.common import number_in
from runs_app.views.costs import cost_lines, latency_change, share_of_cost
from runs_app.views.pairs import ItemsView, opened_pair, with_neighbours
from runs_app.views.shown import latency_label, latency_profile, took
from runs_app.views.verdicts import (
    Paired,
    exclusions,
    margin_words,
    more_sentences,
    pairing_facts,
    partial,
    scale_of,
    score_lines,
    slice_lines,
)

LIVE_MEANS_UP_TO = 20_000  # results; larger runs show their means when they are over
REPORTS = (("html", "HTML"), ("md", "Markdown"), ("csv", "CSV"), ("json", "JSON"))


@dataclass(frozen=True, slots=True)
class Side:
    """One run of the pair with its progress and, when it is over, its summary and latency strip."""

    key: str
    run: Run
    dataset: str
    progress: queries.Progress
    label: str
    summary: dict[str, Any] | None
    latency: LatencyProfile | None
    latency_label: str
    took: float | None


def context(
    request: HttpRequest, project: Project, run_a: Run, run_b: Run, wanted: Asked
) -> dict[str, Any]:
    """What the template shows; `preparing` is a share while large runs are read in the
    background."""
    datasets = queries.datasets_of([run_a, run_b])
    sides = [_side(key, run, _name(datasets, run)) for key, run in (("a", run_a), ("b", run_b))]
    numbers = (run_a.number, run_b.number)
    base = wanted.url(project, numbers)
    found: dict[str, Any] = {
        "a": run_a,
        "b": run_b,
        "pair": sides,
        "dataset": datasets.get(run_b.pk),
        "deleted": _deleted(datasets, run_a, run_b),
        "base_url": base,
        "in_progress": run_a.active or run_b.active,
        "comparison": None,
        "reports": reports(wanted, project, numbers),
    }
    if found["in_progress"]:
        found |= _so_far(sides)
        if found["done"] > LIVE_MEANS_UP_TO or not found["done"]:
            return found
    waiting = packing.preparing([run_a, run_b], _fields(run_b, wanted))
    if waiting is not None:
        return found | {"preparing": waiting, "here": request.get_full_path()}
    comparison = comparing.compare(
        run_a,
        run_b,
        margin=wanted.margin,
        cluster=wanted.cluster,
        slices=wanted.slices,
        by=request.GET.get("by", "") if wanted.slices else "",
    )
    found |= figures(comparison, base, sides)
    if not found["in_progress"]:
        if class_fields(run_b):
            found["classes_url"] = wanted.url_of("runs:compare_classes", project, numbers)
        found["items"] = items(request, project, run_a, run_b, wanted, comparison, datasets)
    return found


def figures(found: comparing.Comparison, base: str, sides: list[Side]) -> dict[str, Any]:
    """The comparison as rows and sentences; `sides` bring the summaries."""
    paired = Paired(found, base)
    lines = score_lines(paired)
    measures = {each.name: each for each in found.measures}
    a, b = (side.summary for side in sides)
    more = more_sentences(found)
    if a and b:
        more = f"{more} {share_of_cost(a, b)}".strip()
    sliced = slice_lines(paired)
    return {
        "comparison": found,
        "lines": lines,
        "scale": scale_of(lines),
        "partial": partial(lines),
        "exclusions": exclusions(paired),
        "headline": [
            {
                "verdict": {"good": "better", "bad": "worse"}.get(line.tone, "cannot_tell"),
                "text": line.text,
                "evidence": line.detail,
            }
            for line in found.headline
        ],
        "more": more,
        "facts": pairing_facts(paired),
        "longest_ms": max((s.latency.max_ms for s in sides if s.latency), default=None),
        "latency_change": latency_change(measures),
        "costs": cost_lines(measures, a, b) if a and b else [],
        "margins": margin_words(found.scorers),
        "own_margins": len({line.c.margin_points for line in lines}) > 1,
        "zeros": [line.errors_as_zero for line in lines if line.errors_as_zero],
        "others": len([line for line in lines if not line.c.primary]),
        "clustered": any(line.c.difference and line.c.difference.clusters for line in lines),
        "slices": sliced,
        "slice_scale": scale_of(sliced),
    }


def items(
    request: HttpRequest,
    project: Project,
    run_a: Run,
    run_b: Run,
    wanted: Asked,
    found: comparing.Comparison | None = None,
    datasets: Mapping[int, DatasetRow] | None = None,
) -> ItemsView:
    """The page of items that the address asks for; what regressed when it does not say.

    `datasets` are those of the runs, by run; they are read when an item is open and none are given.
    """
    by, q = request.GET.get("by", ""), request.GET.get("q", "")
    open_number = number_in(request, "i")
    show = request.GET.get("f", "") or _first_group(found, by)
    after = number_in(request, "after")
    value = request.GET.get("value", "")
    within = (wanted.slices, value) if wanted.slices and value else None
    page = comparing.items_page(run_a, run_b, scorer=by, show=show, after=after, q=q, within=within)
    shared = shared_scorers(run_a, run_b)
    chosen = by or (shared[0].name if shared else "")
    view = ItemsView(
        page=page,
        show=show,
        by=chosen,
        names=tuple(scorer.name for scorer in shared),
        higher_is_better=next((s.a.higher_is_better for s in shared if s.name == chosen), True),
        binary=next((s.binary for s in shared if s.name == chosen), False),
        q=q,
        open=opened_pair(run_a, run_b, page, open_number, by, show),
        numbers=(run_a.number, run_b.number),
        datasets=(run_a.dataset_id or 0, run_b.dataset_id or 0),
        kept=wanted.kept() | {"value": value if within else ""},
        within=within,
        after=after,
        project_slug=project.slug,
    )
    view = with_neighbours(view, run_a, run_b)
    return _with_notes(request, project, view, datasets, run_a, run_b)


def _with_notes(
    request: HttpRequest,
    project: Project,
    view: ItemsView,
    datasets: Mapping[int, DatasetRow] | None,
    run_a: Run,
    run_b: Run,
) -> ItemsView:
    """The view with the notes of its open item, and with how many every other one has."""
    opened = view.open
    place = view.place(opened.pair) if opened else None
    notes = public.read_notes([view.place(pair) for pair in view.pairs()], opened=place)
    counts = {where: len(some) for where, some in notes.items()}
    if opened is None or place is None:
        return replace(view, noted=counts)
    datasets = datasets or queries.datasets_of([run_a, run_b])
    number = opened.pair.number
    block = noted.block(
        request,
        project,
        datasets[run_a.pk if opened.pair.a else run_b.pk],
        number,
        notes=notes.get(place, []),
        back=view.item_url(number, view.after),
    )
    return replace(view, noted=counts, open=replace(opened, notes=block))


def reports(
    wanted: Asked, project: Project, numbers: tuple[int, ...], **more: object
) -> list[tuple[str, str]]:
    """(format, address) of the report's downloads."""
    return [
        (label, wanted.url_of("runs:compare_report", project, numbers, format=name, **more))
        for name, label in REPORTS
    ]


def sides_of(run_a: Run, run_b: Run) -> list[Side]:
    """Both runs with their figures, for a report."""
    datasets = queries.datasets_of([run_a, run_b])
    return [_side(key, run, _name(datasets, run)) for key, run in (("a", run_a), ("b", run_b))]


def _side(key: str, run: Run, dataset: str) -> Side:
    summary = None if run.active else queries.summary(run)
    latency = latency_profile(summary) if summary else None
    now = queries.progress(run)
    return Side(
        key=key,
        run=run,
        dataset=dataset,
        progress=now,
        label=f"{run.name}: {integer(now.done)} of {integer(now.total)} results",
        summary=summary,
        latency=latency,
        latency_label=f"{run.name}, {latency_label(latency)}",
        took=took(run),
    )


def _deleted(datasets: dict[int, Any], *runs: Run) -> list[str]:
    """Names of the runs' datasets that were deleted, each once."""
    known = [datasets[run.pk] for run in runs if run.pk in datasets]
    return list(dict.fromkeys(row.name for row in known if row.deleted))


def _name(datasets: dict[int, Any], run: Run) -> str:
    return datasets[run.pk].name if run.pk in datasets else ""


def _fields(run: Run, wanted: Asked) -> list[str]:
    """The fields of items that the comparison reads."""
    own = comparing.cluster_field_of(run) if wanted.cluster is None else wanted.cluster
    return [field for field in (own, wanted.slices) if field]


def _so_far(sides: list[Side]) -> dict[str, Any]:
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


def _first_group(found: comparing.Comparison | None, by: str) -> str:
    """The first group that holds something, of those that ask for attention first."""
    scorers = found.scorers if found else ()
    scorer = next((each for each in scorers if each.name == by or not by), None)
    if found is None or scorer is None:
        return "regressed"
    pairing = found.pairing
    counts = {
        "regressed": scorer.regressed,
        "improved": scorer.improved,
        "unchanged": scorer.unchanged,
        "errors": pairing.errored_a + pairing.errored_b,
        "not_scored": pairing.not_scored,
        "changed": pairing.content_changed,
        "only_a": pairing.only_a,
        "only_b": pairing.only_b,
    }
    return next((group for group, count in counts.items() if count), "regressed")
