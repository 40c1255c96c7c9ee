"""Outputs that are classes: accuracy, precision, recall and F1 by class, confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runs_app.statistics.intervals import tango, wilson
from runs_app.statistics.values import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_CLASSES = 30
OTHER = "(other)"
DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class, or the macro mean of all: shares 0..1. None where nothing was predicted as it
    (precision), nothing is expected as it (recall), or neither (F1)."""

    label: str
    expected: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class Classification:
    """``matrix[i][j]`` counts items of class i predicted as class j, in the order of ``classes``.

    The last class is "(other)" when there are more than 30: it holds the rarest, all together, and
    is no part of the macro means. ``accuracy`` is over the real classes, also within "(other)".
    """

    n: int
    accuracy: float
    accuracy_ci95: Interval
    classes: tuple[ClassFigures, ...]
    macro: ClassFigures
    matrix: tuple[tuple[int, ...], ...]
    other: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "accuracy": self.accuracy,
            "accuracy_ci95": self.accuracy_ci95.to_json(),
            "classes": [_class_json(each) for each in self.classes],
            "macro": _class_json(self.macro),
            "matrix": [list(row) for row in self.matrix],
        }


@dataclass(frozen=True, slots=True)
class ClassDifference:
    """What changed from A to B in one class (or the macro mean): B - A, None where a run has no
    such figure."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class ClassificationDifference:
    """B - A over the same items: accuracy with Tango's interval, macro F1 with a bootstrap one,
    which is None when no item's class changed."""

    n: int
    accuracy: float
    accuracy_ci95: Interval
    macro_f1: float | None
    macro_f1_ci95: Interval | None
    classes: tuple[ClassDifference, ...]
    matrix: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, Any]:
        macro = self.macro_f1_ci95
        return {
            "n": self.n,
            "accuracy": self.accuracy,
            "accuracy_ci95": self.accuracy_ci95.to_json(),
            "macro_f1": self.macro_f1,
            "macro_f1_ci95": None if macro is None else macro.to_json(),
            "classes": [
                {
                    "label": each.label,
                    "precision": each.precision,
                    "recall": each.recall,
                    "f1": each.f1,
                }
                for each in self.classes
            ],
            "matrix": [list(row) for row in self.matrix],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Labels as codes: places in ``classes``, the last of which is "(other)" when ``other``.

    ``right`` says by column of ``predicted`` whether it is the expected label itself.
    """

    classes: tuple[str, ...]
    other: bool
    expected: NDArray[np.int64]
    predicted: tuple[NDArray[np.int64], ...]
    right: tuple[NDArray[np.bool_], ...]


def label(expected: Sequence[str], *predicted: Sequence[str], most: int = MOST_CLASSES) -> Labelled:
    """Codes for the labels of the same items, expected and by one run or two.

    The ``most`` most frequent labels are classes of their own, in the order of their names. Raises
    ValueError without items and for columns that are not aligned.
    """
    import numpy as np

    n = len(expected)
    if not n or any(len(column) != n for column in predicted):
        raise ValueError("labels must be there, and aligned by item")
    names, parts = coded(expected, *predicted)
    right = tuple(part == parts[0] for part in parts[1:])
    if len(names) <= most:
        return Labelled(tuple(names), False, parts[0], tuple(parts[1:]), right)
    # What is expected makes a class important; what is only ever predicted comes after.
    weight = np.bincount(parts[0], minlength=len(names)) * (len(parts) * n + 1)
    weight = weight + np.bincount(np.concatenate(parts), minlength=len(names))
    kept = np.sort(np.argsort(-weight, kind="stable")[:most])
    place = np.full(len(names), most, dtype=np.int64)
    place[kept] = np.arange(most)
    short = [place[part] for part in parts]
    shown = tuple(names[at] for at in kept.tolist())
    return Labelled((*shown, OTHER), True, short[0], tuple(short[1:]), right)


def coded(*columns: Sequence[str]) -> tuple[list[str], list[NDArray[np.int64]]]:
    """The labels by name, and each column as places in them. An array of texts would take the
    longest one's room for each."""
    import numpy as np

    names = sorted(set().union(*columns))
    places = {name: place for place, name in enumerate(names)}
    parts = [np.fromiter((places[one] for one in column), np.int64) for column in columns]
    return names, parts


def classify(labels: Labelled, run: int = 0) -> Classification:
    """The figures of one run: ``run`` is the place of its column."""
    import numpy as np

    n, size = len(labels.expected), len(labels.classes)
    matrix = _matrix(labels.expected, labels.predicted[run], size)
    right = int(np.count_nonzero(labels.right[run]))
    figures = tuple(
        _figures(name, int(matrix[i, i]), int(matrix[i].sum()), int(matrix[:, i].sum()))
        for i, name in enumerate(labels.classes)
    )
    real = figures[:-1] if labels.other else figures
    return Classification(
        n=n,
        accuracy=right / n,
        accuracy_ci95=wilson(right, n),
        classes=figures,
        macro=ClassFigures(
            "macro",
            sum(each.expected for each in real),
            sum(each.predicted for each in real),
            _mean([each.precision for each in real]),
            _mean([each.recall for each in real]),
            _mean([each.f1 for each in real]),
        ),
        matrix=tuple(tuple(row) for row in matrix.tolist()),
        other=labels.other,
    )


def classification_difference(labels: Labelled, seed: int) -> ClassificationDifference:
    """B (column 1) minus A (column 0). ``seed`` (0 or more) fixes the draws of the bootstrap.

    The bootstrap draws items again: how often each kind of item (expected, A, B) comes up is all
    that matters, so a million items cost no more than their kinds.
    """
    import numpy as np

    n, size = len(labels.expected), len(labels.classes)
    a, b = classify(labels, 0), classify(labels, 1)
    right_a, right_b = labels.right
    up = int(np.count_nonzero(right_b & ~right_a))
    down = int(np.count_nonzero(right_a & ~right_b))
    classes = tuple(
        ClassDifference(
            one.label,
            _minus(other.precision, one.precision),
            _minus(other.recall, one.recall),
            _minus(other.f1, one.f1),
        )
        for one, other in zip(a.classes, b.classes, strict=True)
    )
    macro = _minus(b.macro.f1, a.macro.f1)
    shift = np.array(b.matrix) - np.array(a.matrix)
    # Without an item that moved, every draw is 0: an interval without width would claim certainty.
    moved = bool((labels.predicted[0] != labels.predicted[1]).any())
    return ClassificationDifference(
        n=n,
        accuracy=(up - down) / n,
        accuracy_ci95=tango(up, down, n),
        macro_f1=macro,
        macro_f1_ci95=_bootstrap(labels, size, seed) if macro is not None and moved else None,
        classes=classes,
        matrix=tuple(tuple(row) for row in shift.tolist()),
    )


def _bootstrap(labels: Labelled, size: int, seed: int) -> Interval:
    import numpy as np

    n, real = len(labels.expected), size - 1 if labels.other else size
    one, other = labels.predicted[:2]
    kinds, counts = np.unique((labels.expected * size + one) * size + other, return_counts=True)
    expected, one, other = kinds // size**2, kinds // size % size, kinds % size
    draws = np.random.default_rng(seed).multinomial(n, counts / n, size=DRAWS).astype(np.float64)
    support = _by_class(draws, expected, size)

    def macro(predicted: NDArray[np.int64]) -> NDArray[np.float64]:
        hits = _by_class(draws[:, predicted == expected], expected[predicted == expected], size)
        both = (support + _by_class(draws, predicted, size))[:, :real]
        with np.errstate(invalid="ignore"):
            return np.asarray(np.nanmean(2 * hits[:, :real] / np.where(both, both, np.nan), axis=1))

    ends = np.quantile(macro(other) - macro(one), (0.025, 0.975))
    return Interval(float(ends[0]), float(ends[1]))


def _by_class(
    draws: NDArray[np.float64], classes: NDArray[np.int64], size: int
) -> NDArray[np.float64]:
    """The draws' counts summed by class, one row for each draw."""
    import numpy as np

    return draws @ np.eye(size)[classes]


def _matrix(
    expected: NDArray[np.int64], predicted: NDArray[np.int64], size: int
) -> NDArray[np.int64]:
    import numpy as np

    return np.bincount(expected * size + predicted, minlength=size * size).reshape(size, size)


def _figures(name: str, hits: int, expected: int, predicted: int) -> ClassFigures:
    return ClassFigures(
        label=name,
        expected=expected,
        predicted=predicted,
        precision=hits / predicted if predicted else None,
        recall=hits / expected if expected else None,
        f1=2 * hits / (expected + predicted) if expected + predicted else None,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _minus(b: float | None, a: float | None) -> float | None:
    return None if a is None or b is None else b - a


def _class_json(each: ClassFigures) -> dict[str, Any]:
    return {
        "label": each.label,
        "expected": each.expected,
        "predicted": each.predicted,
        "precision": each.precision,
        "recall": each.recall,
        "f1": each.f1,
    }
