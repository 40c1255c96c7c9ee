"""A stranger walks every page; a viewer tries every change; nobody else's data is seen or touched."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from datasets_app.models import Dataset
from evalhub.access.models import AuditEntry, Project, User

pytestmark = pytest.mark.django_db
OPEN_PAGES = {"health", "favicon", "sign_in", "use_link"}
ANSWERS = {"uuid": str(uuid.uuid4()), "int": "1", "slug": "sums", "str": "x"}


def _patterns(
    resolver: URLResolver, namespace: str = "", given: frozenset[str] = frozenset()
) -> Iterator[tuple[str, dict[str, str]]]:
    """(name, converters of its arguments) of every named page."""
    for entry in resolver.url_patterns:
        converters = {
            name: type(converter).__name__.removesuffix("Converter").lower()
            for name, converter in entry.pattern.converters.items()
        }
        if isinstance(entry, URLResolver):
            if entry.app_name == "ninja":
                continue
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            for name, more in _patterns(entry, inner):
                yield name, converters | more
        elif isinstance(entry, URLPattern) and entry.name:
            yield namespace + entry.name, converters


def _names() -> list[tuple[str, dict[str, str]]]:
    return [
        (name, converters)
        for name, converters in _patterns(get_resolver())
        if not name.startswith(("api", "ninja")) and ":openapi" not in name
    ]


def _address(name: str, converters: dict[str, str], project: Project) -> str:
    kwargs = {key: ANSWERS.get(kind, "x") for key, kind in converters.items()}
    if "project_slug" in kwargs:
        kwargs["project_slug"] = project.slug
    return reverse(name, kwargs=kwargs)


SCOPED = [(name, found) for name, found in _names() if "project_slug" in found]


def test_there_are_pages_to_walk() -> None:
    assert len(SCOPED) > 30


@pytest.mark.parametrize(("name", "converters"), SCOPED, ids=[name for name, _ in SCOPED])
def test_a_stranger_learns_nothing(
    client_for: Callable[..., Client],
    stranger: User,
    dataset: Dataset,
    name: str,
    converters: dict[str, str],
) -> None:
    client = client_for(stranger)
    address = _address(name, converters, dataset.project)
    entries = AuditEntry.objects.count()
    for answer in (client.get(address), client.post(address)):
        assert answer.status_code in (404, 405), f"{answer.status_code} for {address}"
        assert b"Sums" not in answer.content
    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize(("name", "converters"), SCOPED, ids=[name for name, _ in SCOPED])
def test_somebody_who_is_not_signed_in_is_asked_to(
    dataset: Dataset, name: str, converters: dict[str, str]
) -> None:
    address = _address(name, converters, dataset.project)
    answer = Client().get(address)
    assert answer.status_code in (302, 405), f"{answer.status_code} for {address}"
    if answer.status_code == 302:
        assert answer["Location"].startswith(reverse("sign_in"))


@pytest.mark.parametrize(("name", "converters"), SCOPED, ids=[name for name, _ in SCOPED])
def test_a_viewer_changes_nothing(
    client_for: Callable[..., Client],
    viewer: User,
    dataset: Dataset,
    name: str,
    converters: dict[str, str],
) -> None:
    client = client_for(viewer)
    address = _address(name, converters, dataset.project)
    entries = AuditEntry.objects.count()
    client.post(address, {"name": "changed", "username": "viewer", "role": "admin", "act": "add"})
    dataset.refresh_from_db()
    assert (dataset.name, dataset.version, dataset.deleted_at) == ("Sums", 1, None)
    assert AuditEntry.objects.count() == entries
    assert dataset.project.role_of(viewer) == "viewer"


def test_a_post_without_the_csrf_token_is_refused(
    client_for: Callable[..., Client], owner: User, dataset: Dataset
) -> None:
    client = client_for(owner, enforce_csrf_checks=True)
    answer = client.post(
        reverse("datasets:delete", args=[dataset.project.slug, "sums"]), {"name": "Sums"}
    )
    assert answer.status_code == 403
    dataset.refresh_from_db()
    assert dataset.deleted_at is None


def test_every_page_outside_a_project_needs_a_session_or_is_meant_to_be_open(db: None) -> None:
    for name, converters in _names():
        if "project_slug" in converters or name in OPEN_PAGES or "rest" in converters:
            continue
        if name.startswith("admin:"):  # test_admin walks those
            continue
        answer = Client().get(reverse(name, kwargs=dict.fromkeys(converters, "x")))
        assert answer.status_code in (302, 405), name
