"""Classes in the report of a comparison of two runs."""

from __future__ import annotations

from evalhub.kit.figures import decimal, integer, percent
from runs_app.comparing_classes import ClassComparison
from runs_app.reporting import Section, Table
from runs_app.statistics.values import Interval
from runs_app.views.compared_classes import class_lines


def class_sections(found: ClassComparison) -> list[Section]:
    """Accuracy and macro F1 with their intervals, the figures by class, the changed matrix."""
    change = found.difference
    accuracy = decimal(100 * change.accuracy, 1, signed=True)
    rows = (
        (
            "Accuracy",
            f"{percent(found.a.accuracy)} ({_span(found.a.accuracy_ci95, 100, 1)})",
            f"{percent(found.b.accuracy)} ({_span(found.b.accuracy_ci95, 100, 1)})",
            f"{accuracy} points ({_span(change.accuracy_ci95, 100, 1)})",
        ),
        (
            "Macro F1",
            decimal(found.a.macro.f1, 3),
            decimal(found.b.macro.f1, 3),
            f"{decimal(change.macro_f1, 3, signed=True)} ({_span(change.macro_f1_ci95, 1, 3)})",
        ),
    )
    text = f"{found.field}, over {integer(change.n)} items that both runs have."
    if found.errors or found.left_out:
        text += f" {integer(found.errors)} with an error and {integer(found.left_out)} without an "
        text += "expected class are left out."
    names = tuple(each.label for each in found.a.classes)
    moved = tuple(
        (name, *(decimal(cell, 0, signed=True) for cell in row))
        for name, row in zip(names, change.matrix, strict=True)
    )
    return [
        Section("Classes", (text,), Table(("With 95% CI", "A", "B", "B − A"), rows)),
        Section(
            "Figures by class",
            ("The change from A to B stands behind each figure of B.",),
            Table(("Class", "Expected", "Precision", "Recall", "F1"), _by_class(found)),
        ),
        Section(
            "Change of the confusion matrix",
            ("A row is what was expected, a column what B gave more often than A.",),
            Table(("Expected", *names), moved),
        ),
    ]


def _by_class(found: ClassComparison) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            line.label,
            line.expected,
            *(f"{each.b} ({each.change})" for each in (line.precision, line.recall, line.f1)),
        )
        for line in class_lines(found)
    )


def _span(interval: Interval | None, factor: float, digits: int) -> str:
    if interval is None:
        return "–"
    low, high = (decimal(factor * bound, digits) for bound in (interval.low, interval.high))
    return f"{low} to {high}"
