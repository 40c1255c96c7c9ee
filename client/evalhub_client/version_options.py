"""What can be typed after `evalhub versions`, `diff`, `restore`, `label` and `schema`."""

from __future__ import annotations

from typing import Any

from evalhub_client.parsing import add_command

_DIFF_EPILOG = """\
A version is a number or a label.
examples:
  evalhub diff gsm8k 3 8
  evalhub diff gsm8k "release 4" --kind removed --json"""
_SCHEMA_EPILOG = """\
Every item is checked before the schemas hold.
examples:
  evalhub schema tickets
  evalhub schema tickets --infer
  evalhub schema tickets --input @input.schema.json --metadata '{"required": ["topic"]}'"""

KINDS = ("added", "changed", "removed")


def add_version_commands(commands: Any) -> None:
    """The commands about a dataset's versions and its schemas."""
    versions = add_command(commands, "versions", "versions", "list a dataset's versions")
    versions.add_argument("dataset", metavar="DATASET", help="name or slug")
    diff = add_command(
        commands, "diff", "versions", "list the items that differ between versions", _DIFF_EPILOG
    )
    diff.add_argument("dataset", metavar="DATASET", help="name or slug")
    diff.add_argument("before", metavar="FROM", help="number or label")
    diff.add_argument("after", metavar="TO", nargs="?", help="default: the newest")
    diff.add_argument("--kind", choices=KINDS, default="", help="only items of this kind")
    restore = add_command(
        commands, "restore", "versions", "make a dataset's items what they were, as a new version"
    )
    label = add_command(commands, "label", "versions", "label a version, or take its label away")
    for command in (restore, label):
        command.add_argument("dataset", metavar="DATASET", help="name or slug")
        command.add_argument("version", metavar="VERSION", help="number or label")
    restore.add_argument("--message", metavar="TEXT", default="", help="kept with the version")
    label.add_argument("label", metavar="LABEL", nargs="?", help="left out: keep what it has")
    label.add_argument("--remove", action="store_true", help="take the label away")
    label.add_argument("--message", metavar="TEXT", help="say anew what the version changed")
    _add_schema(commands)


def _add_schema(commands: Any) -> None:
    summary = "show or set the JSON Schemas that items keep to"
    schema = add_command(commands, "schema", "schemas", summary, _SCHEMA_EPILOG)
    schema.add_argument("dataset", metavar="DATASET", help="name or slug")
    schema.add_argument("--infer", action="store_true", help="show schemas inferred from items")
    for name in ("input", "expected-output", "metadata"):
        schema.add_argument(
            f"--{name}", metavar="SCHEMA", help="JSON or @FILE; an empty text takes it away"
        )
    schema.add_argument("--message", metavar="TEXT", default="", help="kept with the version")
    schema.add_argument("--problems", metavar="FILE", help="write every item that does not match")
