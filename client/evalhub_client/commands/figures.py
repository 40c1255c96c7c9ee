"""The figures of a run that has ended, as `evalhub run --wait` and its like print them."""

from __future__ import annotations

import sys
from typing import Any

from evalhub_client.output import (
    clean,
    count,
    counted,
    figure,
    interval,
    milliseconds,
    table,
)

Json = dict[str, Any]

_FIGURES = (
    "total_items",
    "total_results",
    "succeeded",
    "failed",
    "skipped",
    "scores",
    "latency_ms",
)
_ENDED = {"failed": "failed", "cancelled": "was cancelled"}


def exit_code(run: Json) -> int:
    """0 for a run that completed; else 1, and the reason goes to standard error."""
    if run["status"] == "completed":
        return 0
    reason = clean(run["reason"]) or "It gave no reason."
    print(f"evalhub: Run #{run['number']} {_ENDED[run['status']]}. {reason}", file=sys.stderr)
    return 1


def as_json(run: Json) -> Json:
    """What `run --wait --json` prints."""
    summary = run["summary"]
    figures = {name: summary[name] for name in _FIGURES}
    return {"id": run["id"], "number": run["number"], "status": run["status"], **figures}


def as_text(run: Json) -> str:
    """The figures of a run that has ended, for people."""
    summary = run["summary"]
    reason = f" {clean(run['reason'])}" if run["reason"] else ""
    lines = [
        f"Run #{run['number']} {run['status']}.{reason}",
        f"{counted(summary['total_items'], 'item')}: {count(summary['succeeded'])} succeeded, "
        f"{count(summary['failed'])} failed, {count(summary['skipped'])} skipped.",
    ]
    if summary["scores"]:
        lines += ["", _scores(run)]
    latency = summary["latency_ms"]
    if latency["p50"] is not None:
        times = ", ".join(f"{name} {milliseconds(latency[name])}" for name in ("p50", "p95", "p99"))
        lines += ["", f"Latency: {times}."]
    return "\n".join(lines)


def _scores(run: Json) -> str:
    kinds = {one["name"]: one["kind"] for one in run["scorers"]}
    rows = [
        [
            name,
            count(one["n"]),
            figure(one["mean"], kinds[name]),
            interval(one["ci95"], kinds[name]),
            "–" if one["passed"] is None else count(one["passed"]),
            count(one["errors"]),
            count(one["not_scored"]),
        ]
        for name, one in run["summary"]["scores"].items()
    ]
    headers = ["Scorer", "n", "Mean", "95% CI", "Passed", "Errors", "Not scored"]
    return table(headers, rows, right=range(1, 7))
