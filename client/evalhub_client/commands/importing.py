"""`evalhub import`: send a file, wait until it is a version of the dataset."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evalhub_client.client import Client
from evalhub_client.connect import Door, connect
from evalhub_client.errors import ApiError, EvalhubClientError
from evalhub_client.failures import Interrupted
from evalhub_client.names import find_dataset
from evalhub_client.output import clean, count, counted, write, write_json
from evalhub_client.progress import ImportPace, Progress, imported_text

Json = dict[str, Any]

CONFLICT = 409


def run(options: argparse.Namespace) -> int:
    _require_readable(options.file)
    progress = Progress()
    with connect(options) as door:
        dataset, is_new = _dataset(door.client, options.dataset)
        try:
            job = _send(door, dataset["id"], options, progress)
        except BaseException:
            if is_new:
                _remove(door.client, dataset["id"])
            raise
        _tell_reading(job, options, progress)
        if options.check:
            job = door.client.check_import(job["id"])
        job = _wait(door, job, progress)
        done: bool = job["state"] in ("done", "checked")
        if done:
            progress.say(imported_text(job))
        _tell_problems(job, progress)
        _write_errors(door.client.save_import_problems, job, options.errors, progress)
        _write_errors(door.client.save_rows_to_mend, job, options.mend, progress)
        if options.check:
            door.client.cancel_import(job["id"])
        if (options.check or not done) and is_new:
            _remove(door.client, dataset["id"])
    if options.json:
        write_json(job)
    elif done:
        write(_checked(job) if options.check else _answer(job, dataset["name"]))
    if not done:
        detail = clean(job["message"]) or f"The import ended as {job['state']}."
        print(f"evalhub: {detail}", file=sys.stderr)
    return 0 if done and not (options.check and job["rows_bad"]) else 1


def _dataset(client: Client, name: str) -> tuple[Json, bool]:
    """The dataset of that name, and whether it was made for this import."""
    found = find_dataset(client, name)
    if found is not None:
        return found, False
    try:
        return client.create_dataset(name), True
    except ApiError as error:
        # Another import may have made it since.
        found = find_dataset(client, name) if error.status == CONFLICT else None
        if found is None:
            raise
        return found, False


def _require_readable(file: str) -> None:
    """Before anything is made on the server."""
    try:
        with Path(file).open("rb"):
            return
    except OSError as error:
        raise EvalhubClientError(f"Cannot read {file}: {error.strerror}.") from error


def _send(door: Door, dataset: str, options: argparse.Namespace, progress: Progress) -> Json:
    """The import, begun. One that is under way in the dataset is seen to its end before.

    Without that, an import stopped with Ctrl-C would be in the way of the next one for ever: where
    no worker runs, nobody else goes on with it.
    """
    while True:
        try:
            return _upload(door.client, dataset, options)
        except ApiError as error:
            if error.status != CONFLICT:
                raise
            other = next((one for one in door.client.list_imports(dataset) if one["active"]), None)
            if other is None:
                raise
        name = clean(other["filename"])
        progress.say(f"An import of {name} into this dataset is under way. It comes first.")
        other = _wait(door, other, progress)
        if other["state"] == "done" and other["filename"] == Path(options.file).name:
            raise EvalhubClientError(
                f"The import of {name} that was under way has ended: {clean(other['message'])} "
                "The file was not imported a second time; repeat the command if it should be."
            )


def _upload(client: Client, dataset: str, options: argparse.Namespace) -> Json:
    try:
        return client.import_file(
            dataset,
            options.file,
            format=options.format,
            encoding=options.encoding,
            delimiter=options.delimiter,
            has_header=False if options.no_header else None,
            member=options.member,
            input=options.input,
            expected=options.expected,
            metadata=options.metadata,
            external_id=options.external_id,
            columns=options.map,
            rest=options.rest,
            known_by=options.known_by,
            known_are=options.known,
            on_error=options.on_error,
            apply=not options.check,
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
    """Take away the dataset that was made for an import that did not come to be.

    It stays when another import has filled it since.
    """
    try:
        if client.get_dataset(dataset)["version"] == 0:
            client.delete_dataset(dataset)
    except EvalhubClientError as error:
        print(f"The new dataset {dataset} could not be removed: {error}", file=sys.stderr)


def _tell_reading(job: Json, options: argparse.Namespace, progress: Progress) -> None:
    """What was not sure about the file, and where its columns go when nobody said it."""
    for note in job["reading"]["notes"]:
        progress.say(f"Note: {clean(note)}")
    inside = job["reading"].get("inside")
    if inside:
        progress.say(f"Note: Read {clean(inside)} of the packed file.")
    named = options.input or options.expected or options.metadata or options.map
    if named or options.external_id:
        return
    places: dict[str, list[str]] = {}
    for one in job["mapping"]["columns"]:
        places.setdefault(one["destination"].replace("_", " "), []).append(one["column"])
    said = "; ".join(f"{place}: {', '.join(columns)}" for place, columns in places.items())
    progress.say(clean(f"Columns by their names: {said}. Options such as --input say it."))


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


def _write_errors(
    save: Callable[[str, str], None], job: Json, path: str | None, progress: Progress
) -> None:
    if path is None or not job["rows_bad"]:
        return
    try:
        save(job["id"], path)
    except OSError as error:
        raise EvalhubClientError(f"Cannot write {path}: {error.strerror}.") from error
    progress.say(f"All of them are in {path}.")


def _checked(job: Json) -> str:
    ready = f"{counted(job['rows_good'], 'row')} of {count(job['rows_done'])} can be imported."
    bad = (
        f" {counted(job['rows_bad'], 'row has', 'rows have')} a problem." if job["rows_bad"] else ""
    )
    return f"{ready}{bad} Nothing was imported."


def _answer(job: Json, name: str) -> str:
    into = clean(f"{name} ({job['dataset']})")
    updated = job.get("rows_updated", 0)
    new = job["rows_good"] - job["rows_known"] - updated
    parts = [
        f"Imported {counted(new, 'item')} into {into} as v{job['version']}."
        if job["version"] is not None
        else f"Imported nothing new into {into}."
    ]
    if updated:
        parts.append(f"{counted(updated, 'item was', 'items were')} updated.")
    if job["rows_known"]:
        parts.append(f"{counted(job['rows_known'], 'item was', 'items were')} there already.")
    if job["rows_bad"]:
        parts.append(f"{counted(job['rows_bad'], 'row')} skipped.")
    return " ".join(parts)
