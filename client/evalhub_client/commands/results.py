"""`evalhub results`: every result of a run, written as it comes."""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from evalhub_client.connect import connect
from evalhub_client.failures import UsageError
from evalhub_client.names import run_reference

Json = dict[str, Any]

_COLUMNS = (
    "number",
    "external_id",
    "status",
    "error_type",
    "error_message",
    "input",
    "expected_output",
    "output",
    "metadata",
    "latency_ms",
    "retries",
    "started_at",
    "completed_at",
)
_SCORE_COLUMNS = ("state", "value", "passed", "reason")
_LEADS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?\Z", re.ASCII)


def run(options: argparse.Namespace) -> int:
    if options.json and options.format == "csv":
        raise UsageError("--json and --format csv cannot both be had. Choose one.")
    reference = run_reference(options.run)
    with connect(options) as door:
        if options.format != "csv":
            for result in door.client.list_results(reference):
                sys.stdout.write(f"{json.dumps(result, ensure_ascii=False)}\n")
            return 0
        scorers = [one["name"] for one in door.client.get_run(reference)["scorers"]]
        rows = csv_rows(door.client.list_results(reference), scorers)
        csv.writer(sys.stdout).writerows(rows)
    return 0


def csv_rows(results: Iterable[Json], scorers: list[str]) -> Iterator[list[str]]:
    """The header, then a row for each result. What a result does not have is an empty cell."""
    yield [
        *_COLUMNS,
        *(safe_cell(f"{name}.{part}") for name in scorers for part in _SCORE_COLUMNS),
    ]
    for result in results:
        error = result.get("error") or {}
        values = {**result, "error_type": error.get("type"), "error_message": error.get("message")}
        cells = [
            # JSON null is a value of these two; of the others None says that there is none.
            _cell(values[name], null="null" if name in ("expected_output", "output") else "")
            if name in values
            else ""
            for name in _COLUMNS
        ]
        for name in scorers:
            score = result["scores"].get(name, {})
            cells += [_cell(score.get(part)) for part in _SCORE_COLUMNS]
        yield cells


def safe_cell(text: str) -> str:
    """The text so that no spreadsheet runs it as a formula. Numbers stay numbers."""
    if text.startswith(_LEADS) and not _NUMBER.match(text):
        return f"'{text}"
    return text


def _cell(value: Any, *, null: str = "") -> str:
    if value is None:
        return null
    if isinstance(value, str):
        return safe_cell(value)
    return json.dumps(value, ensure_ascii=False)
