"""Commands that run or mend a server: they come from the server package by entry point.

An entry point of the group `evalhub.server_commands` is named like the command. It loads a
function that takes the arguments after the name and gives the exit code (None is 0).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from evalhub_client import options

GROUP = "evalhub.server_commands"


@dataclass(frozen=True, slots=True)
class ServerCommand:
    """A server command with the arguments for it."""

    entry: EntryPoint
    arguments: list[str]

    def run(self) -> int:
        function: Callable[[list[str]], int | None] = self.entry.load()
        return function(self.arguments) or 0


def find(arguments: list[str]) -> ServerCommand | None:
    """The server command that the arguments begin with; None when they do not."""
    if not options.unknown_command(arguments):
        return None
    entry = next(iter(entry_points(group=GROUP, name=arguments[0])), None)
    return None if entry is None else ServerCommand(entry, arguments[1:])


def names() -> list[str]:
    """The server commands that are installed here."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})
