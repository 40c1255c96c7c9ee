"""`evalhub schema`: show, infer and set the JSON Schemas of a dataset."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from evalhub_client.client import Client
from evalhub_client.commands.jobs import wait_for_job
from evalhub_client.commands.json_options import read_text
from evalhub_client.connect import Door, connect
from evalhub_client.errors import ApiError
from evalhub_client.failures import UsageError
from evalhub_client.names import require_dataset
from evalhub_client.output import clean, counted, write, write_json
from evalhub_client.progress import Progress

Json = dict[str, Any]

FIELDS = ("input", "expected_output", "metadata")


def run(options: argparse.Namespace) -> int:
    given = {name: getattr(options, name) for name in FIELDS if getattr(options, name) is not None}
    if given and options.infer:
        raise UsageError("Infer schemas, or set them. Not both at once.")
    parsed = {name: _parsed(name, text) for name, text in given.items()}
    with connect(options) as door:
        dataset = require_dataset(door.client, options.dataset)["id"]
        if options.infer:
            write_json(door.client.infer_schemas(dataset))
            return 0
        now = door.client.get_schemas(dataset)
        if not given:
            write_json(now["schemas"])
            return 0
        wanted = {
            name: schema for name, schema in (now["schemas"] | parsed).items() if schema is not None
        }
        return _set(options, door, dataset, wanted)


def _set(options: argparse.Namespace, door: Door, dataset: str, wanted: Json) -> int:
    try:
        answer = door.client.set_schemas(dataset, wanted, message=options.message)
    except ApiError as error:
        if "kinds" not in error.extra:
            raise
        problems = [(one.pointer, one.detail) for one in error.errors]
        return _refused(options, door.client, error.extra, error.detail, problems)
    job = answer["job"]
    if job is not None and job["active"]:
        job = wait_for_job(door, job, Progress())
    if job is not None and job["state"] != "done":
        problems = [(one["pointer"], one["detail"]) for one in job["problems"]]
        return _refused(options, door.client, {"job": job["id"]}, job["message"], problems)
    if options.json:
        write_json(answer | {"job": job})
    elif job is None:
        write("Nothing changed, so there is no new version.")
    else:
        write(f"The schemas hold from v{job['version']} on. Every item matches.")
    return 0


def _refused(
    options: argparse.Namespace,
    client: Client,
    extra: Json,
    detail: str,
    problems: list[tuple[str, str]],
) -> int:
    kinds = ", ".join(f"{name} {number}" for name, number in extra.get("kinds", {}).items())
    print(f"evalhub: {clean(detail)}{f' Problems: {kinds}.' if kinds else ''}", file=sys.stderr)
    for pointer, reason in problems[:10]:
        print(f"  {clean(pointer)}: {clean(reason)}", file=sys.stderr)
    if options.problems and "job" in extra:
        lines = list(client.job_problems(extra["job"]))
        Path(options.problems).write_text("\n".join(lines) + "\n")
        print(f"{counted(len(lines) - 1, 'problem')} in {options.problems}", file=sys.stderr)
    return 1


def _parsed(name: str, text: str) -> Any:
    """The schema that an option says; None for an empty text."""
    read = read_text(text, f"--{name.replace('_', '-')}")
    if not read.strip():
        return None
    try:
        return json.loads(read)
    except ValueError as error:
        raise UsageError(f"--{name.replace('_', '-')} is no JSON: {error}.") from None
