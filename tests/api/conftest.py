"""The cast of tests/conftest.py, each with a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evalhub.access.actions import create_token
from evalhub.access.models import Project, User
from tests.api.client import Api


@pytest.fixture
def api_for() -> Callable[..., Api]:
    """Gives a client with a fresh token of that user in that project."""

    def make(user: User, project: Project, **options: Any) -> Api:
        return Api(create_token(project=project, name="Test", by=user, **options)[1])

    return make


@pytest.fixture
def api(api_for: Callable[..., Api], editor: User, project: Project) -> Api:
    """The editor's client."""
    return api_for(editor, project)


@pytest.fixture
def viewer_api(api_for: Callable[..., Api], viewer: User, project: Project) -> Api:
    return api_for(viewer, project)


@pytest.fixture
def stranger_api(api_for: Callable[..., Api], stranger: User) -> Api:
    return api_for(stranger, Project.objects.get(slug="elsewhere"))
