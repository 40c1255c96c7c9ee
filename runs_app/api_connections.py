"""The API of connections. A key goes in and never comes out again."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from evalhub.access.api_auth import reader, writer
from evalhub.access.idempotency import once
from evalhub.access.models import Role
from evalhub.kit.api import StrictBody, answer
from evalhub.kit.api_lists import Listing, Paging, list_answer, page_down
from runs_app.actions import connections as actions
from runs_app.connections import connections, find_connection, key_state
from runs_app.models import Connection

router = Router(tags=["connections"])

KEY = "the key itself, or env:NAME for an environment variable of the worker; null for no key"


class NewConnection(StrictBody):
    """Limits are for all workers together; null: none."""

    name: str
    base_url: str
    key: str | None = Field(None, description=KEY)
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


class ConnectionChanges(StrictBody):
    """What is left out stays; a key of null removes it."""

    name: str = ""
    base_url: str = ""
    key: str | None = Field(None, description=KEY)
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


class ConnectionAnswer(Schema):
    """A connection; `id` is its slug. `key` is "set", "env:NAME" or null, and never the key."""

    id: str
    name: str
    base_url: str
    key: str | None
    requests_per_minute: int | None
    tokens_per_minute: int | None
    created_by: str | None
    created_at: datetime
    updated_at: datetime


@router.get("/connections", response=Listing[ConnectionAnswer])
def list_connections(request: HttpRequest, query: Query[Paging]) -> HttpResponse:
    """The project's connections, by name."""
    caller = reader(request)
    found = connections(caller.user, caller.project)
    rows, next_key = page_down(found, "pk", query)
    return list_answer([_payload(row) for row in rows], next_key=next_key, total=found.count())


@router.post("/connections", response={201: ConnectionAnswer})
def create_connection(request: HttpRequest, body: NewConnection) -> HttpResponse:
    """Make a connection. Needs the role admin. Takes an Idempotency-Key."""
    caller = writer(request, Role.ADMIN)

    def create() -> HttpResponse:
        made = actions.create_connection(
            project=caller.project, by=caller.user, **body.model_dump()
        )
        return answer(_payload(find_connection(caller.user, caller.project, made.slug)), 201)

    return once(request, caller, create)


@router.get("/connections/{id}", response=ConnectionAnswer)
def get_connection(request: HttpRequest, id: str) -> HttpResponse:
    """A connection by its slug."""
    caller = reader(request)
    return answer(_payload(find_connection(caller.user, caller.project, id)))


@router.put("/connections/{id}", response=ConnectionAnswer)
def update_connection(request: HttpRequest, id: str, body: ConnectionChanges) -> HttpResponse:
    """Change a connection. Needs the role admin. An address on another server needs the key too."""
    caller = writer(request, Role.ADMIN)
    found = find_connection(caller.user, caller.project, id)
    actions.update_connection(
        connection=found, by=caller.user, **body.model_dump(exclude_unset=True)
    )
    return answer(_payload(find_connection(caller.user, caller.project, id)))


@router.delete("/connections/{id}", response={204: None})
def delete_connection(request: HttpRequest, id: str) -> HttpResponse:
    """Remove a connection and its key. Needs the role admin; 409 while saved targets use it."""
    caller = writer(request, Role.ADMIN)
    actions.delete_connection(
        connection=find_connection(caller.user, caller.project, id), by=caller.user
    )
    return HttpResponse(status=204)


def _payload(connection: Connection) -> dict[str, Any]:
    return {
        "id": connection.slug,
        "name": connection.name,
        "base_url": connection.base_url,
        "key": key_state(connection),
        "requests_per_minute": connection.requests_per_minute,
        "tokens_per_minute": connection.tokens_per_minute,
        "created_by": connection.created_by.username if connection.created_by else None,
        "created_at": connection.created_at.isoformat(),
        "updated_at": connection.updated_at.isoformat(),
    }
