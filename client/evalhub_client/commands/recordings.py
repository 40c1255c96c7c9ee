"""`evalhub recordings`: outputs that were made elsewhere."""

from __future__ import annotations

import argparse
from typing import Any

from evalhub_client.client import Client
from evalhub_client.connect import connect
from evalhub_client.failures import UsageError
from evalhub_client.output import count, counted, moment, table, write_answer

Json = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    with connect(options) as door:
        if options.verb == "upload":
            _upload(options, door.client)
        elif options.verb == "delete":
            door.client.delete_recording(options.id)
            deleted = {"id": options.id, "deleted": True}
            text = f"The recording {options.id} is deleted."
            write_answer(deleted, lambda: text, as_json=options.json)
        else:
            found = list(door.client.list_recordings())
            write_answer(found, lambda: _table(found), as_json=options.json)
    return 0


def _upload(options: argparse.Namespace, client: Client) -> None:
    try:
        made = client.upload_recording(
            options.file,
            name=options.name,
            key_column=options.key,
            output_column=options.output,
            key_field=options.key_field,
            read_as=options.read_as,
        )
    except OSError as error:
        raise UsageError(f"{options.file} cannot be read: {error.strerror}.") from error

    def text() -> str:
        return f"{counted(made['rows'], 'output')} recorded. Run with --target {made['ref']}"

    write_answer(made, text, as_json=options.json)


def _table(found: list[Json]) -> str:
    if not found:
        return "No recordings yet."
    rows = [
        [one["name"], one["ref"], one["key_field"], count(one["rows"]), moment(one["created_at"])]
        for one in found
    ]
    return table(["Name", "Reference", "Key", "Outputs", "Created"], rows, right=(3,))
