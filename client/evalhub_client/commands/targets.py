"""`evalhub targets`: what can be run against, saved targets and their versions, and a test."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from evalhub_client.client import Client
from evalhub_client.commands.json_options import parse_object, parse_value, read_text
from evalhub_client.commands.trying import output_text, used_text, wait_for, what_failed
from evalhub_client.connect import Door, connect
from evalhub_client.errors import EvalhubClientError
from evalhub_client.failures import UsageError
from evalhub_client.names import find_target
from evalhub_client.output import (
    clean,
    milliseconds,
    moment,
    table,
    write,
    write_answer,
    write_json,
)
from evalhub_client.progress import Progress

Json = dict[str, Any]

_NO_TARGETS = "No targets yet. Save one, or run outputs in your items as recorded:PATH."


def run(options: argparse.Namespace) -> int:
    if options.verb == "test":
        return _test(options)
    config = None
    if options.verb == "save":
        config = parse_object(read_text(options.config, "--config"), "--config")
    with connect(options) as door:
        client = door.client
        if config is not None:
            _save(options, client, config)
        elif options.verb == "show":
            found = client.get_target(options.id)
            _write(options, found, lambda: _shown(found))
        elif options.verb == "versions":
            versions = list(client.list_target_versions(options.id))
            _write(options, versions, lambda: _versions(versions))
        elif options.verb == "delete":
            client.delete_target(options.id)
            deleted = {"id": options.id, "deleted": True}
            _write(options, deleted, lambda: f"The target {options.id} is deleted. Its runs stay.")
        else:
            targets = list(client.list_targets())
            _write(options, targets, lambda: _table(targets) if targets else _NO_TARGETS)
    return 0


def _write(options: argparse.Namespace, answer: Any, text: Callable[[], str]) -> None:
    write_answer(answer, text, as_json=options.json)


def _save(options: argparse.Namespace, client: Client, config: Json) -> None:
    said = {"description": options.description, "message": options.message}
    before = find_target(client, options.name)
    if before is None:
        if not (options.kind and options.transport):
            raise UsageError(f"“{options.name}” is new: say its --kind and --transport.")
        saved = client.create_target(
            options.name, kind=options.kind, transport=options.transport, config=config, **said
        )
    else:
        for part in ("kind", "transport"):
            wanted = getattr(options, part)
            if wanted not in (None, before[part]):
                raise EvalhubClientError(
                    f"The {part} of {before['name']} is {before[part]} and stays. Save a target "
                    f"with the {part} {wanted} under another name."
                )
        saved = client.update_target(before["id"], config=config, **said)
    how = "saved as" if before is None or before["version"] != saved["version"] else "still at"
    text = (
        f"{saved['name']} is {how} version {saved['version']}. Run it with --target {saved['ref']}"
    )
    _write(options, saved, lambda: text)


def _test(options: argparse.Namespace) -> int:
    given = {
        name: None if text is None else parse_object(read_text(text, f"--{name}"), f"--{name}")
        for name, text in (("context", options.context), ("metadata", options.metadata))
    }
    input = parse_value(options.input, "--input")
    with connect(options) as door:
        trial = _tested(door, options.target, input, given)
    if options.json:
        write_json(trial)
    elif lines := list(_exchanges(trial)):
        write("\n".join(lines))
    if trial["status"] == "completed":
        return 0
    print(f"evalhub: {what_failed(trial)}", file=sys.stderr)
    return 1


def _tested(door: Door, target: str, input: Any, given: Json) -> Json:
    made = door.client.test_target(target, input, **given)
    return wait_for(door, made, Progress())


def _exchanges(trial: Json) -> Iterator[str]:
    """Each request with its response, the output, and what it took."""
    for span in trial["spans"]:
        data = span.get("data")
        if not (isinstance(data, dict) and "request" in data):
            continue
        yield f"Request ({clean(str(span['name']))}):"
        yield f"{output_text(_readable(data['request']))}\n"
        if "response" in data:
            yield f"Response after {milliseconds(span['ms'])}:"
            yield f"{output_text(_readable(data['response']))}\n"
    if trial["status"] == "completed":
        yield f"Output:\n{output_text(trial['output'])}\n"
        yield used_text(trial)


def _readable(value: Any) -> Any:
    """A body, or a request with one: JSON that was kept as text becomes JSON again."""
    if isinstance(value, dict):
        return value | ({"body": _readable(value["body"])} if "body" in value else {})
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _table(found: list[Json]) -> str:
    rows = [[one["ref"], one["name"], one["kind"], one["description"]] for one in found]
    return table(["Reference", "Name", "Kind", "Description"], rows)


def _shown(target: Json) -> str:
    lines = [f"{clean(target['name'])}, {target['kind']}, {target['transport']}"]
    if target["description"]:
        lines.append(clean(target["description"]))
    lines += [f"Version {target['version']}, {moment(target['updated_at'])}:", ""]
    return "\n".join([*lines, output_text(target["config"])])


def _versions(found: list[Json]) -> str:
    rows = [
        [str(one["version"]), moment(one["created_at"]), one["author"] or "", one["message"]]
        for one in found
    ]
    return table(["Version", "Saved", "By", "Message"], rows, right=(0,))
