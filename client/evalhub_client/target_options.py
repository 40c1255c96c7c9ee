"""What can be typed after `evalhub connections`, `targets` and `recordings`."""

from __future__ import annotations

import argparse
from typing import Any

from evalhub_client.parsing import add_command

_CONNECTIONS_EPILOG = """\
examples:
  evalhub connections create OpenAI --base-url https://api.openai.com/v1 --key-env OPENAI_API_KEY
  evalhub connections create Local --base-url http://127.0.0.1:11434/v1
  evalhub connections update openai --key-stdin < key.txt"""
_TARGETS_EPILOG = """\
examples:
  evalhub targets save Mini --kind agent --transport chat \\
    --config '{"connection": "openai", "model": "gpt-4o-mini"}'
  evalhub targets save mini --config @mini.json --message "Ask for one word"
  evalhub targets test mini --input "How much is 1 + 1?\""""
_RECORDINGS_EPILOG = """\
example:
  evalhub recordings upload answers.csv --name "Last week" --key number --output answer"""


def add_target_commands(commands: Any) -> None:
    """Connections, targets and recordings; each lists what there is when nothing follows it."""
    _add_connections(commands)
    _add_targets(commands)
    _add_recordings(commands)


def _add_connections(commands: Any) -> None:
    summary = "list or change the providers that targets go through"
    command = add_command(commands, "connections", "connections", summary, _CONNECTIONS_EPILOG)
    verbs = _verbs(command)
    add_command(verbs, "list", "connections", "list the connections")
    create = add_command(verbs, "create", "connections", "make a connection")
    create.add_argument("name", metavar="NAME")
    create.add_argument(
        "--base-url", metavar="URL", required=True, help="what comes before /chat/completions"
    )
    update = add_command(verbs, "update", "connections", "change what is given, leave the rest")
    update.add_argument("id", metavar="SLUG")
    update.add_argument("--name", metavar="NAME")
    update.add_argument("--base-url", metavar="URL", help="another server needs the key again")
    for to in (create, update):
        key = to.add_mutually_exclusive_group()
        key.add_argument(
            "--key-env", metavar="NAME", help="take the key from this variable of the worker"
        )
        key.add_argument(
            "--key-stdin", action="store_true", help="read the key from standard input"
        )
        if to is update:
            key.add_argument("--no-key", action="store_true", help="remove the key")
        for unit in ("requests", "tokens"):
            help = f"{unit} a minute, for all workers together"
            if to is update:
                help += "; 0 for no limit"
            to.add_argument(f"--{unit}-per-minute", metavar="N", type=int, help=help)
    delete = add_command(verbs, "delete", "connections", "delete a connection and its key")
    delete.add_argument("id", metavar="SLUG")


def _add_targets(commands: Any) -> None:
    summary = "list, save or test what can be run against"
    command = add_command(commands, "targets", "targets", summary, _TARGETS_EPILOG)
    verbs = _verbs(command)
    add_command(verbs, "list", "targets", "list what can be run against")
    save = add_command(verbs, "save", "targets", "make a target, or a new version of one")
    save.add_argument("name", metavar="NAME", help="of a new target, or the slug or name of one")
    save.add_argument("--kind", help="agent, workflow, processor or scorer; of a new target")
    save.add_argument("--transport", help="chat, http, python, recorded or scorer; of a new target")
    save.add_argument("--config", metavar="JSON", required=True, help="an object, or @FILE")
    save.add_argument("--description", metavar="TEXT")
    save.add_argument("--message", metavar="TEXT", help="why, shown in the history")
    for name, summary in (
        ("show", "show a saved target with its configuration"),
        ("versions", "list the versions of a saved target, newest first"),
        ("delete", "delete a saved target; its runs stay"),
    ):
        add_command(verbs, name, "targets", summary).add_argument("id", metavar="SLUG")
    test = add_command(verbs, "test", "targets", "send one input, show request and response")
    test.add_argument("target", metavar="REF", help="id or name, python:ID, or any reference")
    test.add_argument("--input", metavar="VALUE", required=True, help="JSON, @FILE, or a text")
    test.add_argument("--context", metavar="JSON", help="an object that the target gets")
    test.add_argument("--metadata", metavar="JSON", help="an object, as an item's metadata")


def _add_recordings(commands: Any) -> None:
    summary = "list, upload or delete outputs made elsewhere"
    command = add_command(commands, "recordings", "recordings", summary, _RECORDINGS_EPILOG)
    verbs = _verbs(command)
    add_command(verbs, "list", "recordings", "list the recordings")
    upload = add_command(verbs, "upload", "recordings", "upload outputs, all rows or none")
    upload.add_argument("file", metavar="FILE", help="a CSV, TSV, JSONL or JSON file")
    upload.add_argument("--name", required=True, help="name of the recording")
    upload.add_argument("--key", metavar="COL", required=True, help="column that names the item")
    upload.add_argument("--output", metavar="COL", required=True, help="column of the output")
    upload.add_argument(
        "--key-field",
        choices=("number", "external_id"),
        help="what the key is of an item (default: number)",
    )
    upload.add_argument(
        "--read-as", choices=("text", "json"), help="what an output is (default: text)"
    )
    delete = add_command(verbs, "delete", "recordings", "delete a recording with its outputs")
    delete.add_argument("id", metavar="SLUG")


def _verbs(command: argparse.ArgumentParser) -> Any:
    return command.add_subparsers(dest="verb", metavar="ACTION", title="actions")
