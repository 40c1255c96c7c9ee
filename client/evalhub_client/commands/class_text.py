"""Classes of two runs as `evalhub compare --classes` prints them."""

from __future__ import annotations

from typing import Any

from evalhub_client.output import (
    change,
    change_interval,
    clean,
    count,
    counted,
    figure,
    interval,
    table,
)

Json = dict[str, Any]

POINT = 0.01  # of a share


def class_text(found: Json) -> str:
    """Accuracy and macro F1 with their change, then F1 and its parts by class."""
    a, b, by = found["a"], found["b"], found["difference"]
    figures = [
        [
            "Accuracy",
            f"{figure(a['accuracy'], 'binary')} ({interval(a['accuracy_ci95'], 'binary')})",
            f"{figure(b['accuracy'], 'binary')} ({interval(b['accuracy_ci95'], 'binary')})",
            change(by["accuracy"], POINT),
            change_interval(by["accuracy_ci95"], POINT),
        ],
        [
            "Macro F1",
            figure(a["macro"]["f1"], ""),
            figure(b["macro"]["f1"], ""),
            change(by["macro_f1"], None),
            change_interval(by["macro_f1_ci95"], None),
        ],
    ]
    rows = [
        [
            one["label"],
            count(one["expected"]),
            *(
                f"{figure(side[name], kind)} {change(moved[name], POINT if kind else None)}"
                for name, kind in (("precision", "binary"), ("recall", "binary"), ("f1", ""))
            ),
        ]
        for one, side, moved in zip(a["classes"], b["classes"], by["classes"], strict=True)
    ]
    headers = ["Class", "Expected", "Precision of B, B − A", "Recall of B, B − A", "F1 of B, B − A"]
    left = f"{counted(found['errors'], 'pair')} with an error, {count(found['left_out'])} without "
    lines = [
        clean(f"Classes by {found['field']}, over {counted(by['n'], 'pair')}:"),
        table(["", "A", "B", "B − A", "95% CI"], figures, right=range(1, 5)),
        "",
        table(headers, rows, right=range(1, 5)),
    ]
    if found["errors"] or found["left_out"]:
        lines.append(f"{left}an expected class left out.")
    return "\n".join(lines)
