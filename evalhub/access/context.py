"""What base.html needs on every page: current project, the user's other projects, their role."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from evalhub.access.models import Project, Role, User


def shell(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    role = getattr(request, "role", None)
    return {
        "project": getattr(request, "project", None),
        "role": role,
        "can_edit": Role.allows(role, Role.EDITOR),
        "can_admin": Role.allows(role, Role.ADMIN),
        "projects": Project.objects.for_user(user).order_by("name")
        if isinstance(user, User)
        else [],
    }
