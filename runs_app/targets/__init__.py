"""Targets: finding them by reference, and building one from a run's snapshot.

References: a saved target's slug (or "slug@3" for its version 3), `python:ID` for a registered
function, `recorded:PATH`, `file:RECORDING`, `run:NUMBER` and `scorer:USE`; and names. An id is
tried before a name, a saved target before a registered one.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings

from evalhub.kit.errors import Invalid
from evalhub.kit.plugins import PluginError, registry
from runs_app.targets import python, recorded, saved, scorer, transports
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
    "check_config",
    "find",
    "plugin_errors",
    "registered",
]


@functools.cache
def _load_plugins() -> None:
    registry.load(settings.EVALHUB_PLUGINS)


def available(project_slug: str) -> list[TargetInfo]:
    """The targets that a project may use: saved ones by name, then registered ones by name."""
    return saved.available(project_slug) + registered(project_slug)


def registered(project_slug: str) -> list[TargetInfo]:
    """The functions that plug-ins have registered and that the project may use, by name."""
    _load_plugins()
    found = [python.info(one) for one in registry.all(project_slug)]
    return sorted(found, key=lambda target: target.name.lower())


def plugin_errors() -> list[PluginError]:
    """Plug-ins that could not be loaded, with the reason."""
    _load_plugins()
    return list(registry.errors)


def find(ref: str, project_slug: str, *, dataset_id: int | None = None) -> TargetInfo:
    """The target of a reference. Raises Invalid when there is none.

    `dataset_id` is the dataset that it is to run over (None: an item of no dataset): another run's
    outputs are found by item number in the same dataset, by external id in any other.
    """
    ref = ref.strip()
    form, colon, rest = ref.partition(":")
    if colon and form in _FORMS:
        return _FORMS[form](rest, project_slug, dataset_id)
    _load_plugins()
    for look_up in (saved.by_id, _registered_id, saved.by_name, _registered_name):
        found = look_up(ref, project_slug)
        if found is not None:
            config = found.config
            if found.transport == "recorded":
                config = recorded.with_dataset(config, project_slug, dataset_id)
            return dataclasses.replace(found, config=config)
    names = [name for one in available(project_slug) for name in (one.id, one.name)]
    raise unknown_target(ref, names, registry.errors)


def check_config(transport: str, config: dict[str, Any], project_slug: str) -> dict[str, Any]:
    """The configuration of a saved target, checked and complete.

    Raises Invalid with a pointer under /config for each problem.
    """
    match transport:
        case "python":
            _load_plugins()
            return python.check_config(config, project_slug)
        case "recorded":
            return recorded.check_config(config, project_slug)
        case "scorer":
            return scorer.check_config(config)
    return transports.check_config(transport, config, project_slug)


def build(snapshot: dict[str, Any], project_slug: str) -> Target:
    """The target of a run, ready to be called, from its snapshot alone.

    Connections are looked up now, so that a new key holds for the next stay. Raises Invalid when a
    plug-in or a connection is not there any more.
    """
    transport, kind = snapshot["transport"], snapshot.get("kind", "agent")
    config = snapshot.get("config") or _early_config(snapshot)
    match transport:
        case "recorded":
            return recorded.build(config, project_slug)
        case "scorer":
            return scorer.ScorerTarget(config["scorer"])
        case "python":
            return _build_python(config["id"], kind, project_slug)
    return transports.build(transport, kind, config, project_slug)


def _build_python(id: str, kind: str, project_slug: str) -> Target:
    _load_plugins()
    found = registry.get(id, project_slug)
    if found is None:
        raise Invalid(
            f"The target {id} is not registered in this worker. Install its plug-in, "
            "or add its module to EVALHUB_PLUGINS, and start the worker again."
            + broken_plugins(registry.errors)
        )
    return python.PythonTarget(found, kind)


def _early_config(snapshot: dict[str, Any]) -> dict[str, Any]:
    """What runs of the first release, whose snapshots had no configuration, meant by their id."""
    return {"path" if snapshot["transport"] == "recorded" else "id": snapshot["id"]}


def _registered_id(ref: str, project_slug: str) -> TargetInfo | None:
    found = registry.get(ref, project_slug)
    return None if found is None or found.id != ref else python.info(found)


def _registered_name(ref: str, project_slug: str) -> TargetInfo | None:
    found = registry.get(ref, project_slug)
    return None if found is None else python.info(found)


def _python_ref(id: str, project_slug: str, dataset_id: int | None) -> TargetInfo:
    _load_plugins()
    found = registry.get(id, project_slug)
    if found is None:
        names = [name for one in registry.all(project_slug) for name in (one.id, one.name)]
        raise unknown_target(f"python:{id}", names, registry.errors)
    return python.info(found)


_FORMS: dict[str, Callable[[str, str, int | None], TargetInfo]] = {
    "python": _python_ref,
    "recorded": lambda path, project_slug, dataset_id: recorded.path_info(path),
    "file": lambda slug, project_slug, dataset_id: recorded.recording_info(slug, project_slug),
    "run": recorded.run_info,
    "scorer": lambda use, project_slug, dataset_id: scorer.info(use),
}
