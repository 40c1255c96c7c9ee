"""Targets in Python: callables that an installed plug-in registered."""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import Any

from evalhub.kit.json import JsonError, dumps, loads
from evalhub.kit.plugins import RegisteredTarget
from runs_app.targets.base import ItemCall, TargetFailure, TargetInfo
from runs_app.targets.threads import Threads

MAX_OUTPUT_CHARS = 8_000_000


class PythonTarget:
    """Calls a registered function; a synchronous one in a thread."""

    instant = False

    def __init__(self, registered: RegisteredTarget) -> None:
        self.registered = registered
        self.threads = None if registered.is_async else Threads()

    async def call(self, item: ItemCall) -> str:
        keywords: dict[str, Any] = {}
        if self.registered.keywords:
            about = MappingProxyType(
                {
                    "number": item.number,
                    "external_id": item.external_id,
                    "metadata": loads(item.metadata_json),
                }
            )
            context = loads(item.context_json) if item.context_json is not None else None
            keywords = self.registered.arguments(about, context)
        given = loads(item.input_json)
        if self.threads is None:
            value = await self.registered.func(given, **keywords)
        else:
            value = await self.threads.run(
                functools.partial(self.registered.func, given, **keywords)
            )
        return output_text(value)

    async def close(self) -> None:
        if self.threads is not None:
            self.threads.close()


def output_text(value: Any) -> str:
    """A callable's return value as JSON text. Raises TargetFailure when it is no JSON value."""
    try:
        text = dumps(value)
        loads(text)  # what no reader could take back (NUL, lone surrogates, depth) is refused here
    except JsonError as error:
        raise TargetFailure(
            "invalid_output",
            f"The target returned {type(value).__name__}, which is not JSON: {error.message}",
        ) from error
    if len(text) > MAX_OUTPUT_CHARS:
        raise TargetFailure(
            "output_too_large",
            f"The output has {len(text):,} characters; at most {MAX_OUTPUT_CHARS:,} are kept.",
        )
    return text


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
    )
