"""`evalhub datasets`: list, create, change, duplicate, archive, pin and delete."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from evalhub_client.client import Client
from evalhub_client.commands.json_options import parse_scorer, read_text
from evalhub_client.connect import connect
from evalhub_client.dataset_options import ACTS
from evalhub_client.errors import EvalhubClientError
from evalhub_client.failures import UsageError
from evalhub_client.names import require_dataset
from evalhub_client.output import clean, count, counted, moment, table, write, write_json

Json = dict[str, Any]

_DONE = {
    "archive": "{} is in the archive.",
    "unarchive": "{} is out of the archive.",
    "pin": "{} is pinned.",
    "unpin": "{} is no longer pinned.",
}
_NONE = "No datasets yet. See: evalhub import --help"


def run(options: argparse.Namespace) -> int:
    verb = options.verb or "list"
    if verb == "update" and options.tag and options.no_tags:
        raise UsageError("--tag and --no-tags cannot both be had. Choose one.")
    with connect(options) as door:
        client = door.client
        if verb == "list":
            found = list(client.list_datasets(archived=options.archived))
            _write(options, found, _table(found) if found else _NONE)
        elif verb == "create":
            made = client.create_dataset(
                options.name,
                slug=options.slug,
                description=_text(options.description) or "",
                tags=options.tag or (),
            )
            _write(options, made, f"{clean(made['name'])} is made, as {made['id']}.")
        else:
            _change(options, client, verb)
    return 0


def _change(options: argparse.Namespace, client: Client, verb: str) -> None:
    dataset = require_dataset(client, options.dataset)
    name, slug = clean(dataset["name"]), dataset["id"]
    if verb == "update":
        changed = client.update_dataset(
            slug,
            name=options.name,
            description=_text(options.description),
            tags=[] if options.no_tags else options.tag,
        )
        _write(options, changed, f"{clean(changed['name'])} is changed.")
    elif verb == "duplicate":
        made = client.duplicate_dataset(slug, name=options.name)
        copy = made["dataset"]
        how = "is made and being filled" if made["job"] else "is made"
        text = f"{clean(copy['name'])} {how}, as {copy['id']}."
        _write(options, made, text)
    elif verb == "defaults":
        _defaults(options, client, slug)
    elif verb in ACTS:
        changed = getattr(client, f"{verb}_dataset")(slug)
        _write(options, changed, _DONE[verb].format(name))
    else:
        _delete(options, client, dataset)


def _defaults(options: argparse.Namespace, client: Client, slug: str) -> None:
    """Set those that are said, show all."""
    scorers = None if options.scorer is None else [parse_scorer(one) for one in options.scorer]
    said = {"target": options.target, "scorers": scorers, "cluster_field": options.cluster_field}
    if any(value is not None for value in said.values()):
        found = client.set_defaults(slug, **said)
    else:
        found = client.get_defaults(slug)
    names = ", ".join(_named(one) for one in found["scorers"])
    lines = [
        f"Target: {clean(found['target'] or '–')}",
        f"Scorers: {clean(names or '–')}",
        f"Cluster field: {clean(found['cluster_field'] or '–')}",
    ]
    _write(options, found, "\n".join(lines))


def _named(scorer: Json) -> str:
    name, margin = str(scorer.get("name") or scorer["use"]), scorer.get("margin")
    return name if margin is None else f"{name} (margin {margin:g} points)"


def _delete(options: argparse.Namespace, client: Client, dataset: Json) -> None:
    name = clean(dataset["name"])
    if not options.yes:
        if not sys.stdin.isatty():
            raise UsageError("Say --yes to delete without being asked.")
        said = (
            f"{counted(dataset['item_count'], 'item')} and {counted(dataset['version'], 'version')}"
        )
        print(f"This deletes {name} with {said}. Its runs stay readable.", file=sys.stderr)
        if input(f"Type {name} to delete it: ").strip() != dataset["name"]:
            raise EvalhubClientError("That is another name. Nothing was deleted.")
    client.delete_dataset(dataset["id"])
    deleted = {"id": dataset["id"], "deleted": True}
    _write(options, deleted, f"{name} is deleted. Its runs stay readable.")


def _text(given: str | None) -> str | None:
    return None if given is None else read_text(given, "--description")


def _write(options: argparse.Namespace, answer: Any, text: str) -> None:
    if options.json:
        write_json(answer)
    else:
        write(text)


def _table(found: list[Json]) -> str:
    rows = [
        [
            one["name"],
            one["id"],
            f"v{one['version']}",
            count(one["item_count"]),
            moment(one["updated_at"]),
            ", ".join(one["tags"]),
        ]
        for one in found
    ]
    return table(["Name", "Slug", "Version", "Items", "Updated", "Tags"], rows, right=(2, 3))
