"""`evalhub import`: send a file, wait until it is a version of the dataset."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from evalhub_client.client import Client
from evalhub_client.connect import Door, connect
from evalhub_client.errors import EvalhubClientError
from evalhub_client.failures import Interrupted
from evalhub_client.names import find_dataset
from evalhub_client.output import clean, count, counted, write, write_json
from evalhub_client.progress import ImportPace, Progress, imported_text

Json = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    _require_readable(options.file)
    progress = Progress()
    with connect(options) as door:
        found = find_dataset(door.client, options.dataset)
        dataset = found or door.client.create_dataset(options.dataset)
        try:
            job = _send(door.client, dataset["id"], options)
        except BaseException:
            if found is None:
                _remove(door.client, dataset["id"])
            raise
        job = _wait(door, job, progress)
        done: bool = job["state"] == "done"
        if done:
            progress.say(imported_text(job))
        _tell_problems(job, progress)
        if not done and found is None:
            _remove(door.client, dataset["id"])
    if options.json:
        write_json(job)
    elif done:
        write(_answer(job, dataset["name"]))
    if not done:
        detail = clean(job["message"]) or f"The import ended as {job['state']}."
        print(f"evalhub: {detail}", file=sys.stderr)
    return 0 if done else 1


def _require_readable(file: str) -> None:
    """Before anything is made on the server."""
    try:
        with Path(file).open("rb"):
            return
    except OSError as error:
        raise EvalhubClientError(f"Cannot read {file}: {error.strerror}.") from error


def _send(client: Client, dataset: str, options: argparse.Namespace) -> Json:
    try:
        return client.import_file(
            dataset,
            options.file,
            format=options.format,
            input=options.input,
            expected=options.expected,
            metadata=options.metadata,
            external_id=options.external_id,
            rest=options.rest,
            on_error=options.on_error,
        )
    except OSError as error:
        raise EvalhubClientError(f"Cannot read {options.file}: {error.strerror}.") from error


def _wait(door: Door, job: Json, progress: Progress) -> Json:
    pace = ImportPace()
    with door.tended(progress.say) as tend:

        def on_poll(job: Json) -> None:
            if job["active"]:
                progress.show(pace.text(job))
                tend()

        try:
            return door.client.wait_for_import(job["id"], on_poll=on_poll)
        except KeyboardInterrupt:
            progress.say(
                "Stopped waiting. The import goes on with the next worker."
                if door.local
                else "Stopped waiting. The import goes on on the server."
            )
            raise Interrupted from None
        finally:
            progress.clear()


def _remove(client: Client, dataset: str) -> None:
    """Take away the dataset that was made for an import that did not come to be."""
    try:
        client.delete_dataset(dataset)
    except EvalhubClientError as error:
        print(f"The new dataset {dataset} could not be removed: {error}", file=sys.stderr)


def _tell_problems(job: Json, progress: Progress) -> None:
    if not job["rows_bad"]:
        return
    progress.say(f"{counted(job['rows_bad'], 'row')} with a problem:")
    for group in job["problems"]:
        for one in group["examples"]:
            column = f", column {one['column']}" if one["column"] is not None else ""
            cure = f" {one['suggestion']}" if one["suggestion"] else ""
            progress.say(clean(f"  Line {count(one['line'])}{column}: {one['reason']}{cure}"))
        more = group["count"] - len(group["examples"])
        if more > 0:
            progress.say(clean(f"  and {count(more)} more of “{group['title']}”"))


def _answer(job: Json, name: str) -> str:
    into = clean(f"{name} ({job['dataset']})")
    new = job["rows_good"] - job["rows_known"]
    parts = [
        f"Imported {counted(new, 'item')} into {into} as v{job['version']}."
        if job["version"] is not None
        else f"Imported nothing new into {into}."
    ]
    if job["rows_known"]:
        parts.append(f"{counted(job['rows_known'], 'item was', 'items were')} there already.")
    if job["rows_bad"]:
        parts.append(f"{counted(job['rows_bad'], 'row')} skipped.")
    return " ".join(parts)
