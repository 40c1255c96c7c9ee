"""A saved target for tests, made by the action itself."""

from __future__ import annotations

from typing import Any

from evalhub.access.models import Project, User
from runs_app.actions.targets import save_target
from runs_app.models import SavedTarget


def save(project: Project, by: User, **options: Any) -> SavedTarget:
    """A target that calls the registered echo, but for what `options` say."""
    options = {
        "name": "My echo",
        "kind": "agent",
        "transport": "python",
        "config": {"id": "echo"},
    } | options
    return save_target(project=project, by=by, **options)
