"""`evalhub notes`: list what people wrote on an item, add a note, delete one."""

from __future__ import annotations

import argparse
from typing import Any

from evalhub_client.connect import connect
from evalhub_client.names import require_dataset
from evalhub_client.output import clean, moment, write_answer

Json = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    answer: Any
    with connect(options) as door:
        client, item = door.client, options.item
        dataset = require_dataset(client, options.dataset)["id"]
        if options.add is not None:
            answer = client.add_note(dataset, item, options.add)
            text = f"Note {answer['id']} is on item #{item}."
        elif options.delete is not None:
            client.delete_note(dataset, item, options.delete)
            answer = {"id": options.delete, "deleted": True}
            text = f"Note {options.delete} is deleted."
        else:
            answer = list(client.list_notes(dataset, item))
            text = "\n\n".join(map(_shown, answer)) or f"Item #{item} has no notes."
    write_answer(answer, lambda: text, as_json=options.json)
    return 0


def _shown(note: Json) -> str:
    """A note for people: who wrote it when, and its lines below that."""
    author = clean(note["author"] or "a former user")
    lines = [f"    {clean(line)}".rstrip() for line in note["text"].split("\n")]
    return "\n".join([f"{note['id']}  {author}, {moment(note['created_at'])}", *lines])
