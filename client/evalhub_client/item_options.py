"""What can be typed after `evalhub items` and `evalhub notes`."""

from __future__ import annotations

import argparse
from typing import Any

from evalhub_client.parsing import add_command

_EPILOG = """\
A value is JSON, @FILE, or a plain text when it does not begin like JSON.
examples:
  evalhub items list gsm8k --where 'metadata.topic in ("percent", "rate") and split = "test"'
  evalhub items show gsm8k 3
  evalhub items add gsm8k --input '{"question": "1 + 1"}' --expected 2 --split test
  evalhub items edit gsm8k 3 --expected 70000 --message "150% of the purchase price"
  evalhub items edit gsm8k 3 --remove expected_output --remove tags
  evalhub items restore gsm8k 3 --revision 118"""
_NOTES_EPILOG = """\
examples:
  evalhub notes gsm8k 3
  evalhub notes gsm8k 3 --add "The expected answer is wrong: it is 70,000."
  evalhub notes gsm8k 3 --delete 12"""


def add_item_commands(commands: Any) -> None:
    """Each verb takes the dataset and, but for `list` and `add`, the number of one item."""
    summary = "list, show or change items of a dataset"
    command = add_command(commands, "items", "items", summary, _EPILOG)
    verbs = command.add_subparsers(dest="verb", metavar="ACTION", title="actions", required=True)
    _add_query(_dataset(verbs, "list", "list the items that match"))
    show = _item(verbs, "show", "show an item")
    _add_fields(_dataset(verbs, "add", "add an item"), required=True)
    edit = _item(verbs, "edit", "change what is given of an item, leave the rest")
    _add_fields(edit, required=False)
    edit.add_argument(
        "--remove", metavar="FIELD", action="append", default=[], help="take a field away"
    )
    delete = _item(verbs, "delete", "delete an item; older versions keep it")
    for to in (edit, delete):
        to.add_argument(
            "--revision", metavar="N", type=int, help="only if this is still the item's revision"
        )
    duplicate = _item(verbs, "duplicate", "copy an item, beside itself or to another dataset")
    duplicate.add_argument("--to", metavar="DATASET", help="name or slug")
    for to in (show, duplicate):
        to.add_argument("--version", metavar="N", type=int, help="as it was then (default: now)")
    _item(verbs, "history", "list what each version changed of an item, newest first")
    restore = _item(verbs, "restore", "bring a revision of an item back, as a new version")
    restore.add_argument(
        "--revision", metavar="N", type=int, required=True, help="one that `history` lists"
    )
    for to in (duplicate, restore):
        to.add_argument("--message", metavar="TEXT", help="why, shown in the history")
    purge = _item(verbs, "purge", "remove what an item says from all versions and results")
    purge.add_argument("--yes", action="store_true", help="do not ask for its number")


def add_note_command(commands: Any) -> None:
    """It lists, unless it is told to add or to delete."""
    notes = _item(commands, "notes", "list, add or delete notes on an item", "notes", _NOTES_EPILOG)
    act = notes.add_mutually_exclusive_group()
    act.add_argument("--add", metavar="TEXT", help="write a note, for everybody in the project")
    act.add_argument("--delete", metavar="ID", type=int, help="delete a note that is listed")


def _dataset(
    verbs: Any, name: str, summary: str, module: str = "items", epilog: str | None = None
) -> argparse.ArgumentParser:
    made = add_command(verbs, name, module, summary, epilog)
    made.add_argument("dataset", metavar="DATASET", help="name or slug")
    return made


def _item(
    verbs: Any, name: str, summary: str, module: str = "items", epilog: str | None = None
) -> argparse.ArgumentParser:
    made = _dataset(verbs, name, summary, module, epilog)
    made.add_argument("item", metavar="ITEM", type=_number, help="number of the item")
    return made


def _add_query(to: argparse.ArgumentParser) -> None:
    to.add_argument("--q", metavar="TEXT", default="", help="only items with this text")
    to.add_argument(
        "--where", metavar="FILTER", default="", help="only items that pass, see the examples"
    )
    to.add_argument("--split", metavar="NAME", default="", help="only items of this split")
    to.add_argument(
        "--sort",
        choices=("number", "-number", "changed", "external_id", "split"),
        default="number",
        help="order (default: number)",
    )
    to.add_argument("--limit", metavar="N", type=int, help="at most this many")
    to.add_argument("--version", metavar="N", type=int, help="as it was then (default: now)")


def _number(text: str) -> int:
    digits = text.strip().removeprefix("#")
    if not (digits.isascii() and digits.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of an item")
    return int(digits)


def _add_fields(to: argparse.ArgumentParser, *, required: bool) -> None:
    to.add_argument("--input", metavar="VALUE", required=required, help="what the target gets")
    to.add_argument("--expected", metavar="VALUE", help="expected output; null is a value")
    to.add_argument("--metadata", metavar="JSON", help="an object")
    to.add_argument("--context", metavar="JSON", help="an object that the target gets")
    to.add_argument(
        "--tag", metavar="TAG", action="append", help="again for more; these are all it has"
    )
    to.add_argument("--split", metavar="NAME")
    to.add_argument("--external-id", metavar="ID", help="an id of your own, unique in the dataset")
    scorers = to.add_mutually_exclusive_group()
    scorers.add_argument(
        "--scorer",
        metavar="SPEC",
        action="append",
        help="its own, where a run names none: a name or a JSON object; again for more",
    )
    scorers.add_argument(
        "--no-scorers", action="store_true", help="not scored unless a run says so"
    )
    to.add_argument("--message", metavar="TEXT", help="why, shown in the history")
