"""The panel of classes in a comparison of two runs, read when it is opened.

Without a script it is a page of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from evalhub.access.doors import project_view
from evalhub.access.models import Project
from evalhub.kit.figures import decimal, integer, percent
from evalhub.kit.htmx import wants_fragment
from runs_app.comparing_classes import (
    ClassComparison,
    compare_classes,
    shared_class_fields,
    too_large,
)
from runs_app.statistics.classification import ClassDifference, ClassFigures
from runs_app.statistics.values import Interval
from runs_app.views.asked import asked
from runs_app.views.common import find_run

SHADES = 5
GROUPS = ("Given", "Precision", "Recall", "F1")  # of three columns each: A, B, B - A


@dataclass(frozen=True, slots=True)
class Trio:
    """A figure of A and of B, and B - A in points or without a unit; all as text."""

    a: str
    b: str
    change: str


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class, or the macro mean of all."""

    label: str
    expected: str
    given: Trio
    precision: Trio
    recall: Trio
    f1: Trio

    @property
    def trios(self) -> tuple[Trio, ...]:
        return self.given, self.precision, self.recall, self.f1


@dataclass(frozen=True, slots=True)
class Shift:
    """How much more often B gave a class than A; `shade` is 0 for no change, up to SHADES.
    `better` means: more on the diagonal, or less beside it."""

    text: str
    title: str
    shade: int
    better: bool


@project_view()
def classes(request: HttpRequest, project: Project) -> HttpResponse:
    """Accuracy, figures by class and the confusion matrix of B against A, by `?field=`."""
    wanted = asked(request)
    refs = request.GET.getlist("run")
    if len(refs) != 2 or refs[0] == refs[1]:
        return redirect("runs:compare", project.slug)
    run_a, run_b = (find_run(request, project, ref) for ref in refs)
    numbers = (run_a.number, run_b.number)
    fields = shared_class_fields(run_a, run_b)
    given = request.GET.get("field", "")
    field = given if given in fields else next(iter(fields), "")
    found = compare_classes(run_a, run_b, field) if field else None
    context: dict[str, Any] = {
        "a": run_a,
        "b": run_b,
        "compare_url": wanted.url(project, numbers),
        "fields": [
            (
                each,
                wanted.url_of("runs:compare_classes", project, numbers, field=each),
                each == field,
            )
            for each in fields
        ],
        "found": found,
        "too_large": too_large(run_a, run_b),
    }
    if found is not None:
        context |= {
            "accuracy_certain": _certain(found.difference.accuracy_ci95),
            "f1_certain": _certain(found.difference.macro_f1_ci95),
            "lines": class_lines(found),
            "groups": GROUPS,
            "matrix": _matrix(found),
        }
    whole = not wants_fragment(request)
    template = "runs/compare_classes.html" if whole else "runs/_compare_classes.html"
    return render(request, template, context)


def class_lines(found: ClassComparison) -> list[ClassLine]:
    """A row for each class, then the macro mean."""
    sides = zip(found.a.classes, found.b.classes, found.difference.classes, strict=True)
    macro_a, macro_b = found.a.macro, found.b.macro
    macro = ClassDifference(
        "Macro mean",
        _minus(macro_b.precision, macro_a.precision),
        _minus(macro_b.recall, macro_a.recall),
        found.difference.macro_f1,
    )
    rows = [*sides, (macro_a, macro_b, macro)]
    return [_line(a, b, difference) for a, b, difference in rows]


def _line(a: ClassFigures, b: ClassFigures, difference: ClassDifference) -> ClassLine:
    return ClassLine(
        label=difference.label,
        expected=integer(a.expected),
        given=Trio(
            integer(a.predicted),
            integer(b.predicted),
            decimal(b.predicted - a.predicted, 0, signed=True),
        ),
        precision=_share(a.precision, b.precision, difference.precision),
        recall=_share(a.recall, b.recall, difference.recall),
        f1=Trio(decimal(a.f1, 3), decimal(b.f1, 3), decimal(difference.f1, 3, signed=True)),
    )


def _share(a: float | None, b: float | None, difference: float | None) -> Trio:
    change = None if difference is None else 100 * difference
    return Trio(percent(a), percent(b), decimal(change, 1, signed=True))


def _minus(b: float | None, a: float | None) -> float | None:
    return None if a is None or b is None else b - a


def _matrix(found: ClassComparison) -> list[tuple[str, list[Shift]]]:
    """(expected class, its row); shades are shares of the row."""
    rows = []
    tables = zip(found.a.matrix, found.b.matrix, found.difference.matrix, strict=True)
    for i, (each, (of_a, of_b, shifts)) in enumerate(zip(found.a.classes, tables, strict=True)):
        whole = max(1, sum(of_a))
        cells = [_shift(i == j, of_a[j], of_b[j], shift, whole) for j, shift in enumerate(shifts)]
        rows.append((each.label, cells))
    return rows


def _shift(right: bool, a: int, b: int, shift: int, whole: int) -> Shift:
    return Shift(
        text=decimal(shift, 0, signed=True),
        title=f"A {integer(a)}, B {integer(b)}",
        shade=min(SHADES, -(-abs(shift) * SHADES // whole)),
        better=(shift > 0) == right,
    )


def _certain(interval: Interval | None) -> bool:
    """Whether the interval of a difference is clear of 0."""
    return interval is not None and (interval.low > 0 or interval.high < 0)
