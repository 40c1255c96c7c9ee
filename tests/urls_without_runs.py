"""Datasets alone."""

from django.urls import include, path

urlpatterns = [path("p/<slug:project_slug>/datasets/", include("datasets_app.urls"))]
