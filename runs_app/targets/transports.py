"""The transports that call out, chat and http, with their connection looked up in the project."""

from __future__ import annotations

from typing import Any

from evalhub.access.models import Project
from evalhub.kit.errors import FieldError, Invalid
from runs_app.connections import reach
from runs_app.models import Connection
from runs_app.targets import chat, http
from runs_app.targets.base import Target

_CHECKS = {"chat": chat.check_config, "http": http.check_config}


def check_config(transport: str, config: dict[str, Any], project_slug: str) -> dict[str, Any]:
    """The configuration, checked and complete. Raises Invalid, also when its connection is not
    there.
    """
    if transport not in _CHECKS:
        detail = f"There is no transport “{transport}”. Use chat, http, python, recorded or scorer."
        raise Invalid(detail, errors=[FieldError("/transport", detail)])
    checked = _CHECKS[transport](config)
    slug = checked["connection"]
    found = Connection.objects.filter(project__slug=project_slug, slug=slug)
    if slug and not found.exists():
        detail = f"There is no connection “{slug}” in this project. Make it first."
        raise Invalid(detail, errors=[FieldError("/config/connection", detail)])
    return checked


def build(transport: str, kind: str, config: dict[str, Any], project_slug: str) -> Target:
    """The target, with the connection as it is now. Raises Invalid when that is gone."""
    slug = config.get("connection")
    reached = reach(Project.objects.get(slug=project_slug), slug) if slug else None
    if transport == "http":
        return http.HttpTarget(config, reached, kind)
    if transport == "chat" and reached is not None:
        return chat.ChatTarget(config, reached, kind)
    raise Invalid(f"A target of the transport {transport} cannot be called by this version.")
