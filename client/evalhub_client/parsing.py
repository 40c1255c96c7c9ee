"""How every command of `evalhub` is parsed."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """Says what is wrong as all of evalhub does: one line, then where to read more."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"evalhub: {message}\nSee: {self.prog} --help\n")


def add_command(
    commands: Any, name: str, module: str, summary: str, epilog: str | None = None
) -> argparse.ArgumentParser:
    """A command whose `run` is in `evalhub_client.commands.<module>`."""
    made: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.set_defaults(module=module)
    # Understood before and after the command; SUPPRESS keeps what was given before it.
    add_connection(made, default=argparse.SUPPRESS)
    return made


def add_connection(to: argparse.ArgumentParser, *, default: Any) -> None:
    """Where the API is, and in which form the answer is written."""
    group = to.add_argument_group("where and how")
    group.add_argument(
        "--server",
        metavar="URL",
        default=default,
        help="an evalhub server, else EVALHUB_SERVER, else the data folder here",
    )
    group.add_argument(
        "--token", default=default, help="API token for the server, else EVALHUB_TOKEN"
    )
    group.add_argument(
        "--project", metavar="SLUG", default=default, help="project, else EVALHUB_PROJECT"
    )
    group.add_argument(
        "--json",
        action="store_true",
        default=default if default is argparse.SUPPRESS else False,
        help="answer in JSON",
    )
