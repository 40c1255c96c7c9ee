"""`evalhub datasets` and `evalhub runs`."""

from __future__ import annotations

import argparse
from typing import Any

from evalhub_client.connect import connect
from evalhub_client.output import count, moment, table, write, write_json

Json = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    with connect(options) as door:
        lists = {
            "datasets": (
                door.client.list_datasets,
                _datasets,
                "No datasets yet. See: evalhub import --help",
            ),
            "runs": (door.client.list_runs, _runs, "No runs yet. See: evalhub run --help"),
        }
        entries, shown, nothing = lists[options.command]
        found = list(entries())
    if options.json:
        write_json(found)
    else:
        write(shown(found) if found else nothing)
    return 0


def _datasets(found: list[Json]) -> str:
    rows = [
        [
            one["name"],
            one["id"],
            f"v{one['version']}",
            count(one["item_count"]),
            moment(one["updated_at"]),
        ]
        for one in found
    ]
    return table(["Name", "Slug", "Version", "Items", "Updated"], rows, right=(2, 3))


def _runs(found: list[Json]) -> str:
    rows = [
        [
            f"#{one['number']}",
            one["name"],
            f"{one['dataset']} v{one['dataset_version']}",
            one["target"]["ref"],
            one["status"],
            count(one["total_items"]),
            moment(one["created_at"]),
        ]
        for one in found
    ]
    headers = ["Run", "Name", "Dataset", "Target", "Status", "Items", "Created"]
    return table(headers, rows, right=(0, 5))
