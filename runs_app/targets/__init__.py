"""Targets: finding them by reference, and building one from a run's snapshot."""

from __future__ import annotations

import functools
from typing import Any

from django.conf import settings

from evalhub.kit.errors import Invalid
from evalhub.kit.plugins import PluginError, registry
from runs_app.targets import python, recorded
from runs_app.targets.base import (
    ItemCall,
    Target,
    TargetFailure,
    TargetInfo,
    broken_plugins,
    unknown_target,
)

__all__ = [
    "ItemCall",
    "Target",
    "TargetFailure",
    "TargetInfo",
    "available",
    "build",
    "find",
    "plugin_errors",
]


@functools.cache
def _load_plugins() -> None:
    registry.load(settings.EVALHUB_PLUGINS)


def available(project_slug: str) -> list[TargetInfo]:
    """The registered targets that a project may use, by name."""
    _load_plugins()
    found = [python.info(registered) for registered in registry.all(project_slug)]
    return sorted(found, key=lambda target: target.name.lower())


def plugin_errors() -> list[PluginError]:
    """Plug-ins that could not be loaded, with the reason."""
    _load_plugins()
    return list(registry.errors)


def find(ref: str, project_slug: str) -> TargetInfo:
    """The target for `python:ID`, `recorded:PATH`, an id, or a name. Raises Invalid."""
    ref = ref.strip()
    transport, colon, rest = ref.partition(":")
    if colon and transport == "recorded":
        return recorded.info(rest)
    _load_plugins()
    registered = registry.get(rest if colon and transport == "python" else ref, project_slug)
    if registered is None:
        known = [name for target in registry.all(project_slug) for name in (target.id, target.name)]
        raise unknown_target(ref, known, registry.errors)
    return python.info(registered)


def build(snapshot: dict[str, Any], project_slug: str) -> Target:
    """The target of a run, ready to be called. Raises Invalid when its plug-in is not there any
    more.
    """
    if snapshot["transport"] == "recorded":
        return recorded.RecordedTarget(snapshot["id"])
    _load_plugins()
    registered = registry.get(snapshot["id"], project_slug)
    if registered is None:
        raise Invalid(
            f"The target {snapshot['id']} is not registered in this worker. Install its plug-in, "
            "or add its module to EVALHUB_PLUGINS, and start the worker again."
            + broken_plugins(registry.errors)
        )
    return python.PythonTarget(registered)
