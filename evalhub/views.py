"""Pages that belong to no app: the front door, health, and errors that Django itself meets."""

from __future__ import annotations

import sys

from django.contrib.auth.decorators import login_required
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import get_template
from django.templatetags.static import static

from evalhub.access.models import Project, User
from evalhub.kit import theme
from evalhub.kit.disk import is_full
from evalhub.kit.errors import DiskFull


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The datasets of the user's first project."""
    assert isinstance(request.user, User)
    project = Project.objects.for_user(request.user).order_by("pk").first()
    if project is None:
        return redirect("new_project")
    return redirect("datasets:list", project.slug)


def health(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "database not reached"}, status=503)
    return JsonResponse({"status": "ok"})


def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for the icon of an answer that names none: the administration, JSON."""
    return redirect(static("img/mark.svg"))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", {"reason": reason}, status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for a fault of ours, a database that is away or a disk that is full, as when an
    upload is stored before any view runs. It asks nothing of the database."""
    away = isinstance(sys.exception(), OperationalError | InterfaceError)
    status = 503 if away else DiskFull.status if is_full(sys.exception()) else 500
    known = {"request_id": getattr(request, "request_id", ""), "theme": theme.chosen(request)}
    return HttpResponse(get_template(f"{status}.html").render(known), status=status)


def api_moved(request: HttpRequest, rest: str) -> HttpResponse:
    """/api/... answers 308 to /api/v1/..., so that the method and body stay."""
    query = request.META.get("QUERY_STRING", "")
    response = HttpResponsePermanentRedirect(f"/api/v1/{rest}" + (f"?{query}" if query else ""))
    response.status_code = 308
    return response
