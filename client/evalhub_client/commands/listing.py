"""`evalhub runs`."""

from __future__ import annotations

import argparse
from typing import Any

from evalhub_client.connect import connect
from evalhub_client.output import count, moment, table, write, write_json

Json = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    with connect(options) as door:
        found = list(door.client.list_runs())
    if options.json:
        write_json(found)
    else:
        write(_runs(found) if found else "No runs yet. See: evalhub run --help")
    return 0


def _runs(found: list[Json]) -> str:
    rows = [
        [
            f"#{one['number']}",
            one["name"],
            f"{one['dataset']} v{one['dataset_version']}",
            one["target"]["ref"],
            _status(one),
            count(one["total_items"]),
            moment(one["created_at"]),
        ]
        for one in found
    ]
    headers = ["Run", "Name", "Dataset", "Target", "Status", "Items", "Created"]
    return table(headers, rows, right=(0, 5))


def _status(one: Json) -> str:
    """ "running 45%", "paused 45%", "completed, 3 errors"."""
    progress = one["progress"]
    if one["status"] == "running":
        word = "paused" if one["paused_at"] else "running"
        return f"{word} {int(100 * progress['share'])}%"
    failed = progress["failed"]
    if not failed:
        return str(one["status"])
    return f"{one['status']}, {count(failed)} {'error' if failed == 1 else 'errors'}"
