"""Everything on the page of three to twenty runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from evalhub.access.models import Project
from evalhub.kit.charts import Dot
from evalhub.kit.figures import integer
from evalhub.kit.json import loads
from evalhub.kit.plots import ForestScale, forest_scale
from runs_app import comparing, comparing_many, many_items, packing, queries
from runs_app.comparing_many import ManyComparison
from runs_app.item_fields import group_fields
from runs_app.models import Run
from runs_app.views.asked import Asked, cluster_choices
from runs_app.views.common import number_in
from runs_app.views.compared_two import LIVE_MEANS_UP_TO, reports
from runs_app.views.many_figures import (
    LETTERS,
    ManyLine,
    many_headline,
    many_lines,
    many_method,
    scale_text,
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """One run of the bar at the top, with the address of the comparison without it."""

    key: str
    run: Run
    dataset: str
    without: str
    is_baseline: bool
    line: comparing_many.RunLine | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """One run while not all are over, with how far it is."""

    key: str
    run: Run
    progress: queries.Progress


@dataclass(frozen=True, slots=True)
class ScorerPanel:
    """One scorer: its rows, one for each run, the dots chart, and what both say."""

    scorer: comparing_many.ManyScorer
    sentence: str
    omnibus: str
    lines: tuple[ManyLine, ...]
    dots: tuple[Dot, ...]
    dots_label: str
    dots_height: int
    dots_scale: str
    scale: ForestScale | None


def context(
    request: HttpRequest, project: Project, runs: Sequence[Run], wanted: Asked
) -> dict[str, Any]:
    """What the template shows. `baseline` in the address is a run's number; the first without."""
    numbers = tuple(run.number for run in runs)
    asked_for = number_in(request, "baseline")
    baseline = numbers.index(asked_for) if asked_for in numbers else 0
    more = {"baseline": numbers[baseline]} if baseline else {}
    base = wanted.url(project, numbers, **more)
    datasets = queries.datasets_of(runs)
    found: dict[str, Any] = {
        "runs": runs,
        "wanted": wanted,
        "compare_url": reverse("runs:compare", args=[project.slug]),
        "base_url": base,
        "dataset": datasets.get(runs[baseline].pk),
        "deleted": sorted({row.name for row in datasets.values() if row.deleted}),
        "several_datasets": len({run.dataset_id for run in runs}) > 1,
        "baseline": runs[baseline],
        "clusters": cluster_choices(runs[baseline], wanted, group_fields(runs[baseline])),
        "in_progress": any(run.active for run in runs),
        "ended_early": [run for run in runs if run.status in ("failed", "cancelled")],
        "reports": reports(wanted, project, numbers, **more),
    }
    if found["in_progress"]:
        progress = queries.progress_of(runs)
        found |= _so_far(
            [Live(LETTERS[place], run, progress[run.pk]) for place, run in enumerate(runs)]
        )
    field = comparing.cluster_field_of(runs[baseline]) if wanted.cluster is None else wanted.cluster
    waiting = packing.preparing(runs, [field] if field else [])
    lines: Sequence[comparing_many.RunLine | None] = [None] * len(runs)
    if waiting is not None:
        found |= {"preparing": waiting, "here": request.get_full_path()}
    elif not found.get("too_many"):  # a page that polls would read them again and again
        many = comparing_many.compare(
            runs, baseline=baseline, items=wanted.items, cluster=wanted.cluster
        )
        lines = many.runs
        found |= figures(many)
        if not found["in_progress"]:
            found["grid"] = _grid(request, project, runs, baseline, wanted, more)
    found["chosen"] = [
        Chosen(
            key=LETTERS[place],
            run=run,
            dataset=datasets[run.pk].name if run.pk in datasets else "",
            without=wanted.url(
                project,
                [n for n in numbers if n != run.number],
                **({} if place == baseline else more),
            ),
            is_baseline=place == baseline,
            line=lines[place],
        )
        for place, run in enumerate(runs)
    ]
    return found


def _so_far(live: Sequence[Live]) -> dict[str, Any]:
    """How far all runs are together, and which still go on."""
    done = sum(each.progress.done for each in live)
    total = sum(each.progress.total for each in live)
    return {
        "done": done,
        "total": total,
        "percent": int(100 * done / total) if total else 0,
        "going": [each for each in live if each.run.active],
        "too_many": done > LIVE_MEANS_UP_TO,
    }


def figures(many: ManyComparison) -> dict[str, Any]:
    """The comparison as panels and sentences."""
    panels = [_panel(many, scorer) for scorer in many.scorers]
    return {
        "many": many,
        "panels": panels,
        "headline": many_headline(many),
        "method": many_method(many),
    }


def _panel(many: ManyComparison, scorer: comparing_many.ManyScorer) -> ScorerPanel:
    lines = many_lines(many, scorer)
    bounds = [line.points[1:] for line in lines if line.points]
    dots = tuple(
        Dot(line.key, line.mean, *(line.ci or (line.mean, line.mean)))
        for line in lines
        if line.mean is not None
    )
    omnibus = scorer.figures.omnibus
    test = ""
    if omnibus is not None:
        name = "Cochran's Q" if omnibus.test == "cochran_q" else "Friedman's chi-squared"
        test = f"{name} = {omnibus.statistic:.1f} with {omnibus.degrees} degrees of freedom"
    spoken = ", ".join(f"{line.key.upper()} {line.mean_text}" for line in lines)
    return ScorerPanel(
        scorer=scorer,
        sentence=scorer.sentence(many.runs),
        omnibus=test,
        lines=tuple(lines),
        dots=dots,
        dots_label=f"{scorer.name}: {spoken}",
        dots_height=max(46, 15 * len(dots) + 1),
        dots_scale=scale_text(dots, scorer.kind == "binary"),
        scale=forest_scale(bounds) if bounds else None,
    )


@dataclass(frozen=True, slots=True)
class GridCell:
    """One cell with the address of the result; `better` is None for no change."""

    cell: many_items.Cell
    url: str
    better: bool | None


@dataclass(frozen=True, slots=True)
class GridRow:
    number: int
    input: Any
    cells: tuple[GridCell, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A page of items by runs; the addresses are "" at the ends."""

    page: many_items.ManyItems
    rows: tuple[GridRow, ...]
    names: tuple[str, ...]
    text: str
    previous: str
    next: str


def _grid(
    request: HttpRequest,
    project: Project,
    runs: Sequence[Run],
    baseline: int,
    wanted: Asked,
    more: dict[str, int],
) -> Grid | None:
    by = request.GET.get("by", "")
    page = many_items.items_page(
        runs,
        baseline=baseline,
        scorer=by,
        items=wanted.items,
        after=number_in(request, "after"),
    )
    if page is None:
        return None
    numbers = [run.number for run in runs]

    def address(after: int | None) -> str:
        if after is None:
            return ""
        return wanted.url(project, numbers, **more, by=by, after=after or None) + "#items"

    last = page.first + len(page.rows)
    return Grid(
        page=page,
        rows=tuple(_row(project, runs, page, row) for row in page.rows),
        names=tuple(row[0].name for row in comparing_many.shared_by_all(runs, baseline)),
        text=f"{integer(page.first + 1)} to {integer(last)} of {integer(page.total)}, "
        f"{integer(page.disagreeing)} with different scores, most different first",
        previous=address(page.before),
        next=address(page.after),
    )


def _row(
    project: Project, runs: Sequence[Run], page: many_items.ManyItems, row: many_items.ManyItem
) -> GridRow:
    cells = []
    for run, cell in zip(runs, row.cells, strict=True):
        url = ""
        if cell.number is not None:
            url = reverse("runs:result", args=[project.slug, run.number, cell.number])
        better = None
        if cell.change:
            better = (cell.change > 0) == page.higher_is_better
        cells.append(GridCell(cell, url, better))
    return GridRow(row.number, loads(row.item.input_json), tuple(cells))
