"""`evalhub items`: list the items, show, add, edit, delete, duplicate, restore and purge one."""

from __future__ import annotations

import argparse
import json
import sys
from itertools import islice
from typing import Any

from evalhub_client.client import Client
from evalhub_client.commands.json_options import (
    parse_object,
    parse_scorer,
    parse_value,
    read_text,
)
from evalhub_client.commands.trying import output_text
from evalhub_client.connect import connect
from evalhub_client.errors import EvalhubClientError
from evalhub_client.failures import UsageError
from evalhub_client.names import require_dataset
from evalhub_client.output import clean, counted, moment, table, write_answer

Json = dict[str, Any]

MAX_SHOWN = 48
_VALUES = (("input", "input"), ("expected", "expected_output"))
_OBJECTS = ("metadata", "context")
_SHOWN = ("metadata", "context", "tags", "split", "scorers", "external_id", "source")


def run(options: argparse.Namespace) -> int:
    changes = _fields(options) if options.verb in ("add", "edit") else {}
    if options.verb == "edit" and not (changes or options.remove):
        raise UsageError("Say what to change, such as --expected 18.")
    with connect(options) as door:
        client = door.client
        dataset = require_dataset(client, options.dataset)
        answer, text = _VERBS[options.verb](options, client, dataset, changes)
    write_answer(answer, lambda: text, as_json=options.json)
    return 0


def _fields(options: argparse.Namespace) -> Json:
    """The fields that the options name, as the API takes them."""
    found: Json = {}
    for option, field in _VALUES:
        text = getattr(options, option)
        if text is not None:
            found[field] = parse_value(text, f"--{option}")
    for name in _OBJECTS:
        text = getattr(options, name)
        if text is not None:
            found[name] = parse_object(read_text(text, f"--{name}"), f"--{name}")
    for name, value in (
        ("tags", options.tag),
        ("split", options.split),
        ("external_id", options.external_id),
    ):
        if value is not None:
            found[name] = value
    if options.no_scorers:
        found["scorers"] = []
    elif options.scorer is not None:
        found["scorers"] = [parse_scorer(text) for text in options.scorer]
    return found


def _list(
    options: argparse.Namespace, client: Client, dataset: Json, _: Json
) -> tuple[list[Json], str]:
    found = client.list_items(
        dataset["id"],
        version=options.version,
        q=options.q,
        where=options.where,
        split=options.split,
        sort=options.sort,
    )
    items = list(islice(found, options.limit))
    rows = [
        [
            f"#{item['number']}",
            item["external_id"] or "",
            item["split"],
            ", ".join(item["tags"]),
            _line(item["input"]),
            _line(item["expected_output"]) if "expected_output" in item else "",
        ]
        for item in items
    ]
    headers = ["Item", "External ID", "Split", "Tags", "Input", "Expected output"]
    return items, table(headers, rows) if items else "No items match."


def _line(value: Any) -> str:
    """A value on one line that leaves room for others."""
    text = " ".join((value if isinstance(value, str) else json.dumps(value)).split())
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _show(options: argparse.Namespace, client: Client, dataset: Json, _: Json) -> tuple[Json, str]:
    item = client.get_item(dataset["id"], options.item, version=options.version)
    return item, _shown(item)


def _add(
    options: argparse.Namespace, client: Client, dataset: Json, fields: Json
) -> tuple[Json, str]:
    if options.message:
        made = client.add_items(dataset["id"], [fields], message=options.message)
    else:
        made = client.add_item(dataset["id"], fields)
    return made, f"Item #{made['numbers'][0]} is in version {made['version']}."


def _edit(
    options: argparse.Namespace, client: Client, dataset: Json, changes: Json
) -> tuple[Json, str]:
    current = client.get_item(dataset["id"], options.item)
    extra = {"message": options.message} if options.message else {}
    if options.remove:
        extra["remove"] = options.remove
    saved = client.update_item(
        dataset["id"],
        options.item,
        {**changes, **extra},
        revision=current["revision"] if options.revision is None else options.revision,
    )
    if saved["revision"] == current["revision"]:
        return saved, "Nothing was changed, so there is no new version."
    return saved, f"Item #{options.item} is saved in version {saved['version']}."


def _delete(
    options: argparse.Namespace, client: Client, dataset: Json, _: Json
) -> tuple[Json, str]:
    client.delete_item(dataset["id"], options.item, revision=options.revision)
    answer = {"number": options.item, "deleted": True}
    return answer, f"Item #{options.item} is deleted. Older versions keep it."


def _duplicate(
    options: argparse.Namespace, client: Client, dataset: Json, _: Json
) -> tuple[Json, str]:
    to = dataset if options.to is None else require_dataset(client, options.to)
    made = client.duplicate_item(
        dataset["id"],
        options.item,
        to=to["id"],
        version=options.version,
        message=options.message,
    )
    return made, f"The copy is item #{made['number']} of {clean(to['name'])}."


def _history(
    options: argparse.Namespace, client: Client, dataset: Json, _: Json
) -> tuple[list[Json], str]:
    entries = list(client.list_item_history(dataset["id"], options.item))
    rows = [
        [
            f"v{entry['version']['number']}",
            str(entry["item"]["revision"]),
            moment(entry["version"]["created_at"]),
            entry["version"]["author"] or "",
            _what(entry, first=entry is entries[-1]),
            entry["version"]["message"],
        ]
        for entry in entries
    ]
    headers = ["Version", "Revision", "When", "By", "What", "Message"]
    return entries, table(headers, rows, right=(1,))


def _restore(
    options: argparse.Namespace, client: Client, dataset: Json, _: Json
) -> tuple[Json, str]:
    item = client.restore_item(
        dataset["id"], options.item, revision=options.revision, message=options.message
    )
    return item, f"Item #{options.item} says so since version {item['version']}."


def _purge(options: argparse.Namespace, client: Client, dataset: Json, _: Json) -> tuple[Json, str]:
    number = options.item
    if not options.yes:
        if not sys.stdin.isatty():
            raise UsageError("Say --yes to purge without being asked.")
        print(
            f"This removes what item #{number} of {clean(dataset['name'])} says from all versions "
            "and from the results of its runs, and the notes on it. It cannot be undone.",
            file=sys.stderr,
        )
        if input(f"Type {number} to purge it: ").strip().removeprefix("#") != str(number):
            raise EvalhubClientError("That is another number. Nothing was purged.")
    purged = client.purge_item(dataset["id"], number)
    return purged, f"Item #{number} is purged: {counted(purged['revisions'], 'revision')}."


_VERBS = {
    "list": _list,
    "show": _show,
    "add": _add,
    "edit": _edit,
    "delete": _delete,
    "duplicate": _duplicate,
    "history": _history,
    "restore": _restore,
    "purge": _purge,
}


def _shown(item: Json) -> str:
    """An item for people: each field under its name, what is absent left out."""
    lines = [f"Item #{item['number']}, since version {item['version']}"]
    if item["purged"]:
        return "\n".join([*lines, "Purged: what it said is gone for good."])
    for name in ("input", "expected_output"):
        if name in item:
            title = name.replace("_", " ").capitalize()
            lines += ["", f"{title}:", output_text(item[name])]
    rest = {name: item[name] for name in _SHOWN if item.get(name) not in (None, "", {}, [])}
    if item.get("scorers") == []:
        rest["scorers"] = []
    if rest:
        lines += ["", output_text(rest)]
    return "\n".join(lines)


def _what(entry: Json, *, first: bool) -> str:
    if entry["deleted"]:
        return "deleted"
    if entry["item"]["purged"]:
        return "purged"
    if first:
        return "created"
    return ", ".join(change["path"] for change in entry["changes"]) or "restored"
