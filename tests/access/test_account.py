"""One's own account: name and password; signing in with it, and being locked out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from evalhub.access.models import Project, User

ClientFor = Callable[..., Client]
ACCOUNT = "/account"
GOOD = "mossy-Kettle-42"


@pytest.fixture
def nora(db: None) -> User:
    """Somebody who has come in by link: no password."""
    return User.objects.create(username="nora")


def test_the_account_is_for_who_is_signed_in() -> None:
    assert Client().get(ACCOUNT)["Location"].startswith(reverse("sign_in"))


def test_the_sidebar_leads_to_the_account(
    project: Project, viewer: User, client_for: ClientFor
) -> None:
    page = client_for(viewer).get(reverse("datasets:list", args=[project.slug]))
    assert f'href="{ACCOUNT}"' in page.content.decode()


def test_outside_of_a_project_the_sidebar_leads_to_the_projects(
    project: Project, viewer: User, client_for: ClientFor
) -> None:
    page = client_for(viewer).get(ACCOUNT).content.decode()
    assert f'href="{reverse("datasets:list", args=[project.slug])}"' in page


def test_a_display_name_is_saved_and_shown(nora: User, client_for: ClientFor) -> None:
    client = client_for(nora)
    assert client.post(ACCOUNT, {"act": "name", "name": "  Nora   Lind "}).status_code == 302
    page = client.get(ACCOUNT).content.decode()
    assert "Your name is saved." in page
    assert 'value="Nora Lind"' in page
    nora.refresh_from_db()
    assert nora.display_name == "Nora Lind"
    client.post(ACCOUNT, {"act": "name", "name": ""})
    nora.refresh_from_db()
    assert nora.display_name == "nora"


def test_a_name_that_is_too_long_is_explained(nora: User, client_for: ClientFor) -> None:
    answer = client_for(nora).post(ACCOUNT, {"act": "name", "name": "n" * 151})
    assert answer.status_code == 422
    assert "Use 150 characters at most." in answer.content.decode()


def test_who_came_by_link_sets_a_password_and_signs_in_with_it(
    nora: User, client_for: ClientFor
) -> None:
    client = client_for(nora)
    assert 'name="current"' not in client.get(ACCOUNT).content.decode()
    client.post(ACCOUNT, {"act": "password", "new": GOOD})
    assert client.get(ACCOUNT).status_code == 200  # this session goes on
    signed_in = Client().post(reverse("sign_in"), {"username": "nora", "password": GOOD})
    assert signed_in["Location"] == reverse("home")


def test_a_password_is_changed_only_with_the_current_one(nora: User, client_for: ClientFor) -> None:
    nora.set_password(GOOD)
    nora.save()
    client, elsewhere = client_for(nora), client_for(nora)
    wrong = client.post(ACCOUNT, {"act": "password", "current": "x", "new": "rainy-Bucket-77"})
    assert wrong.status_code == 422
    assert 'id="current-error"' in wrong.content.decode()
    client.post(ACCOUNT, {"act": "password", "current": GOOD, "new": "rainy-Bucket-77"})
    nora.refresh_from_db()
    assert nora.check_password("rainy-Bucket-77")
    assert elsewhere.get(ACCOUNT).status_code == 302  # other sessions end


@pytest.mark.parametrize(
    ("new", "said"),
    [("short", "at least 10"), ("1234567890", "too common"), ("nora-nora-", "too similar")],
)
def test_a_weak_password_is_refused_with_the_reason(
    new: str, said: str, nora: User, client_for: ClientFor
) -> None:
    nora.username = "nora-nora"
    nora.save()
    answer = client_for(nora).post(ACCOUNT, {"act": "password", "new": new})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    nora.refresh_from_db()
    assert not nora.has_password


def test_too_many_wrong_passwords_close_signing_in_for_a_while(nora: User) -> None:
    nora.set_password(GOOD)
    nora.save()
    client = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = client.post(reverse("sign_in"), {"username": "nora", "password": "wrong"})
    assert answer.status_code == 429
    page = answer.content.decode()
    assert "Too many attempts" in page
    assert "15 min" in page
    assert (
        client.post(reverse("sign_in"), {"username": "nora", "password": GOOD}).status_code == 429
    )
