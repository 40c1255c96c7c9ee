"""The fixed cast: an owner, an editor and a viewer of one project, and a stranger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from datasets_app.actions import add_items, create_dataset
from datasets_app.items import parse_item
from datasets_app.models import Dataset
from evalhub.access.actions import create_project, set_member
from evalhub.access.models import Project, User

THREE_ITEMS: list[dict[str, Any]] = [
    {"input": "1 + 1", "expected_output": "2", "metadata": {"topic": "sum"}},
    {"input": {"question": "2 + 2"}, "expected_output": {"answer": 4}, "external_id": "q-2"},
    {"input": "Say nothing"},
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop in this thread to the end, and
    no test after it could run a loop of its own.
    """
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """A real file: several threads and processes write to it, as in the product."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(Path(settings.EVALHUB_HOME) / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def collected_static_files() -> None:
    """Pages are rendered with the real manifest of static files."""
    call_command("collectstatic", interactive=False, verbosity=0)


def _user(username: str) -> User:
    user = User.objects.filter(username=username).first()
    return user or User.objects.create_user(username=username)


@pytest.fixture
def owner(db: None) -> User:
    return _user("owner")


@pytest.fixture
def project(owner: User) -> Project:
    return create_project(name="Support", by=owner)


@pytest.fixture
def editor(project: Project, owner: User) -> User:
    return set_member(project=project, username="editor", role="editor", by=owner)[0].user


@pytest.fixture
def viewer(project: Project, owner: User) -> User:
    return set_member(project=project, username="viewer", role="viewer", by=owner)[0].user


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody with a project of their own."""
    user = _user("stranger")
    create_project(name="Elsewhere", by=user)
    return user


@pytest.fixture
def dataset(project: Project, owner: User) -> Dataset:
    """Three items, published as version 1."""
    made = create_dataset(project=project, name="Sums", by=owner)
    add_items(dataset=made, contents=[parse_item(item) for item in THREE_ITEMS], by=owner)
    return made


@pytest.fixture
def client_for() -> Callable[[User], Client]:
    """Gives a browser that is signed in, with CSRF checks on where asked."""

    def sign_in(user: User, **options: Any) -> Client:
        client = Client(**options)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in
