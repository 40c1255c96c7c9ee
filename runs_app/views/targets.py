"""What can be run and what can score: saved and registered targets, and built-in scorers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from evalhub.access.doors import project_view
from evalhub.access.models import Project
from runs_app import saved_targets
from runs_app.connections import connections
from runs_app.saved_targets import Health
from runs_app.scorers import catalogue
from runs_app.targets import TargetInfo, available, plugin_errors
from runs_app.views.common import actor

# health: class and icon of its status, word
HEALTH = {
    "healthy": ("good", "ok", "Healthy"),
    "troubled": ("warn", "warn", "Some errors"),
    "failing": ("fail", "fail", "Failing"),
    "unknown": ("off", "dash", "No calls yet"),
}


@dataclass(frozen=True, slots=True)
class TargetLine:
    """One target of the list. `leads` says what it calls or reads."""

    info: TargetInfo
    saved: bool
    leads: str
    health: Health

    @property
    def mark(self) -> tuple[str, str, str]:
        return HEALTH[self.health.state]

    @property
    def testable(self) -> bool:
        return testable(self.info.transport, self.info.config)


@project_view()
def targets(request: HttpRequest, project: Project) -> HttpResponse:
    user = actor(request)
    found = available(project.slug)
    health = saved_targets.health(project, [target.ref for target in found])
    lines = [
        TargetLine(
            info=target,
            saved=":" not in target.ref,
            leads=leads_to(target.transport, target.config),
            health=health[target.ref],
        )
        for target in found
    ]
    context = {
        "targets": lines,
        "plugin_errors": plugin_errors(),
        "catalogue": catalogue(),
        "connection_count": connections(user, project).count(),
        "recording_count": saved_targets.recordings(user, project).count(),
    }
    return render(request, "runs/targets.html", context)


def leads_to(transport: str, config: dict[str, Any]) -> str:
    """What a target calls or reads, on one line."""
    match transport:
        case "chat":
            return f"{config['model']} through {config['connection']}"
        case "http" if config["connection"]:
            return f"{config['method']} {config['connection']}{config['url']}"
        case "http":
            return f"{config['method']} {config['url']}"
        case "python":
            return f"python: {config['id']}"
        case "scorer":
            return f"scorer: {config['scorer']['use']}"
    if "recording" in config:
        return f"recording: {config['recording']}"
    return f"run #{config['run']}" if "run" in config else f"item: {config['path']}"


def testable(transport: str, config: dict[str, Any]) -> bool:
    """Whether one item of its own shows anything: not for what is looked up by an item's key."""
    return transport != "recorded" or "path" in config
