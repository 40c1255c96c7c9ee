"""The transports that call out, chat and http, with their connection looked up in the project."""

from __future__ import annotations

from typing import Any

from evalhub.kit.errors import FieldError, Invalid
from runs_app.models import Connection
from runs_app.targets.base import Target


def check_config(transport: str, config: dict[str, Any], project_slug: str) -> dict[str, Any]:
    """The configuration, checked and complete. Raises Invalid, also when its connection is not
    there.
    """
    from runs_app.targets import chat, http

    modules = {"chat": chat, "http": http}
    if transport not in modules:
        detail = f"There is no transport “{transport}”. Use chat, http, python, recorded or scorer."
        raise Invalid(detail, errors=[FieldError("/transport", detail)])
    checked: dict[str, Any] = modules[transport].check_config(config)
    slug = checked.get("connection")
    found = Connection.objects.filter(project__slug=project_slug, slug=slug)
    if slug and not found.exists():
        detail = f"There is no connection “{slug}” in this project. Make it first."
        raise Invalid(detail, errors=[FieldError("/config/connection", detail)])
    return checked


def build(transport: str, kind: str, config: dict[str, Any], project_slug: str) -> Target:
    """The target, with the connection as it is now. Raises Invalid when that is gone."""
    from runs_app.targets import chat, http

    raise NotImplementedError
