"""Toasts beyond those of `django.contrib.messages` alone."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest


def done(request: HttpRequest, text: str, *, undo: str) -> None:
    """Tell on the next page that something was done, with a button that posts to `undo`."""
    messages.success(request, text, extra_tags=undo)
