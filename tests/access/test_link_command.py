"""`evalhub-server link`: a fresh way in for who has no password."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from evalhub.access.models import User
from evalhub.local import ADMINISTRATOR, ensure_defaults

pytestmark = pytest.mark.django_db


def printed(*names: str) -> str:
    out = StringIO()
    call_command("link", *names, stdout=out)
    return out.getvalue()


def path_in(text: str) -> str:
    found = re.search(r"https?://[^/]+(/sign-in/\S+)", text)
    assert found
    return found[1]


def test_without_a_name_the_link_signs_the_administrator_in_once() -> None:
    ensure_defaults()
    said = printed()
    assert "once, within 30 minutes" in said
    client = Client()
    assert client.get(path_in(said)).status_code == 302
    assert client.get("/account").context["user"].username == ADMINISTRATOR
    assert "make link" in Client().get(path_in(said)).content.decode()  # it is spent


def test_with_a_name_the_link_signs_that_person_in(viewer: User) -> None:
    client = Client()
    client.get(path_in(printed("viewer")))
    assert client.get("/account").context["user"] == viewer


def test_there_is_no_link_for_who_does_not_exist_or_may_not_sign_in(viewer: User) -> None:
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    for name in ("nobody", "viewer"):
        with pytest.raises(CommandError, match=f"no user “{name}”"):
            printed(name)
