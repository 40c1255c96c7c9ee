"""Two runs whose outputs are classes: the figures of both over the items that both have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runs_app.classes import CHUNK, MOST_RESULTS, WHOLE, class_fields, predicted
from runs_app.comparing import seed_of
from runs_app.joining import join
from runs_app.labels import read_labels
from runs_app.models import Result, Run
from runs_app.statistics.classification import (
    Classification,
    ClassificationDifference,
    classification_difference,
    classify,
    label,
)


@dataclass(frozen=True, slots=True)
class ClassComparison:
    """A field of the expected output in both runs, over the pairs without an error.

    `errors` counts the pairs with an error in either run, `left_out` the others without an expected
    class. With `repeated` items ran more than once, and the first result of each that is no error
    counts: the unit is the item.
    """

    field: str
    a: Classification
    b: Classification
    difference: ClassificationDifference
    errors: int
    left_out: int
    repeated: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "field": self.field,
            "a": self.a.to_json(),
            "b": self.b.to_json(),
            "difference": self.difference.to_json(),
            "errors": self.errors,
            "left_out": self.left_out,
        }


def shared_class_fields(run_a: Run, run_b: Run) -> list[str]:
    """Those of `class_fields` that both runs have."""
    of_b = set(class_fields(run_b))
    return [field for field in class_fields(run_a) if field in of_b] if of_b else []


def too_large(*runs: Run) -> bool:
    """Whether one of the runs has more outputs than are read for a page."""
    return any(run.succeeded + run.failed > MOST_RESULTS for run in runs)


def compare_classes(run_a: Run, run_b: Run, field: str) -> ClassComparison | None:
    """The figures of `field` ("expected_output" or a path into it), B - A; None when no pair has
    an expected class, and for runs that are `too_large`."""
    if too_large(run_a, run_b):
        return None
    joined = join(run_a, run_b)
    pairs = joined.pairs
    errored = joined.errored_a() | joined.errored_b()
    ours, theirs = pairs.a[~errored], pairs.b[~errored]
    labels = read_labels(joined.a.revisions[ours].tolist(), field)
    rest = field.removeprefix(WHOLE).removeprefix(".")
    given_a, given_b = _given(run_a, rest), _given(run_b, rest)
    expected, from_a, from_b = [], [], []
    for code, a, b in zip(
        labels.codes.tolist(),
        joined.a.numbers[ours].tolist(),
        joined.b.numbers[theirs].tolist(),
        strict=True,
    ):
        if code >= 0:
            expected.append(labels.names[code])
            from_a.append(given_a[a])
            from_b.append(given_b[b])
    if not expected:
        return None
    labelled = label(expected, from_a, from_b)
    return ClassComparison(
        field=field,
        a=classify(labelled, 0),
        b=classify(labelled, 1),
        difference=classification_difference(labelled, seed_of(run_a, run_b)),
        errors=int(errored.sum()),
        left_out=len(ours) - len(expected),
        repeated=run_a.repetitions > 1 or run_b.repetitions > 1,
    )


def _given(run: Run, rest: str) -> dict[int, str]:
    """{item number: the class of its first result without an error}."""
    rows = (
        Result.objects.filter(run=run, error_type="")
        .order_by("item_number", "repetition")
        .values_list("item_number", "output_json")
        .iterator(chunk_size=CHUNK)
    )
    found: dict[int, str] = {}
    for number, output_json in rows:
        if number not in found:
            found[number] = predicted(output_json, rest)
    return found
