"""`evalhub classes` and `evalhub calibration`: further figures of a run that is over."""

from __future__ import annotations

import argparse
from typing import Any

from evalhub_client.connect import connect
from evalhub_client.names import run_reference
from evalhub_client.output import (
    ABSENT,
    change,
    change_interval,
    clean,
    count,
    counted,
    figure,
    interval,
    table,
    write,
    write_json,
)

Json = dict[str, Any]

_LISTED = 20


def run(options: argparse.Namespace) -> int:
    reference = run_reference(options.run)
    with connect(options) as door:
        if options.command == "classes":
            found = door.client.get_classes(reference, field=options.field)
        else:
            found = door.client.get_calibration(reference)
    if options.json:
        write_json(found)
    else:
        write(_classes(found) if options.command == "classes" else _calibration(found))
    return 0


def _classes(found: Json) -> str:
    figures = found["figures"]
    if figures is None:
        return "The outputs of this run are no classes."
    accuracy = figure(figures["accuracy"], "binary")
    span = interval(figures["accuracy_ci95"], "binary")
    lines = [
        clean(f"{found['field']}, over {counted(figures['n'], 'result')}:"),
        f"Accuracy {accuracy} (95% CI {span}), macro F1 {figure(figures['macro']['f1'], '')}.",
    ]
    if len(found["fields"]) > 1:
        lines.append(clean(f"Fields: {', '.join(found['fields'])}."))
    rows = [
        [
            one["label"],
            count(one["expected"]),
            count(one["predicted"]),
            figure(one["precision"], "binary"),
            figure(one["recall"], "binary"),
            figure(one["f1"], ""),
        ]
        for one in figures["classes"]
    ]
    headers = ["Class", "Expected", "Given", "Precision", "Recall", "F1"]
    lines += ["", table(headers, rows, right=range(1, 6)), "", _matrix(figures, "Expected")]
    return "\n".join(lines)


def _calibration(found: Json) -> str:
    if not found["n"]:
        return "There is nothing to hold against people: the run is of no scorer, or has no labels."
    lines = []
    if found["agreement"]:
        agreed = found["agreement"]
        kappa = ABSENT if agreed["kappa"] is None else figure(agreed["kappa"], "")
        lines += [
            f"Agreement {figure(agreed['accuracy'], 'binary')} (95% CI "
            f"{interval(agreed['accuracy_ci95'], 'binary')}) of {counted(found['n'], 'item')}, "
            f"Cohen's kappa {kappa}.",
            "",
            _matrix(agreed, "People"),
            "",
        ]
    if found["closeness"]:
        close = found["closeness"]
        lines += [
            f"Mean absolute error {figure(close['mean_absolute_error'], '')}, score minus label "
            f"{change(close['mean_error'], None)} (95% CI "
            f"{change_interval(close['mean_error_ci95'], None)}).",
            f"Correlation {figure(close['pearson'], '')} (Pearson), "
            f"{figure(close['spearman'], '')} (Spearman).",
            "",
        ]
    lines.append(f"{counted(found['disagreeing'], 'disagreement')}.")
    rows = [
        [f"{one['number']:04d}", str(one["label"]), str(one["given"])]
        for one in found["disagreements"][:_LISTED]
    ]
    if rows:
        lines.append(table(["Item", "People", "Scorer"], rows, right=(1, 2)))
    if found["disagreeing"] > len(rows):
        lines.append("More of them with --json.")
    return "\n".join(lines)


def _matrix(figures: Json, rows: str) -> str:
    """The confusion matrix: a row is what was expected."""
    names = [one["label"] for one in figures["classes"]]
    cells = [
        [name, *map(count, counts)] for name, counts in zip(names, figures["matrix"], strict=True)
    ]
    return table([rows, *names], cells, right=range(1, len(names) + 1))
