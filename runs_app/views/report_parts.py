"""What a report of a comparison says, from the same rows as the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evalhub.kit.figures import decimal, duration_ms, integer, money, percent
from evalhub.kit.highlight import one_line
from evalhub.kit.json import loads
from runs_app import comparing, comparing_many
from runs_app.comparing import Comparison
from runs_app.comparing_classes import ClassComparison, compare_classes, shared_class_fields
from runs_app.comparing_many import ManyComparison
from runs_app.models import Run
from runs_app.reporting import Report, Section, Table
from runs_app.views import compared_many, compared_two
from runs_app.views.asked import Asked
from runs_app.views.compared_two import Side
from runs_app.views.costs import CostLine
from runs_app.views.many_figures import LETTERS, ManyLine
from runs_app.views.report_classes import class_sections
from runs_app.views.verdicts import ScoreLine

LISTED = 20  # items that regressed
PREVIEW = 160


def two_report(run_a: Run, run_b: Run, wanted: Asked, address: str) -> Report:
    """B against A, with the same figures as the page, and the items that regressed most."""
    found = comparing.compare(
        run_a, run_b, margin=wanted.margin, cluster=wanted.cluster, slices=wanted.slices
    )
    sides = compared_two.sides_of(run_a, run_b)
    shown = compared_two.figures(found, "", sides)
    sections = [_runs(sides), _pairing(found, shown), _scores(shown["lines"])]
    if found.finished:
        sections.append(_took(sides, shown))
    if found.slices is not None and shown["slices"]:
        sections.append(_slices(found, shown["slices"]))
    classes = _compared_classes(run_a, run_b) if found.finished else None
    if classes is not None:
        sections += class_sections(classes)
    if found.finished and found.scorers:
        sections.append(_regressed(run_a, run_b, found))
    sections.append(_method(shown["lines"]))
    lead = [_line(line["text"], line["evidence"]) for line in shown["headline"]]
    return Report(
        title=f"Run {run_b.number} against run {run_a.number}",
        subtitle=f"{run_b.name} (B) against the baseline {run_a.name} (A). "
        f"{_margin(shown['margins'])}Every difference is B − A.",
        address=address,
        lead=(*lead, *filter(None, [shown["more"]])),
        sections=tuple(sections),
        figures=_same_columns([_flat(scorer.to_json()) for scorer in found.scorers]),
        data=found.to_json() | {"classes": classes and classes.to_json()},
    )


def many_report(runs: Sequence[Run], baseline: int, wanted: Asked, address: str) -> Report:
    """All runs, each scorer with its table."""
    many = comparing_many.compare(
        runs, baseline=baseline, items=wanted.items, cluster=wanted.cluster
    )
    shown = compared_many.figures(many)
    sections = [_many_runs(many)]
    for panel in shown["panels"]:
        text = (panel.sentence, f"{panel.omnibus}." if panel.omnibus else "")
        said = tuple(filter(None, text))
        sections.append(Section(panel.scorer.name, said, _many_table(panel.lines)))
    if many.finished:
        sections.append(Section("How this is computed", tuple(shown["method"])))
    data = many.to_json()
    rows = [
        _flat({"scorer": scorer["name"], "run": run["number"], **run})
        for scorer in data["scorers"]
        for run in scorer["runs"]
    ]
    return Report(
        title=f"{len(runs)} runs compared",
        subtitle=f"The baseline is run {runs[baseline].number}, {runs[baseline].name}. Every "
        "difference is run minus baseline.",
        address=address,
        lead=tuple(_line(line["text"], line["evidence"]) for line in shown["headline"]),
        sections=tuple(sections),
        figures=_same_columns(rows),
        data=data,
    )


def _margin(words: str) -> str:
    return f"Margin: {words}. " if words else ""


def _compared_classes(run_a: Run, run_b: Run) -> ClassComparison | None:
    """The first field that says a class in both runs; None without one."""
    fields = shared_class_fields(run_a, run_b)
    return compare_classes(run_a, run_b, fields[0]) if fields else None


def _line(text: str, evidence: str) -> str:
    return f"{text} ({evidence})" if evidence else text


def _runs(sides: Sequence[Side]) -> Section:
    rows = tuple(
        (
            side.key.upper(),
            f"#{side.run.number} {side.run.name}",
            side.run.target_name,
            f"{side.dataset} v{side.run.dataset_version}",
            side.run.status.capitalize(),
            f"{integer(side.progress.done)} of {integer(side.progress.total)}",
        )
        for side in sides
    )
    return Section(
        "Runs", (), Table(("", "Run", "Target", "Dataset", "Status", "Results"), rows, 5)
    )


def _pairing(found: Comparison, shown: dict[str, Any]) -> Section:
    said = [f"{integer(found.pairing.paired)} items are in both runs with the same content."]
    facts = ", ".join(f"{integer(fact.count)} {fact.text}" for fact in shown["facts"])
    said.append(f"{facts}." if facts else "Nothing is left out.")
    said += [f"{name}: {why}" for name, why, _url in shown["exclusions"]]
    if shown["zeros"]:
        said.append(f"Counting errors as 0: {'; '.join(shown['zeros'])}.")
    return Section("Pairing", tuple(said))


def _scores(lines: Sequence[ScoreLine]) -> Section:
    rows = tuple((line.c.name, line.c.badge, *_figures(line)) for line in lines)
    columns = ("Scorer", "Verdict", "Pairs", "A", "B", "B − A", "95% CI", "p or q")
    return Section("Scores", (), Table((*columns, "Better", "Worse", "Same"), rows, 2))


def _slices(found: Comparison, lines: Sequence[ScoreLine]) -> Section:
    assert found.slices is not None
    rows = tuple((line.c.name, *_figures(line)) for line in lines)
    columns = (found.slices.field, "Pairs", "A", "B", "B − A", "95% CI", "q")
    text = f"Exploratory: {found.slices.scorer} by {found.slices.field}. With many slices some "
    text += "differ by luck, so each shows q."
    table = Table((*columns, "Better", "Worse", "Same"), rows)
    return Section("Slices", (text,), table)


def _figures(line: ScoreLine) -> tuple[str, ...]:
    change = "–"
    if line.delta is not None:
        size = line.delta * 100 if line.in_points else line.delta
        change = decimal(size, 1 if line.in_points else 3, signed=True)
        change += " points" if line.in_points else ""
    return (
        integer(line.c.pairs),
        line.a,
        line.b,
        change,
        line.interval or "–",
        line.p if line.delta is not None else "–",
        integer(line.c.improved),
        integer(line.c.regressed),
        integer(line.c.unchanged),
    )


def _took(sides: Sequence[Side], shown: dict[str, Any]) -> Section:
    a, b = (side.latency for side in sides)
    rows = [
        (
            f"Latency, {name}",
            duration_ms(getattr(a, name) if a else None),
            duration_ms(getattr(b, name) if b else None),
            "",
        )
        for name in ("p50", "p95", "p99")
    ]
    change: CostLine | None = shown["latency_change"]
    if change is not None and change.change is not None:
        size = duration_ms(change.change)
        rows.append(("Latency, typical item", "", "", f"{size} (95% CI {change.interval})"))
    for line in shown["costs"]:
        text = line.percent
        if line.change is not None:
            text = {"money": money, "integer": integer}[line.unit](line.change)
            text += f" (95% CI {line.interval})" if line.interval else ""
        rows.append((line.name, line.a, line.b, text))
    return Section("Latency, tokens and cost", (), Table(("", "A", "B", "B − A"), tuple(rows)))


def _regressed(run_a: Run, run_b: Run, found: Comparison) -> Section:
    page = comparing.items_page(run_a, run_b, show="regressed", size=LISTED)
    title = f"Items that got worse on {found.scorers[0].name}"
    if not page.rows:
        return Section(title, ("None.",))
    rows = tuple(
        (
            str(row.number),
            one_line(loads(row.item.input_json), PREVIEW),
            decimal(row.value_a, 3),
            decimal(row.value_b, 3),
            decimal(row.change, 3, signed=True),
        )
        for row in page.rows
    )
    text = f"{integer(len(rows))} of {integer(page.total)}, largest change first."
    return Section(title, (text,), Table(("Item", "Input", "A", "B", "B − A"), rows, 2))


def _method(lines: Sequence[ScoreLine]) -> Section:
    said = []
    for line in lines:
        parts = [f"{line.c.name}: {line.c.sentence}"]
        if line.ci_method:
            parts.append(f"The interval is {line.ci_method}, p is from {line.p_method}.")
        said.append(" ".join([*parts, *line.method, *line.c.notes]))
    return Section("How this is computed", tuple(said))


def _many_runs(many: ManyComparison) -> Section:
    rows = tuple(
        (
            f"{LETTERS[place].upper()} #{line.info.number} {line.info.name}",
            line.info.target,
            f"v{line.info.dataset_version}",
            *(duration_ms(line.info.latency_ms[name]) for name in ("p50", "p95", "p99")),
            integer(line.tokens),
            money(line.cost_usd),
            percent(line.error_rate),
        )
        for place, line in enumerate(many.runs)
    )
    columns = ("Run", "Target", "Version", "p50", "p95", "p99", "Tokens", "Cost", "Errors")
    return Section("Runs", (), Table(columns, rows, 3))


def _many_table(lines: Sequence[ManyLine]) -> Table:
    rows = []
    for line in lines:
        change = "baseline" if line.is_baseline else "–"
        if line.delta is not None:
            size = line.delta * 100 if line.in_points else line.delta
            change = decimal(size, 1 if line.in_points else 3, signed=True)
        top = {True: "yes", False: "no", None: "–"}[line.in_top_group]
        rows.append(
            (
                f"{line.key.upper()} #{line.number} {line.name}",
                integer(line.n),
                line.mean_text,
                line.interval or "–",
                change,
                line.change_interval or "–",
                line.p,
                top,
            )
        )
    unit = ", points" if any(line.in_points for line in lines) else ""
    columns = ("Run", "n", "Mean", "95% CI", f"Change{unit}", "95% CI", "p (Holm)", "Top group")
    return Table(columns, tuple(rows))


def _flat(row: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested figures as one row: {"a": {"mean": 1}} is a_mean; an interval is _low and _high."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            flat |= _flat(value, f"{key}_")
        elif name.startswith(("ci", "bca")) and "method" not in name:
            low, high = value or (None, None)
            flat |= {f"{key}_low": low, f"{key}_high": high}
        else:
            flat[key] = value
    return flat


def _same_columns(rows: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Every row with every column, in the order of their first appearance; without those of nested
    figures that a row lacks as a whole."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = [
        name
        for name in names
        if not any(other.startswith(f"{name}_") for other in names)
        or any(row.get(name) is not None for row in rows)
    ]
    return tuple({name: row.get(name) for name in columns} for row in rows)
