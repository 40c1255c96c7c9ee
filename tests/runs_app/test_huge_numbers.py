"""Numbers of thousands of digits in addresses and forms name nothing and break nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from evalhub.access.models import Project, User

pytestmark = pytest.mark.django_db
LONG = "9" * 5_000
TRIED = {"a": "python:echo", "input": "1", "scorer": "0:exact_match", "layout": "1"}


def test_in_the_playground(
    project: Project, editor: User, client_for: Callable[..., Client]
) -> None:
    client, address = client_for(editor), reverse("runs:playground", args=[project.slug])
    item = {"item": f"sums:{LONG}", "revision": LONG}
    assert client.post(address, TRIED | item).status_code == 422
    assert client.get(f"{address}?item=sums:{LONG}").status_code == 404
    saved = client.post(reverse("runs:playground_save", args=[project.slug]), TRIED | item)
    assert saved.status_code in (200, 422)


@pytest.mark.parametrize("query", [f"run={LONG}&run=1", f"run=1&run=2&after={LONG}"])
def test_in_a_comparison(
    query: str, project: Project, editor: User, client_for: Callable[..., Client]
) -> None:
    address = reverse("runs:compare", args=[project.slug])
    assert client_for(editor).get(f"{address}?{query}").status_code == 404


def test_in_the_revocation_of_a_token(
    project: Project, editor: User, client_for: Callable[..., Client]
) -> None:
    address = reverse("project_tokens", args=[project.slug])
    answer = client_for(editor).post(address, {"act": "revoke", "token": LONG}, follow=True)
    assert "Choose the token to revoke." in answer.content.decode()
