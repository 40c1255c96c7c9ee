"""`evalhub versions`, `diff`, `restore` and `label`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from typing import Any

from evalhub_client.client import Client
from evalhub_client.commands.jobs import wait_for_job
from evalhub_client.connect import connect
from evalhub_client.failures import UsageError
from evalhub_client.names import require_dataset
from evalhub_client.output import ABSENT, clean, count, counted, moment, table, write, write_json
from evalhub_client.progress import Progress

Json = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    if options.command == "label":
        _require_change(options)
    with connect(options) as door:
        dataset = require_dataset(door.client, options.dataset)
        if options.command == "versions":
            return _list(options, door.client, dataset)
        if options.command == "diff":
            return _diff(options, door.client, dataset)
        if options.command == "label":
            return _label(options, door.client, dataset)
        job = door.client.restore_version(dataset["id"], options.version, message=options.message)
        if job["active"]:
            job = wait_for_job(door, job, Progress())
    return _restored(options, dataset, job)


def _list(options: argparse.Namespace, client: Client, dataset: Json) -> int:
    found = list(client.list_versions(dataset["id"]))
    if options.json:
        write_json(found)
        return 0
    rows = [
        [
            f"v{one['number']}",
            one["label"] or ABSENT,
            one["message"] or ABSENT,
            _counts(one) or "no item changed",
            count(one["item_count"]),
            one["author"] or ABSENT,
            moment(one["created_at"]),
        ]
        for one in found
    ]
    headers = ["Version", "Label", "What changed", "Items changed", "Items", "Author", "When"]
    write(table(headers, rows, right=(4,)) if rows else "No versions yet.")
    return 0


def _diff(options: argparse.Namespace, client: Client, dataset: Json) -> int:
    pair = client.count_diff(dataset["id"], options.before, options.after)
    changes = client.diff_versions(dataset["id"], pair["from"], pair["to"], kind=options.kind)
    if options.json:
        write_json(pair | {"items": list(changes)})
        return 0
    counts = pair["counts"]
    said = _counts(counts) or "no item differs"
    more = "" if counts["exact"] else ", or more"
    write(f"{clean(dataset['name'])} v{pair['from']} to v{pair['to']}: {said}{more}.")
    _write_changes(changes)
    return 0


def _write_changes(changes: Iterable[Json]) -> None:
    """One line for each item as it comes, and one for each field that changed."""
    signs = {"added": "+", "removed": "-", "changed": "~"}
    for one in changes:
        item = one["after"] or one["before"]
        write(f"{signs[one['kind']]} {item['number']:04d}  {_short(item['input'])}")
        for change in one["changes"]:
            before = _short(change["before"]) if "before" in change else ABSENT
            after = _short(change["after"]) if "after" in change else ABSENT
            write(f"    {clean(change['path'])}: {before} → {after}")


def _label(options: argparse.Namespace, client: Client, dataset: Json) -> int:
    label = "" if options.remove else options.label
    row = client.update_version(
        dataset["id"], options.version, label=label, message=options.message
    )
    if options.json:
        write_json(row)
    else:
        has = f"has the label “{clean(row['label'])}”" if row["label"] else "has no label"
        write(f"{clean(dataset['name'])} v{row['number']} {has}.")
    return 0


def _restored(options: argparse.Namespace, dataset: Json, job: Json) -> int:
    if options.json:
        write_json(job)
    elif job["state"] == "done":
        name = clean(dataset["name"])
        if job["version"] is None:
            write(f"{name}: no item differs, so there is no new version.")
        else:
            write(f"{name} v{job['version']}: {_counts(job)}.")
    if job["state"] != "done":
        print(f"evalhub: {clean(job['message'])}", file=sys.stderr)
        for problem in job["problems"][:10]:
            line = f"  {clean(problem['pointer'])}: {clean(problem['detail'])}"
            print(line, file=sys.stderr)
        return 1
    return 0


def _require_change(options: argparse.Namespace) -> None:
    if options.remove and options.label is not None:
        raise UsageError("Give a label or --remove, not both.")
    if options.label is None and options.message is None and not options.remove:
        raise UsageError("Give a LABEL, --remove or --message.")


def _counts(counts: Json) -> str:
    parts = [
        f"{counted(counts[name], 'item')} {name}"
        for name in ("added", "changed", "removed")
        if counts[name]
    ]
    return ", ".join(parts)


def _short(value: Any) -> str:
    text = clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return text if len(text) <= 60 else text[:59] + "…"
