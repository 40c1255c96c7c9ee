"""Runs whose outputs are classes: which fields say a class, and the figures of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datasets_app import public
from evalhub.kit.json import PathError, dumps, get_path, loads
from runs_app.labels import LABEL_CHARS, read_labels
from runs_app.memory import Memory
from runs_app.models import Result, Run
from runs_app.statistics.classification import Classification, classify, label
from runs_app.vectors import key_of

LOOKED_AT = 200  # results that tell whether there are classes at all
MOST_RESULTS = 100_000  # whose outputs are read for a page
MOST_LABELS = 30
LABEL_TEXT = 60  # characters; a longer text is no name of a class
WHOLE = "expected_output"
NO_CLASS = "(no class)"
CHUNK = 2_000
FIELDS = Memory(limit_bytes=1_000_000)


@dataclass(frozen=True, slots=True)
class ClassReport:
    """The figures of a field. `left_out` counts results without an expected class, `errors` those
    in error: neither is among the figures."""

    field: str
    figures: Classification
    left_out: int
    errors: int


def class_fields(run: Run) -> list[str]:
    """Paths into the expected output that hold one of a few texts: "expected_output" itself, or
    "expected_output.queue"; by name. Two queries, whatever the run's size; the paths of a run that
    is over are kept in memory, because every page of it asks."""
    if run.active:
        return _class_fields(run)
    found = FIELDS.get(key_of(run), lambda: tuple(_class_fields(run)), _about_bytes)
    return list(found)


def _about_bytes(fields: Sequence[str]) -> int:
    return 200 + sum(len(field) for field in fields)


def _class_fields(run: Run) -> list[str]:
    results = Result.objects.filter(run=run, error_type="").order_by("item_number")
    revisions = list(results.values_list("revision_id", flat=True)[:LOOKED_AT])
    seen: dict[str, list[str]] = {}
    for row in public.revisions_by_id(list(dict.fromkeys(revisions))).values():
        if row.expected_json is None:
            continue
        value = loads(row.expected_json)
        if isinstance(value, dict):
            for key, inner in value.items():
                if isinstance(inner, str | bool) and "." not in key and "[" not in key:
                    seen.setdefault(f"{WHOLE}.{key}", []).append(_text(inner))
        elif isinstance(value, str | bool):
            seen.setdefault(WHOLE, []).append(_text(value))
    return sorted(path for path, texts in seen.items() if _few(texts))


def class_report(run: Run, field: str) -> ClassReport | None:
    """The figures of one of `class_fields`; None when no result has an expected class, and for a
    run of more than MOST_RESULTS results."""
    if run.succeeded + run.failed > MOST_RESULTS:
        return None
    results = Result.objects.filter(run=run, error_type="").order_by("item_number", "repetition")
    rest = field.removeprefix(WHOLE).removeprefix(".")
    outputs = results.values_list("revision_id", "output_json").iterator(chunk_size=CHUNK)
    # Of an output, which may be long, its class alone is kept.
    rows = [(revision, predicted(output_json, rest)) for revision, output_json in outputs]
    labels = read_labels([revision for revision, _ in rows], field)
    codes = labels.codes.tolist()
    expected, given = [], []
    for code, (_, name) in zip(codes, rows, strict=True):
        if code >= 0:
            expected.append(labels.names[code])
            given.append(name)
    if not expected:
        return None
    return ClassReport(
        field=field,
        figures=classify(label(expected, given)),
        left_out=len(rows) - len(expected),
        errors=run.failed,
    )


def _few(texts: Sequence[str]) -> bool:
    names = set(texts)
    short = all(len(name) <= LABEL_TEXT for name in names)
    return short and 2 <= len(names) <= min(MOST_LABELS, len(texts) // 2)


def predicted(output_json: str | None, rest: str) -> str:
    """The class that an output names; NO_CLASS when it lacks the field."""
    value: Any = None if output_json is None else loads(output_json)
    if rest:
        try:
            value = get_path(value, rest)
        except PathError:
            return NO_CLASS
    return NO_CLASS if value is None else _text(value)


def _text(value: Any) -> str:
    return (value if isinstance(value, str) else dumps(value))[:LABEL_CHARS]
