"""What can be typed after `evalhub bulk` and `evalhub undo`."""

from __future__ import annotations

import argparse
from typing import Any

from evalhub_client.parsing import add_command

_EPILOG = """\
examples:
  evalhub bulk gsm8k --where 'metadata.topic = "percent"' --set-split test
  evalhub bulk tickets --q refund --add-tag refunds --add-tag money
  evalhub bulk tickets --item 4 --item 17 --delete
  evalhub bulk tickets --split test --new-dataset "Tickets for tests\""""


def add_bulk_commands(commands: Any) -> None:
    """`bulk` does one action to many items; `undo` reverses one version."""
    summary = "change, copy or delete many items as one version"
    bulk = add_command(commands, "bulk", "bulk", summary, _EPILOG)
    bulk.add_argument("dataset", metavar="DATASET", help="name or slug")
    _add_selection(bulk)
    _add_action(bulk)
    bulk.add_argument("--message", metavar="TEXT", default="", help="why, kept with the version")
    undo = add_command(commands, "undo", "bulk", "reverse exactly what a version changed")
    undo.add_argument("dataset", metavar="DATASET", help="name or slug")
    undo.add_argument("version", metavar="VERSION", type=_version, help="its number")
    undo.add_argument("--message", metavar="TEXT", default="", help="why, kept with the version")


def _add_selection(to: argparse.ArgumentParser) -> None:
    which = to.add_argument_group("which items")
    which.add_argument("--where", metavar="FILTER", default="", help="those that the filter keeps")
    which.add_argument("--q", metavar="TEXT", default="", help="those with this text")
    which.add_argument("--split", metavar="NAME", default="", help="those of this split")
    which.add_argument(
        *("--item", "-i"), metavar="N", type=int, action="append", default=[], help="again for more"
    )
    which.add_argument(
        "--except", metavar="N", type=int, action="append", default=[], dest="excepted",
        help="all that match but this one; again for more",
    )  # fmt: skip
    which.add_argument("--all", action="store_true", dest="everything", help="every item")


def _add_action(to: argparse.ArgumentParser) -> None:
    group = to.add_argument_group("what becomes of them (one of these)")
    action = group.add_mutually_exclusive_group(required=True)
    action.add_argument("--set-split", metavar="NAME", help='"" takes them out of their split')
    action.add_argument("--add-tag", metavar="TAG", action="append", help="again for more")
    action.add_argument("--remove-tag", metavar="TAG", action="append", help="again for more")
    action.add_argument("--delete", action="store_true", help="older versions keep them")
    action.add_argument("--copy-to", metavar="DATASET", help="name or slug")
    action.add_argument("--move-to", metavar="DATASET", help="name or slug")
    action.add_argument("--new-dataset", metavar="NAME", help="copy them into a new dataset")
    group.add_argument(
        "--skip-conflicts",
        action="store_true",
        help="leave out copies whose external id is taken (default: copy nothing)",
    )


def _version(text: str) -> int:
    digits = text.strip().removeprefix("v")
    if not (digits.isascii() and digits.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a version")
    return int(digits)
