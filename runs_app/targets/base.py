"""What every target is: it turns an item into an output, or fails in a typed way. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from evalhub.kit.errors import Invalid
from evalhub.kit.plugins import PluginError


@dataclass(frozen=True, slots=True)
class ItemCall:
    """One item as a target sees it. JSON texts as stored; `expected_json` is not among them."""

    number: int
    external_id: str | None
    input_json: str
    metadata_json: str
    context_json: str | None


class TargetFailure(Exception):
    """A call that gave no output.

    `type` is a short stable word that results are counted by; `transient` failures are tried again.
    """

    def __init__(self, type: str, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.type = type
        self.message = message
        self.transient = transient


class Target(Protocol):
    """A target ready to be called. `instant` ones only look something up: they need no seat."""

    instant: bool

    async def call(self, item: ItemCall) -> str:
        """The output as JSON text. Raises TargetFailure; all else is the target's own error."""

    async def close(self) -> None:
        """Let go of threads and connections."""


@dataclass(frozen=True, slots=True)
class TargetInfo:
    """A target that a run can be started against. `ref` is what `start_run` takes."""

    ref: str
    id: str
    name: str
    kind: str
    transport: str
    description: str
    version: str
    module: str

    def snapshot(self) -> dict[str, Any]:
        """What a run keeps of it."""
        return {
            "transport": self.transport,
            "kind": self.kind,
            "id": self.id,
            "name": self.name,
            "version": self.version,
        }


def unknown_target(ref: str, known: list[str], broken: Sequence[PluginError] = ()) -> Invalid:
    """The error for a reference that names no target; a plug-in that failed may be the cause."""
    import difflib

    close = difflib.get_close_matches(ref, known, n=1)
    hint = f" Did you mean “{close[0]}”?" if close else ""
    return Invalid(
        f"There is no target “{ref}”.{hint} Use the id or name of a registered target, or "
        "recorded:PATH for outputs that the items hold, such as recorded:metadata.answer."
        + broken_plugins(broken)
    )


def broken_plugins(errors: Sequence[PluginError]) -> str:
    """Sentences to go after an error about a target; empty when all plug-ins are loaded."""
    return "".join(
        f" The plug-in {one.module} could not be loaded: {one.error.rstrip('.')}." for one in errors
    )
