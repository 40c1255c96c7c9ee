"""What can be typed after `evalhub`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any, NoReturn

from evalhub_client import gate_options
from evalhub_client.bulk_options import add_bulk_commands
from evalhub_client.dataset_options import add_dataset_commands
from evalhub_client.import_options import add_import
from evalhub_client.item_options import add_item_commands, add_note_command
from evalhub_client.parsing import Parser, add_command, add_connection
from evalhub_client.target_options import add_target_commands
from evalhub_client.version_options import add_version_commands

COMMANDS = (
    *("import", "run", "compare", "runs", "datasets", "results", "targets", "try"),
    *("pause", "resume", "retry", "rescore", "delete-run", "connections", "recordings", "export"),
    *("items", "notes", "baseline", "classes", "calibration"),
    *("bulk", "undo"),
    *("versions", "diff", "restore", "label", "schema"),
)

_EPILOG = """\
Without --server the data folder on this machine is used (EVALHUB_HOME), through the same API.
Exit codes: 0 ok, 1 error or the run failed, 2 usage, 3 a gate failed, 4 a gate is inconclusive,
130 stopped with Ctrl-C."""
_RUN_EPILOG = """\
examples:
  evalhub run gsm8k --target recorded:metadata.solution --scorer exact_match --wait
  evalhub run gsm8k --target gpt-small --baseline 12 --gate non-inferior:2
  evalhub run gsm8k --target gpt-small --target gpt-large --sample 200 --seed 7 --repetitions 3
  evalhub run gsm8k --target python:triage_v1 --wait \\
    --scorer '{"use": "numeric_match", "name": "answer", "extract": "A:\\\\s*(.+)"}'"""

_TRY_EPILOG = """\
A value is JSON, @FILE, or a plain text when it does not begin like JSON.
examples:
  evalhub try triage --input '{"subject": "API is down"}' --expected '{"queue": "technical"}' \\
    --scorer exact_match
  evalhub try python:triage_v1 --input @ticket.json"""


def unknown_command(arguments: list[str]) -> bool:
    """True when the first argument is a command, and not one of this package."""
    return bool(arguments) and not arguments[0].startswith("-") and arguments[0] not in COMMANDS


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *given: Any) -> NoReturn:
        from importlib.metadata import version

        print(f"evalhub {version('evalhub-client')}")
        parser.exit(0)


class _Help(argparse.Action):
    """The help of the program itself, with the server's commands where its package is installed."""

    def __call__(self, parser: argparse.ArgumentParser, *given: Any) -> NoReturn:
        from evalhub_client import server_commands

        installed = ", ".join(server_commands.names()) or "they come with its package"
        parser.epilog = f"Commands that run or mend a server: {installed}.\n{_EPILOG}"
        parser.print_help()
        parser.exit(0)


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; what it gives has `module`, the command's."""
    root = Parser(
        prog="evalhub",
        description="Import datasets, run them against targets, compare the runs.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    root.add_argument("-h", "--help", action=_Help, nargs=0, help="show this and end")
    root.add_argument("--version", action=_Version, nargs=0, help="show the version and end")
    add_connection(root, default=None)
    commands = root.add_subparsers(dest="command", metavar="COMMAND", required=True)
    add_import(add_command(commands, "import", "importing", "read a file into a dataset"))
    _add_run(add_command(commands, "run", "running", "run a dataset against a target", _RUN_EPILOG))
    summary = "say what changed from run A to run B"
    compare = add_command(commands, "compare", "comparing", summary, gate_options.EPILOG)
    gate_options.add_compare(compare)
    add_command(commands, "runs", "listing", "list the project's runs, newest first")
    add_dataset_commands(commands)
    add_item_commands(commands)
    add_note_command(commands)
    results = add_command(commands, "results", "results", "write out every result of a run")
    results.add_argument("run", metavar="RUN", help="number or uuid")
    results.add_argument("--format", choices=("csv", "jsonl"), help="default: jsonl")
    _add_panels(commands)
    _add_try(add_command(commands, "try", "trying", "send one input to a target", _TRY_EPILOG))
    _add_life(commands)
    add_bulk_commands(commands)
    add_version_commands(commands)
    add_target_commands(commands)
    return root


def _add_panels(commands: Any) -> None:
    """The commands that print further figures of a run."""
    summary = "figures by class where a run's outputs are classes"
    classes = add_command(commands, "classes", "panels", summary)
    classes.add_argument("run", metavar="RUN", help="number or uuid")
    classes.add_argument("--field", metavar="FIELD", default="", help="default: the first there is")
    summary = "how far a scorer under test agrees with people's labels"
    calibration = add_command(commands, "calibration", "panels", summary)
    calibration.add_argument("run", metavar="RUN", help="number or uuid")


def _add_life(commands: Any) -> None:
    """The commands about a run that is there."""
    for name, summary in (
        ("pause", "let a run make no new calls"),
        ("resume", "let a paused run go on"),
        ("retry", "call the target again for a run's errors and for what it skipped"),
        ("rescore", "score a run's results again, without calling its target"),
        ("delete-run", "delete a run with its results"),
    ):
        command = add_command(commands, name, "life", summary)
        command.add_argument("run", metavar="RUN", help="number or uuid")
        if name == "rescore":
            _add_scorers(command, required=True)
            command.add_argument(
                "--replace",
                action="store_true",
                help="drop all scorers that the run has (default: those of the same names)",
            )
        if name in ("retry", "rescore"):
            command.add_argument("--wait", action="store_true", help="wait until it is done")


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} is no finite number")
    return number


def _run_number(text: str) -> int:
    digits = text.strip().removeprefix("#")
    if not (digits.isascii() and digits.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a run")
    return int(digits)


def _add_scorers(to: argparse.ArgumentParser, *, required: bool = False) -> None:
    to.add_argument(
        "--scorer",
        metavar="SPEC",
        action="append",
        default=None if required else [],
        required=required,
        help="a name or a JSON object; again for more, the first is the primary",
    )


def _add_try(to: argparse.ArgumentParser) -> None:
    to.add_argument("target", metavar="TARGET", help="id or name, python:ID, or any reference")
    to.add_argument("--input", metavar="VALUE", required=True, help="what the target gets")
    to.add_argument("--expected", metavar="VALUE", help="expected output, for scorers")
    to.add_argument("--context", metavar="JSON", help="an object that the target gets")
    _add_scorers(to)


_Option = tuple[str, str, Callable[[str], Any], str]
_WHICH: tuple[_Option, ...] = (
    ("--version", "N", int, "version of the dataset (default: the newest)"),
    ("--split", "NAME", str, "only items of this split"),
    ("--where", "FILTER", str, "only items that pass a filter, such as metadata.level >= 3"),
    ("--failed-of", "RUN", _run_number, "only items that are errors in that run"),
    ("--sample", "N", int, "only N items, drawn by chance"),
    ("--seed", "S", int, "draws the same sample again"),
    ("--limit", "N", int, "only the first N items"),
)
_HOW: tuple[_Option, ...] = (
    ("--repetitions", "N", int, "results for each item (default: 1)"),
    ("--context", "JSON", str, "an object that every call gets"),
    ("--concurrency", "N", int, "calls at once (default: 8)"),
    ("--timeout", "S", _number, "seconds for one try (default: 60)"),
    ("--retries", "N", int, "tries after the first one (default: 2)"),
    ("--deadline", "S", _number, "seconds for one result with all its tries"),
)
_STOP: tuple[_Option, ...] = (
    ("--stop-after-errors", "N", int, "stop as failed at this many errors"),
    ("--stop-error-share", "SHARE", _number, "stop as failed at this share of errors, 0 to 1"),
    ("--max-tokens", "N", int, "cancel before the call that would pass this many tokens"),
    ("--max-cost", "USD", _number, "cancel before the call that would pass this cost"),
)


def _add_run(to: argparse.ArgumentParser) -> None:
    to.add_argument("dataset", metavar="DATASET", help="name or slug")
    to.add_argument(
        "--target",
        metavar="REF",
        action="append",
        help="id or name, python:ID, or recorded:PATH (a dotted path into the item); again for "
        "more, each is a run of its own",
    )
    _add_scorers(to)
    gate_options.add_run_gates(to)
    for title, described in (("which items", _WHICH), ("how", _HOW), ("when to stop", _STOP)):
        group = to.add_argument_group(title)
        for option, metavar, kind, summary in described:
            names = (option, "--first") if option == "--limit" else (option,)
            group.add_argument(*names, metavar=metavar, type=kind, help=summary)
    to.add_argument("--name", help="name of the run")
    to.add_argument("--tag", metavar="TAG", action="append", help="again for more")
    to.add_argument("--wait", action="store_true", help="wait until it has ended")
