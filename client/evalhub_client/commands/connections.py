"""`evalhub connections`: the providers that targets go through. No key is ever an argument."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import Any

from evalhub_client.client import Client
from evalhub_client.connect import connect
from evalhub_client.failures import UsageError
from evalhub_client.output import ABSENT, count, table, write_answer
from evalhub_client.targets import UNCHANGED

Json = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    key = _key(options) if options.verb in ("create", "update") else UNCHANGED
    with connect(options) as door:
        if options.verb in (None, "list"):
            found = list(door.client.list_connections())
            write_answer(found, lambda: _table(found), as_json=options.json)
        elif options.verb == "delete":
            door.client.delete_connection(options.id)
            deleted = {"id": options.id, "deleted": True}
            text = f"The connection {options.id} is deleted."
            write_answer(deleted, lambda: text, as_json=options.json)
        else:
            _save(options, door.client, key)
    return 0


def _table(found: list[Json]) -> str:
    if not found:
        return "No connections yet. See: evalhub connections create --help"
    rows = [
        [
            one["name"],
            one["id"],
            one["base_url"],
            one["key"] or "none",
            *(
                ABSENT if one[f"{unit}_per_minute"] is None else count(one[f"{unit}_per_minute"])
                for unit in ("requests", "tokens")
            ),
        ]
        for one in found
    ]
    headers = ["Name", "Slug", "Base URL", "Key", "Requests/min", "Tokens/min"]
    return table(headers, rows, right=(4, 5))


def _save(options: argparse.Namespace, client: Client, key: Any) -> None:
    limits = {
        name: None if value == 0 and options.verb == "update" else value
        for name in ("requests_per_minute", "tokens_per_minute")
        if (value := getattr(options, name)) is not None
    }
    if options.verb == "create":
        key = None if key is UNCHANGED else key
        made = client.create_connection(options.name, options.base_url, key=key, **limits)
    else:
        made = client.update_connection(
            options.id, name=options.name, base_url=options.base_url, key=key, **limits
        )
    what = "made" if options.verb == "create" else "changed"
    text = f"The connection {made['name']} is {what}. Targets name it as {made['id']}."
    write_answer(made, lambda: text, as_json=options.json)


def _key(options: argparse.Namespace) -> Any:
    """What the API takes as the key; UNCHANGED when nothing was said of it. Raises UsageError."""
    if options.key_env:
        return f"env:{options.key_env}"
    if options.key_stdin:
        at_terminal = sys.stdin.isatty()
        key = (getpass.getpass("Key: ") if at_terminal else sys.stdin.read()).strip()
        if not key:
            raise UsageError("There is no key on standard input.")
        return key
    return None if getattr(options, "no_key", False) else UNCHANGED
