"""`evalhub export`: the items of a dataset as a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from evalhub_client.connect import connect
from evalhub_client.errors import EvalhubClientError
from evalhub_client.names import require_dataset
from evalhub_client.output import count, write, write_json


def run(options: argparse.Namespace) -> int:
    which = {
        "version": options.version,
        "q": options.search,
        "where": options.where,
        "split": options.split,
        "numbers": options.numbers,
    }
    with connect(options) as door:
        dataset = require_dataset(door.client, options.dataset)
        if options.output is None:
            format = options.format or "jsonl"
            for piece in door.client.export_dataset(dataset["id"], format=format, **which):
                sys.stdout.buffer.write(piece)
            return 0
        try:
            size = door.client.save_export(
                dataset["id"], options.output, format=_format(options), **which
            )
        except OSError as error:
            reason = error.strerror or error
            raise EvalhubClientError(f"Cannot write {options.output}: {reason}.") from error
    if options.json:
        write_json({"file": options.output, "bytes": size, "dataset": dataset["id"]})
    else:
        write(f"Exported {dataset['name']} to {options.output}, {count(size)} bytes.")
    return 0


def _format(options: argparse.Namespace) -> str:
    """What is asked for, else what the file's ending says."""
    ending = Path(options.output).suffix.removeprefix(".").lower()
    format: str = options.format or (ending if ending in ("csv", "json") else "jsonl")
    return format
