"""`evalhub bulk` and `evalhub undo`: many items changed as one version."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from evalhub_client.client import Client
from evalhub_client.commands.jobs import wait_for_job
from evalhub_client.connect import connect
from evalhub_client.failures import UsageError
from evalhub_client.names import require_dataset
from evalhub_client.output import clean, counted, write, write_json
from evalhub_client.progress import Progress

Json = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    if options.command == "bulk":
        _require_selection(options)
    progress = Progress()
    with connect(options) as door:
        dataset = require_dataset(door.client, options.dataset)
        if options.command == "undo":
            done = door.client.undo_version(dataset["id"], options.version, message=options.message)
        else:
            done = door.client.bulk_items(
                dataset["id"],
                _action(door.client, options),
                where=options.where,
                q=options.q,
                split=options.split,
                numbers=options.item,
                except_numbers=options.excepted,
                everything=options.everything,
                message=options.message,
            )
        if done["job"] is not None:
            job = wait_for_job(door, done["job"], progress)
            done |= {name: job[name] for name in ("version", "added", "changed", "removed")}
            done |= {"there": job["there"], "skipped": job["problems"], "job": job}
    job = done["job"]
    failed = job is not None and job["state"] != "done"
    for one in done["skipped"]:
        print(f"  {clean(one['detail'])}", file=sys.stderr)
    if options.json:
        write_json(done)
    elif not failed:
        write(_told(done))
    if failed:
        print(f"evalhub: {clean(job['message'])}", file=sys.stderr)
    return 1 if failed else 0


def _require_selection(options: argparse.Namespace) -> None:
    query = options.where or options.q or options.split or options.everything
    if not query and not options.item:
        raise UsageError("Say which items: --where, --q, --split, --item or --all.")
    if query and options.item:
        raise UsageError("Select items by --item or by a filter, not by both.")
    if options.excepted and not query:
        raise UsageError("--except leaves items out of a filter or of --all.")
    if options.skip_conflicts and not (options.copy_to or options.new_dataset):
        raise UsageError("--skip-conflicts belongs to --copy-to or --new-dataset.")


def _action(client: Client, options: argparse.Namespace) -> Json:
    if options.set_split is not None:
        return {"type": "set_split", "split": options.set_split}
    if options.add_tag:
        return {"type": "add_tags", "tags": options.add_tag}
    if options.remove_tag:
        return {"type": "remove_tags", "tags": options.remove_tag}
    if options.delete:
        return {"type": "delete"}
    if options.move_to:
        return {"type": "move_to", "dataset": require_dataset(client, options.move_to)["id"]}
    action: Json = {"type": "copy_to"}
    if options.new_dataset:
        action["new_dataset"] = options.new_dataset
    else:
        action["dataset"] = require_dataset(client, options.copy_to)["id"]
    return action | ({"on_conflict": "skip"} if options.skip_conflicts else {})


def _told(done: Json) -> str:
    parts = [
        f"{counted(done[name], 'item')} {name}"
        for name in ("added", "changed", "removed")
        if done[name]
    ]
    if done["version"] is None or not parts:
        text = "Nothing changed, so there is no new version."
    else:
        text = f"{clean(done['dataset'])} v{done['version']}: {', '.join(parts)}."
    if done["there"]:
        text += f" {counted(done['there'], 'item was', 'items were')} there already."
    if done["skipped"]:
        text += f" {counted(len(done['skipped']), 'item')} left out."
    return text
