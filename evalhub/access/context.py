"""What base.html needs on every page: current project, the user's other projects, their role."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest

from evalhub.access.models import Project, Role, User
from evalhub.kit import slots, theme


def shell(request: HttpRequest) -> dict[str, Any]:
    """Names for the templates; what costs a query is asked for when a template uses it."""
    user = getattr(request, "user", None)
    project = getattr(request, "project", None)
    role = getattr(request, "role", None)

    @cache
    def running_count() -> int:
        """How many runs of the project go on, for the badge beside Runs."""
        found: int = (
            slots.fill("project.running", [project.pk]).get(project.pk, 0) if project else 0
        )
        return found

    @cache
    def pinned() -> list[dict[str, str]]:
        """Places of the project that are pinned to the sidebar: [{"name", "href"}]."""
        found: list[dict[str, str]] = (
            slots.fill("project.pinned", [project.pk], project_slug=project.slug).get(
                project.pk, []
            )
            if project
            else []
        )
        return found

    return {
        "project": project,
        "role": role,
        "can_edit": Role.allows(role, Role.EDITOR),
        "can_admin": Role.allows(role, Role.ADMIN),
        "projects": Project.objects.for_user(user).order_by("name")
        if isinstance(user, User)
        else [],
        "running_count": running_count,
        "pinned": pinned,
        "theme": theme.chosen(request),
    }
