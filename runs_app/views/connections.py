"""Connections to providers: the list, and the forms that change it."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from evalhub.access.doors import find_project, project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import EvalhubError
from evalhub.kit.outgoing.addresses import parse_allowed, refusal
from runs_app import connections as queries
from runs_app.actions import connections as actions
from runs_app.connection_form import ConnectionForm
from runs_app.views.common import actor

LOOPBACK = IPv4Address("127.0.0.1")


@project_view()
def connections(request: HttpRequest, project: Project) -> HttpResponse:
    """The project's connections; nothing of their keys but whether there is one."""
    found = list(queries.connections(actor(request), project))
    context = {"rows": [(row, queries.key_state(row)) for row in found]} | _reachable()
    return render(request, "runs/connections.html", context)


@project_view(needs=Role.ADMIN)
def new(request: HttpRequest, project: Project) -> HttpResponse:
    form = ConnectionForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            made = actions.create_connection(project=project, by=actor(request), **form.given())
        except EvalhubError as error:
            form.take(error)
        else:
            messages.success(request, f"{made.name} is ready. Targets can use it now.")
            return redirect("runs:connections", project.slug)
    return _form_page(request, form)


@project_view()
def edit(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """A connection: an admin changes it, everybody else reads it."""
    connection = queries.find_connection(actor(request), project, slug)
    sent = request.method == "POST"
    if sent:
        find_project(actor(request), project.slug, Role.ADMIN)
    form = ConnectionForm(request.POST if sent else None, connection=connection)
    if sent and form.is_valid():
        try:
            actions.update_connection(connection=connection, by=actor(request), **form.given())
        except EvalhubError as error:
            form.take(error)
        else:
            messages.success(request, "Saved.")
            return redirect("runs:connections", project.slug)
    return _form_page(request, form, connection=connection, targets=_users(connection))


@project_view(needs=Role.ADMIN)
def delete(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """Ask whether to delete the connection, and delete it."""
    connection = queries.find_connection(actor(request), project, slug)
    context: dict[str, Any] = {"connection": connection, "targets": _users(connection)}
    if request.method == "POST":
        try:
            actions.delete_connection(connection=connection, by=actor(request))
        except EvalhubError as error:
            context["problem"] = error.detail
            return render(request, "runs/connection_delete.html", context, status=error.status)
        messages.success(request, f"{connection.name} is deleted, and its key with it.")
        return redirect("runs:connections", project.slug)
    return render(request, "runs/connection_delete.html", context)


def _form_page(request: HttpRequest, form: ConnectionForm, **more: Any) -> HttpResponse:
    context = {"form": form, "key_state": form.key_state} | _reachable() | more
    status = 422 if form.is_bound else 200
    return render(request, "runs/connection_form.html", context, status=status)


def _users(connection: Any) -> list[str]:
    return [target.name for target in queries.targets_using(connection)]


def _reachable() -> dict[str, Any]:
    """Which private addresses targets may call, for the page to say plainly."""
    allowed = parse_allowed(settings.ALLOWED_ADDRESSES)
    loopback = refusal(LOOPBACK, str(LOOPBACK), allowed) is None
    return {
        "this_machine": settings.EMBEDDED and loopback,
        "allowed": ", ".join(settings.ALLOWED_ADDRESSES),
    }
