"""A run of a scorer over items that people have labelled: how far the two agree, and where not.

The item's input is what the scorer saw, its expected output what a person said of it: a number,
true or false, or a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datasets_app import public
from evalhub.kit.json import loads
from runs_app.classes import CHUNK, MOST_RESULTS
from runs_app.models import Result, Run
from runs_app.passing import BINARY_MARK
from runs_app.statistics.calibration import Agreement, Closeness, agreement, closeness

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND = "scorer"
PASS, FAIL = "pass", "fail"
LABEL_CHARS = 200
LARGEST = 10**100  # the square of a much larger number overflows

Value = float | str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An item on which the scorer and the person differ; `error` is score minus label, None for
    texts."""

    number: int
    repetition: int
    label: Value
    given: Value
    error: float | None

    def to_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "label": self.label,
            "given": self.given,
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """A scorer against people.

    `agreement` is there for labels that are texts or two-valued, and for numbers when the scorer
    has a threshold: `mark` is the value from which its score passes, None for texts. `closeness`
    is there when a number on either side is not 0 or 1. `disagreements` are all of them, largest
    error first. `errors` counts items on which the scorer failed or gave no score, `left_out` those
    without a label or with a value that is neither number nor text. With `repeated` the first
    result of each item that is no error counts.
    """

    mark: float | None
    agreement: Agreement | None
    closeness: Closeness | None
    disagreements: tuple[Disagreement, ...]
    n: int
    errors: int
    left_out: int
    repeated: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "mark": self.mark,
            "agreement": self.agreement and self.agreement.to_json(),
            "closeness": self.closeness and self.closeness.to_json(),
            "errors": self.errors,
            "left_out": self.left_out,
        }


def calibrates(run: Run) -> bool:
    """Whether the run's target is a scorer, so that people's labels are held against it."""
    return bool(run.target.get("kind") == KIND)


def calibration(run: Run) -> CalibrationReport | None:
    """The scorer against the labels; None when no item has both, and for a run of more than
    MOST_RESULTS results."""
    if run.succeeded + run.failed > MOST_RESULTS:
        return None
    rows = _first_results(run)
    labels = _labels([revision for _, _, revision, _ in rows])
    both = [
        (number, repetition, labels[revision], given)
        for number, repetition, revision, given in rows
        if revision in labels and given is not None
    ]
    if not both:
        return None
    found = _compared(both, _threshold(run))
    items = Result.objects.filter(run=run).values("item_number").distinct().count()
    return CalibrationReport(
        *found,
        n=len(both),
        errors=items - len(rows),
        left_out=len(rows) - len(both),
        repeated=run.repetitions > 1,
    )


_Row = tuple[int, int, Value | bool, Value | bool]


def _compared(
    rows: Sequence[_Row], threshold: float | None
) -> tuple[float | None, Agreement | None, Closeness | None, tuple[Disagreement, ...]]:
    import numpy as np

    if any(isinstance(value, str) for row in rows for value in row[2:]):
        return _as_texts(rows)
    labels = np.array([float(row[2]) for row in rows])
    scores = np.array([float(row[3]) for row in rows])
    two_valued = bool(np.isin(labels, (0, 1)).all())
    mark = BINARY_MARK if threshold is None and two_valued else threshold
    agreed, differs = None, scores != labels
    if mark is not None:
        ours = scores >= mark
        theirs = labels >= (BINARY_MARK if two_valued else mark)
        agreed = agreement(_words(theirs), _words(ours))
        differs = ours != theirs
    close = None
    if not (two_valued and np.isin(scores, (0, 1)).all()):
        close = closeness(scores, labels)
    found = [
        Disagreement(*rows[place][:2], labels[place].item(), scores[place].item(), error)
        for place in np.flatnonzero(differs).tolist()
        for error in [float(scores[place] - labels[place])]
    ]
    found.sort(key=lambda each: (-abs(each.error or 0.0), each.number))
    return mark, agreed, close, tuple(found)


def _as_texts(
    rows: Sequence[_Row],
) -> tuple[None, Agreement, None, tuple[Disagreement, ...]]:
    labels, given = ([_text(row[side]) for row in rows] for side in (2, 3))
    found = tuple(
        Disagreement(*row[:2], label, said, None)
        for row, label, said in zip(rows, labels, given, strict=True)
        if label != said
    )
    return None, agreement(labels, given), None, found


def _words(passed: NDArray[Any]) -> list[str]:
    return [PASS if each else FAIL for each in passed.tolist()]


def _text(value: Value | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else f"{value:g}"


def _threshold(run: Run) -> float | None:
    """The threshold of a built-in scorer under test; None for one without, and for others."""
    spec = (run.target.get("config") or {}).get("scorer") or {}
    found: float | None = spec.get("threshold")
    return found


def _first_results(run: Run) -> list[tuple[int, int, int, Value | bool | None]]:
    """(item number, repetition, revision, value) of each item's first result without an error; of
    an output, which may be long, only what can be compared is kept."""
    found = Result.objects.filter(run=run, error_type="").order_by("item_number", "repetition")
    rows = found.values_list("item_number", "repetition", "revision_id", "output_json")
    first: dict[int, tuple[int, int, int, Value | bool | None]] = {}
    for number, repetition, revision, output in rows.iterator(chunk_size=CHUNK):
        if number not in first:
            first[number] = (number, repetition, revision, _value(output))
    return list(first.values())


def _labels(revisions: Sequence[int]) -> dict[int, Value | bool]:
    """{item revision: its expected output}, without those that say no number and no text."""
    expected = public.expected_by_id(revisions)
    values = {revision: _value(text) for revision, text in expected.items()}
    return {revision: value for revision, value in values.items() if value is not None}


def _value(text: str | None) -> Value | bool | None:
    value = None if text is None else loads(text)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return float(value) if abs(value) <= LARGEST else None
    return value[:LABEL_CHARS] if isinstance(value, str) else None
