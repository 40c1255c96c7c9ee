"""Where the doors hang."""

from django.contrib import admin
from django.urls import include, path

from evalhub import views
from evalhub.access import views as access
from evalhub.api import api

handler500 = "evalhub.views.server_error"

PROJECT = "p/<slug:project_slug>/"
urlpatterns = [
    path("", views.home, name="home"),
    path("health", views.health, name="health"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("sign-in", access.sign_in, name="sign_in"),
    path("sign-in/<str:secret>", access.use_link, name="use_link"),
    path("sign-out", access.sign_out, name="sign_out"),
    path("account", access.account, name="account"),
    path("admin/", admin.site.urls),
    path("projects/new", access.new_project, name="new_project"),
    path(PROJECT, access.project_home, name="project_home"),
    path(PROJECT + "settings", access.project_settings, name="project_settings"),
    path(PROJECT + "settings/members", access.members, name="project_members"),
    path(PROJECT + "settings/tokens", access.tokens, name="project_tokens"),
    path(PROJECT + "settings/trace-url", access.trace_url, name="project_trace_url"),
    path(PROJECT + "delete/", access.delete_project, name="delete_project"),
    path(PROJECT + "datasets/", include("datasets_app.urls")),
    path(PROJECT, include("runs_app.urls")),
    path("api/v1/", api.urls),
    path("api/<path:rest>", views.api_moved),
]
