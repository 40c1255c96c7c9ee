"""How doors find out who is asking and what they may do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponseBase

from evalhub.access.models import ApiToken, Project, Role, User
from evalhub.access.secrets import hash_secret
from evalhub.kit.clock import in_seconds
from evalhub.kit.errors import Forbidden, NotFound

View = Callable[..., HttpResponseBase]
LAST_USE_SECONDS = 60  # how exact "last used" is: not one write for every API call


def find_project(user: User, slug: str, needs: str = Role.VIEWER) -> tuple[Project, str]:
    """The project `slug` and the user's role in it.

    Raises NotFound when it does not exist or the user is no member (nobody learns which), Forbidden
    when the role is not enough.
    """
    project = Project.objects.for_user(user).filter(slug=slug).first()
    role = project.role_of(user) if project else None
    if project is None or role is None:
        raise NotFound("There is no such project, or you are not a member of it.")
    if not Role.allows(role, needs):
        raise Forbidden(f"This needs the role {needs}; yours in {project} is {role}.")
    return project, role


def project_view(needs: str = Role.VIEWER) -> Callable[[View], View]:
    """Wrap a view `view(request, project, ...)` under /p/<slug>/: sign-in, membership and role.

    GET and HEAD need `viewer` at least; the view's own `needs` holds for every method.
    """

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def wrapped(request: HttpRequest, project_slug: str, **kwargs: Any) -> HttpResponseBase:
            assert isinstance(request.user, User)
            project, role = find_project(request.user, project_slug, needs)
            request.project = project  # type: ignore[attr-defined]
            request.role = role  # type: ignore[attr-defined]
            return view(request, project, **kwargs)

        return wrapped

    return decorate


def find_token(secret: str) -> ApiToken | None:
    """The live token with this secret; None when unknown, expired or revoked."""
    token = (
        ApiToken.objects.select_related("project", "user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=Now()))
        .filter(hash=hash_secret(secret), revoked_at=None, user__is_active=True)
        .first()
    )
    if token is not None:
        ApiToken.objects.filter(pk=token.pk).filter(
            Q(last_used_at=None) | Q(last_used_at__lt=in_seconds(-LAST_USE_SECONDS))
        ).update(last_used_at=Now())
    return token
