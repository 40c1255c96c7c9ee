"""Reads connections, and for a worker the key of one."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from django.conf import settings
from django.db.models import F, QuerySet

from evalhub.access.models import Project, User
from evalhub.kit import vault
from evalhub.kit.errors import Invalid, NotFound, Unavailable
from runs_app.models import Connection, SavedTarget, TargetVersion

KEY_SUFFIX = "_API_KEY"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a connection leads and the plain key that opens it (None: no key). For workers only."""

    connection_id: int
    name: str
    base_url: str
    key: str | None

    def __repr__(self) -> str:
        """Without the key: this may end in a log or a traceback."""
        return f"Reach({self.name}, {self.base_url})"


def connections(user: User, project: Project) -> QuerySet[Connection]:
    """The project's connections, by name."""
    found: QuerySet[Connection] = Connection.objects.for_user(user).filter(project=project)
    return found.select_related("created_by").order_by("name", "pk")


def find_connection(user: User, project: Project, slug: str) -> Connection:
    """A connection by its slug. Raises NotFound."""
    found = connections(user, project).filter(slug=slug).first()
    if found is None:
        raise NotFound(f"There is no connection “{slug}” in this project.")
    return found


def key_state(connection: Connection) -> str | None:
    """All that is told of a key: "set", "env:NAME", or None when there is none."""
    if connection.key_env:
        return f"env:{connection.key_env}"
    return "set" if connection.key else None


def targets_using(connection: Connection) -> QuerySet[SavedTarget]:
    """The saved targets whose newest version goes through the connection, by name."""
    newest = TargetVersion.objects.filter(
        number=F("target__version"), config__connection=connection.slug
    )
    found: QuerySet[SavedTarget] = SavedTarget.objects.filter(
        project=connection.project_id, deleted_at=None, pk__in=newest.values("target")
    )
    return found.order_by("name")


def reach(project: Project | int, slug: str) -> Reach:
    """What a worker needs to call through the connection.

    Raises Invalid, in words for who set it up, when it is gone or its key is not to be had.
    """
    project_id = project if isinstance(project, int) else project.pk
    found = Connection.objects.filter(project=project_id, slug=slug).first()
    if found is None:
        raise Invalid(f"The connection “{slug}” is gone. Choose another one for the target.")
    return Reach(found.pk, found.name, found.base_url, _key(found))


def check_variable(name: str) -> None:
    """Raises Invalid when a connection may not read its key from this environment variable."""
    own = name.upper().startswith("EVALHUB_") or name.upper() == "DATABASE_URL"
    if not _VARIABLE.fullmatch(name):
        raise Invalid(
            "What follows env: is no name of an environment variable. Write env:OPENAI_API_KEY."
        )
    if own:
        raise Invalid(f"{name} belongs to evalhub itself. Its value is never sent anywhere.")
    if not name.endswith(KEY_SUFFIX) and name not in settings.KEY_VARIABLES:
        raise Invalid(
            f"{name} does not end in {KEY_SUFFIX}, so it may be something else than a key. Rename "
            "the variable, or ask the administrator to list it in EVALHUB_KEY_VARIABLES."
        )


def _key(connection: Connection) -> str | None:
    if connection.key_env:
        check_variable(connection.key_env)
        key = os.environ.get(connection.key_env, "").strip()
        if not key:
            raise Invalid(
                f"The connection {connection.name} takes its key from the environment variable "
                f"{connection.key_env}, which is not set where the worker runs."
            )
        return key
    if not connection.key:
        return None
    try:
        return vault.decrypt(connection.key)
    except Unavailable as error:
        raise Invalid(f"The connection {connection.name}: {error.detail}") from error
