"""Targets in Python: callables that an installed plug-in registered."""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import Any

from evalhub.kit.answers import Blocked, Output
from evalhub.kit.errors import FieldError, Invalid
from evalhub.kit.json import JsonError, dumps, loads
from evalhub.kit.plugins import RegisteredTarget, registry
from runs_app.targets import kinds
from runs_app.targets.base import ItemCall, PlainTarget, TargetFailure, TargetInfo, unknown_target
from runs_app.targets.foreign import adopt_spans, adopt_trace_id, adopt_usage
from runs_app.targets.threads import Threads
from runs_app.targets.trace import Trace

MAX_OUTPUT_CHARS = 8_000_000


class PythonTarget(PlainTarget):
    """Calls a registered function; a synchronous one in a thread. `kind` reads what it returns."""

    def __init__(self, registered: RegisteredTarget, kind: str = "") -> None:
        self.registered = registered
        self.kind = kind or registered.kind
        self.threads = None if registered.is_async else Threads()

    async def call(self, item: ItemCall, trace: Trace) -> str:
        given, keywords = loads(item.input_json), self._keywords(item)
        begin = trace.now_ms()
        try:
            if self.threads is None:
                value = await self.registered.func(given, **keywords)
            else:
                value = await self.threads.run(
                    functools.partial(self.registered.func, given, **keywords)
                )
        except Blocked as block:
            if self.kind != "processor":
                raise TargetFailure("blocked", f"The target blocked: {block.reason}") from block
            value = {"blocked": True, "reason": str(block.reason)}
        if isinstance(value, Output):
            adopt_usage(trace, value.input_tokens, value.output_tokens, value.cost_usd)
            adopt_trace_id(trace, value.trace_id)
            if value.spans:
                adopt_spans(trace, value.spans, start_ms=begin)
            value = value.value
        text, plain = _read(value)
        if trace.capture:
            request = {"input": given, **keywords}
            if "item" in request:
                request["item"] = dict(request["item"])
            data = {"request": request, "response": plain}
            trace.add(self.registered.id, "step", begin, data=data)
        return text if self.kind == "agent" else output_text(kinds.interpret(self.kind, plain))

    async def close(self) -> None:
        if self.threads is not None:
            self.threads.close()

    def _keywords(self, item: ItemCall) -> dict[str, Any]:
        """What the callable asked for: the item without its expected output, and the context."""
        if not self.registered.keywords:
            return {}
        about = MappingProxyType(
            {
                "number": item.number,
                "external_id": item.external_id,
                "metadata": loads(item.metadata_json),
                "repetition": item.repetition,
            }
        )
        context = loads(item.context_json) if item.context_json is not None else None
        return self.registered.arguments(about, context)


def output_text(value: Any) -> str:
    """A callable's return value as JSON text. Raises TargetFailure when it is no JSON value."""
    return _read(value)[0]


def _read(value: Any) -> tuple[str, Any]:
    """The value as JSON text, and as plain JSON. Raises TargetFailure."""
    try:
        text = dumps(value)
        if len(text) > MAX_OUTPUT_CHARS:  # before it is read: that takes the event loop's time
            raise TargetFailure(
                "output_too_large",
                f"The output has {len(text):,} characters; at most {MAX_OUTPUT_CHARS:,} are kept.",
            )
        # What no reader could take back (NUL, lone surrogates, depth) is refused here.
        plain = loads(text)
    except JsonError as error:
        raise TargetFailure(
            "invalid_output",
            f"The target returned {type(value).__name__}, which is not JSON: {error.message}",
        ) from error
    return text, plain


def check_config(config: dict[str, Any], project_slug: str) -> dict[str, Any]:
    """The configuration of a saved target: {"id": a registered callable's}. Raises Invalid."""
    wanted = config.get("id")
    registered = registry.get(wanted, project_slug) if isinstance(wanted, str) and wanted else None
    if registered is None:
        known = [target.id for target in registry.all(project_slug)]
        detail = unknown_target(str(wanted or ""), known, registry.errors).detail
        if not wanted:
            detail = "Choose one of the functions that a plug-in has registered."
        raise Invalid(detail, errors=[FieldError("/config/id", detail)])
    return {"id": registered.id}


def info(registered: RegisteredTarget) -> TargetInfo:
    """How a registered callable shows among the targets."""
    return TargetInfo(
        ref=f"python:{registered.id}",
        id=registered.id,
        name=registered.name,
        kind=registered.kind,
        transport="python",
        description=registered.description,
        version=registered.version,
        module=registered.module,
        config={"id": registered.id},
    )
