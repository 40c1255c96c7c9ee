"""What every page has: the theme that somebody chose, drawn by the server, and an icon."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.urls import reverse

from evalhub.kit.theme import COOKIE
from evalhub.views import server_error

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("cookie", "said"),
    [
        ("dark", '<html lang="en" data-theme="dark">'),
        ("", '<html lang="en">'),
        ('"><script>', '<html lang="en">'),
    ],
)
def test_a_chosen_theme_is_in_the_page_before_any_script(cookie: str, said: str) -> None:
    client = Client()
    client.cookies[COOKIE] = cookie
    assert said in client.get(reverse("sign_in")).content.decode()
    request = RequestFactory().get("/")
    request.COOKIES[COOKIE] = cookie
    assert said in server_error(request).content.decode()
    try:
        raise OperationalError
    except OperationalError:
        away = server_error(request)
    assert away.status_code == 503
    assert said in away.content.decode()


def test_what_names_no_icon_is_given_one_all_the_same() -> None:
    answer = Client().get("/favicon.ico")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/static/img/mark")
