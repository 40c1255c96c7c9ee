"""Who calls the API, and what they may do: a token's project, or the local administrator."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from ninja.security import HttpBearer

from evalhub.access.doors import find_project, find_token
from evalhub.access.models import Project, Role, User
from evalhub.kit.api import refuse_nul
from evalhub.kit.errors import Forbidden, Unauthorized

LOCAL_USER = "evalhub.local_user"
PROJECT_HEADER = "X-Evalhub-Project"
DEFAULT_PROJECT = "default"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, in which project, with which role there."""

    user: User
    project: Project
    role: str
    read_only: bool = False


class ApiToken(HttpBearer):
    """`Authorization: Bearer eh_...`. A session of the browser is no key to the API."""

    def __call__(self, request: HttpRequest) -> Caller:
        """The caller. Raises Unauthorized, or NotFound for a project that they are no member of."""
        refuse_nul(request.path, "The address")
        # HTTP headers reach the environ as HTTP_* only, so no client can set this key.
        local = request.META.get(LOCAL_USER)
        if local is not None:
            return _local_caller(str(local), request.headers.get(PROJECT_HEADER, DEFAULT_PROJECT))
        caller: Caller | None = super().__call__(request)
        if caller is None:
            raise Unauthorized(
                "Send an API token as “Authorization: Bearer eh_…”. "
                "You make one in the project's settings."
            )
        return caller

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """The caller that a token stands for. Raises Unauthorized."""
        found = find_token(token.strip())
        role = found.project.role_of(found.user) if found else None
        if found is None or role is None:
            raise Unauthorized("This API token is unknown, expired or revoked.")
        return Caller(found.user, found.project, role, found.read_only)


def reader(request: HttpRequest) -> Caller:
    """The caller, who may read: every member may."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return caller


def writer(request: HttpRequest, needs: str = Role.EDITOR) -> Caller:
    """The caller, who may change things. Raises Forbidden for read-only tokens and lesser roles."""
    caller = reader(request)
    if caller.read_only:
        raise Forbidden("This token is read-only. Use one that may write.")
    if not Role.allows(caller.role, needs):
        raise Forbidden(f"This needs the role {needs}; yours in {caller.project} is {caller.role}.")
    return caller


def _local_caller(username: str, slug: str) -> Caller:
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise Unauthorized(f"There is no user {username} in this data folder.")
    project, role = find_project(user, slug)
    return Caller(user, project, role)
