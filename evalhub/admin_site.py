"""Django's admin at /admin/: for superusers and staff, signed in where everybody signs in."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url

from evalhub.kit.errors import NotFound


class EvalhubAdminSite(AdminSite):
    site_header = site_title = "evalhub admin"
    index_title = "All data"
    site_url = "/"

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """To the sign-in of the product. Who is signed in and no staff finds no such page."""
        if self.has_permission(request):
            return HttpResponseRedirect(resolve_url("admin:index"))
        if request.user.is_authenticated:
            raise NotFound("There is no such page.")
        return redirect_to_login(request.GET.get("next") or resolve_url("admin:index"))
