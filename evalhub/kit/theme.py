"""The theme that somebody chose: a cookie, so that a page is drawn in it before any script runs."""

from __future__ import annotations

from django.http import HttpRequest

COOKIE = "evalhub_theme"  # written by static/js/app.js


def chosen(request: HttpRequest) -> str:
    """`light` or `dark`; empty when the system decides."""
    theme = request.COOKIES.get(COOKIE, "")
    return theme if theme in ("light", "dark") else ""
