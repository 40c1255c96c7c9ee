"""What every target is: it turns an item into an output, or fails in a typed way. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from evalhub.kit.errors import Invalid
from evalhub.kit.plugins import PluginError
from runs_app.targets.trace import Trace

KINDS = ("agent", "workflow", "scorer", "processor")


@dataclass(frozen=True, slots=True)
class ItemCall:
    """One item as a target sees it. JSON texts as stored; `expected_json` is not among them.

    `context_json` is the run's context with the item's own over it, None without either.
    """

    number: int
    external_id: str | None
    input_json: str
    metadata_json: str
    context_json: str | None
    repetition: int = 0


class TargetFailure(Exception):
    """A call that gave no output.

    `type` is a short stable word that results are counted by; `transient` failures are tried again.
    `throttled` ones (429, 503) say that calls come too fast: they cost seats, not retries.
    `retry_after_s` is how long the target asks to wait, None when it does not say.
    """

    def __init__(
        self,
        type: str,
        message: str,
        *,
        transient: bool = False,
        throttled: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.type = type
        self.message = message
        self.transient = transient or throttled
        self.throttled = throttled
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the next call of an item may use at most, for caps and rate limits.

    `cost_usd` is None when the target has no price.
    """

    tokens: int = 0
    cost_usd: float | None = None


class Target(Protocol):
    """A target ready to be called. `instant` ones only look something up: they need no seat.
    `cooperative` ones end at once when their call is cancelled.

    `connection_id` names the connection whose rate limits hold for its calls, None without one.
    `priced` says whether its calls have a known price.
    """

    instant: bool
    cooperative: bool
    connection_id: int | None
    priced: bool

    def prepare(self, items: Sequence[ItemCall]) -> None:
        """Read what the calls of these items will need. Runs in the database thread."""

    async def call(self, item: ItemCall, trace: Trace) -> str:
        """The output as JSON text. Raises TargetFailure; all else is the target's own error.

        Spans, tokens, cost and a trace id go into `trace`, also when the call fails.
        """

    def estimate(self, item: ItemCall) -> Estimate:
        """The most that one call of the item may use. Never raises."""

    async def close(self) -> None:
        """Let go of threads and connections."""


class PlainTarget:
    """The parts of a target that most have no use for."""

    instant = False
    cooperative = False
    connection_id: int | None = None
    priced = False

    def prepare(self, items: Sequence[ItemCall]) -> None:
        """Nothing to read."""

    def estimate(self, item: ItemCall) -> Estimate:
        return Estimate()

    async def close(self) -> None:
        """Nothing to let go of."""


@dataclass(frozen=True, slots=True)
class TargetInfo:
    """A target that a run can be started against. `ref` is what `start_run` takes.

    `config` is what `build` needs to know besides; it holds no secret.
    """

    ref: str
    id: str
    name: str
    kind: str
    transport: str
    description: str
    version: str
    module: str = ""
    config: dict[str, Any] = field(default_factory=dict)

    def snapshot(self) -> dict[str, Any]:
        """What a run keeps of it."""
        return {
            "transport": self.transport,
            "kind": self.kind,
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "config": self.config,
        }


def unknown_target(ref: str, known: list[str], broken: Sequence[PluginError] = ()) -> Invalid:
    """The error for a reference that names no target; a plug-in that failed may be the cause."""
    import difflib

    close = difflib.get_close_matches(ref, known, n=1)
    hint = f" Did you mean “{close[0]}”?" if close else ""
    return Invalid(
        f"There is no target “{ref}”.{hint} Use the id or name of a saved or registered target, or "
        "recorded:PATH for outputs that the items hold, such as recorded:metadata.answer."
        + broken_plugins(broken)
    )


def broken_plugins(errors: Sequence[PluginError]) -> str:
    """Sentences to go after an error about a target; empty when all plug-ins are loaded."""
    return "".join(
        f" The plug-in {one.module} could not be loaded: {one.error.rstrip('.')}." for one in errors
    )
