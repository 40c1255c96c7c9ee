"""`evalhub baseline`: show, pin or unpin the run that a dataset's other runs are compared with."""

from __future__ import annotations

import argparse
from typing import Any

from evalhub_client.connect import connect
from evalhub_client.failures import UsageError
from evalhub_client.names import require_dataset, run_reference
from evalhub_client.output import clean, write, write_json


def run(options: argparse.Namespace) -> int:
    if options.none and options.run is not None:
        raise UsageError("Give a run, or --none for no baseline.")
    with connect(options) as door:
        dataset = require_dataset(door.client, options.dataset)
        if options.none:
            found = door.client.set_baseline(dataset["id"], None)
        elif options.run is not None:
            found = door.client.set_baseline(dataset["id"], run_reference(options.run))
        else:
            found = door.client.get_baseline(dataset["id"])
    if options.json:
        write_json(found)
    else:
        write(_text(dataset["name"], found))
    return 0


def _text(name: str, found: dict[str, Any]) -> str:
    if found["run"] is None:
        return f"{clean(name)} has no baseline."
    return f"The baseline of {clean(name)} is run #{found['run']}, {clean(found['name'])}."
