"""The pages of projects: people, tokens, deletion, the demo's banner."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app.models import Dataset
from evalhub.access.actions import create_project, create_token
from evalhub.access.models import Project, User

ClientFor = Callable[..., Client]


def url(name: str, project: Project) -> str:
    return reverse(name, args=[project.slug])


def test_members_read_the_settings_and_a_stranger_does_not(
    project: Project, viewer: User, stranger: User, client_for: ClientFor
) -> None:
    text = client_for(viewer).get(url("project_settings", project)).content.decode()
    for said in ("owner", "viewer", "Your role: viewer", "No tokens yet"):
        assert said in text
    for action in ("Add person", "Create token", "Delete project"):
        assert action not in text
    assert client_for(stranger).get(url("project_settings", project)).status_code == 404


@pytest.mark.parametrize("name", ["project_members", "project_tokens", "delete_project"])
def test_a_viewer_changes_nothing_of_the_project(
    name: str, project: Project, viewer: User, client_for: ClientFor
) -> None:
    assert client_for(viewer).post(url(name, project), {"name": "x"}).status_code == 403


def test_somebody_new_gets_a_link_that_is_shown_once_and_signs_in(
    project: Project, owner: User, client_for: ClientFor
) -> None:
    client = client_for(owner)
    page = client.post(
        url("project_members", project), {"username": "nora", "role": "editor"}
    ).content.decode()
    found = re.search(r"https?://[^/]+(/sign-in/[^<\s]+)", page)
    assert found
    assert found[1] not in client.get(url("project_settings", project)).content.decode()
    nora = Client()
    assert nora.get(found[1]).status_code == 302
    assert nora.get(url("project_settings", project)).status_code == 200
    assert Client().get(found[1]).status_code == 410


def test_the_last_admin_cannot_be_removed(
    project: Project, owner: User, client_for: ClientFor
) -> None:
    response = client_for(owner).post(
        url("project_members", project), {"act": "remove", "username": "owner"}
    )
    assert response.status_code == 409
    assert "A project needs an admin." in response.content.decode()
    assert project.role_of(owner) == "admin"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"username": "", "role": "viewer"}, "Give a user name"),
        ({"username": "nora", "role": "king"}, "is no role"),
    ],
)
def test_a_person_that_cannot_be_added_is_explained(
    data: dict[str, str], said: str, project: Project, owner: User, client_for: ClientFor
) -> None:
    response = client_for(owner).post(url("project_members", project), data)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not User.objects.filter(username="nora").exists()


def test_a_role_is_changed_in_the_list(
    project: Project, owner: User, viewer: User, client_for: ClientFor
) -> None:
    response = client_for(owner).post(
        url("project_members", project), {"username": "viewer", "role": "editor"}
    )
    assert response["Location"] == url("project_settings", project)
    assert project.role_of(viewer) == "editor"


def test_a_token_is_shown_once_and_can_be_revoked(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    page = client.post(
        url("project_tokens", project), {"name": "nightly", "read_only": "on"}
    ).content.decode()
    found = re.search(r"eh_[\w-]{20,}", page)
    assert found
    token = project.tokens.get()
    assert (token.name, token.read_only, token.user) == ("nightly", True, editor)
    again = client.get(url("project_settings", project)).content.decode()
    assert found[0] not in again
    assert token.prefix in again
    client.post(url("project_tokens", project), {"act": "revoke", "token": str(token.pk)})
    assert "nightly" not in client.get(url("project_settings", project)).content.decode().replace(
        "The token is revoked.", ""
    )


@pytest.mark.parametrize("data", [{"name": " "}, {"act": "revoke", "token": "none"}])
def test_a_token_that_cannot_be_made_or_revoked_is_explained(
    data: dict[str, str], project: Project, editor: User, client_for: ClientFor
) -> None:
    response = client_for(editor).post(url("project_tokens", project), data)
    assert response.status_code == 422
    assert 'id="token-error"' in response.content.decode()


def test_a_token_of_another_project_cannot_be_revoked(
    project: Project, editor: User, stranger: User, client_for: ClientFor
) -> None:
    elsewhere = Project.objects.get(slug="elsewhere")
    token, _ = create_token(project=elsewhere, name="theirs", by=stranger)
    response = client_for(editor).post(
        url("project_tokens", project), {"act": "revoke", "token": str(token.pk)}
    )
    assert response.status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


def test_a_project_is_made_and_a_bad_name_is_explained(owner: User, client_for: ClientFor) -> None:
    client = client_for(owner)
    assert client.get(reverse("new_project")).status_code == 200
    wrong = client.post(reverse("new_project"), {"name": "!!!"})
    assert wrong.status_code == 422
    assert "at least one letter or digit" in wrong.content.decode()
    right = client.post(reverse("new_project"), {"name": "Billing"})
    assert right["Location"] == reverse("datasets:list", args=["billing"])


def test_deleting_a_project_asks_for_its_name(
    project: Project, dataset: Dataset, owner: User, client_for: ClientFor
) -> None:
    client = client_for(owner)
    assert (
        "Type <code>Support</code>" in client.get(url("delete_project", project)).content.decode()
    )
    wrong = client.post(url("delete_project", project), {"name": "support"})
    assert wrong.status_code == 422
    assert "Type Support to delete it." in wrong.content.decode()
    assert client.post(url("delete_project", project), {"name": "Support"}).status_code == 302
    assert not Project.objects.filter(pk=project.pk).exists()


@pytest.fixture
def demo(owner: User) -> Project:
    project = create_project(name="Demo", by=owner)
    Project.objects.filter(pk=project.pk).update(is_demo=True)
    return project


def test_every_page_of_the_demo_says_so_and_one_click_removes_it(
    demo: Project, project: Project, owner: User, client_for: ClientFor
) -> None:
    client = client_for(owner)
    for name in ("datasets:list", "project_settings"):
        text = client.get(url(name, demo)).content.decode()
        assert "This is demo data" in text
        assert f'action="{url("delete_project", demo)}"' in text
        assert f'href="{url("datasets:new", project)}"' in text
    client.post(url("delete_project", demo))
    assert not Project.objects.filter(is_demo=True).exists()


def test_the_banner_is_on_no_other_page(
    project: Project, owner: User, client_for: ClientFor
) -> None:
    assert "demo data" not in client_for(owner).get(url("datasets:list", project)).content.decode()


def test_who_has_only_the_demo_is_led_to_a_new_project(
    demo: Project, owner: User, client_for: ClientFor
) -> None:
    text = client_for(owner).get(url("datasets:list", demo)).content.decode()
    assert f'href="{reverse("new_project")}">Import your own data' in text


def test_a_viewer_of_the_demo_sees_no_button_to_remove_it(
    demo: Project, viewer: User, client_for: ClientFor
) -> None:
    demo.members.create(user=viewer, role="viewer")
    text = client_for(viewer).get(url("datasets:list", demo)).content.decode()
    assert "This is demo data" in text
    assert "Remove the demo" not in text
