"""Secrets at rest: under the first key, readable with any, in no log and no dump."""

from __future__ import annotations

import io
import logging

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from evalhub.access.models import Project, User
from evalhub.kit import vault
from evalhub.kit.errors import Invalid, Unavailable
from runs_app.actions.connections import create_connection, update_connection
from runs_app.connections import reach
from runs_app.models import Connection

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
CANARY = "sk-canary-5f1e8a7c"


def rotated() -> str:
    out = io.StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue().strip()


def test_what_is_encrypted_comes_back_and_looks_different_each_time(settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    one, two = vault.encrypt("schlüssel"), vault.encrypt("schlüssel")
    assert vault.decrypt(one) == vault.decrypt(two) == "schlüssel"
    assert one != two


def test_the_first_key_encrypts_and_all_decrypt(settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    token = vault.encrypt("a")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert vault.decrypt(token) == "a"
    assert Fernet(NEW).decrypt(vault.encrypt("b").encode()) == b"b"
    assert Fernet(NEW).decrypt(vault.rotate(token).encode()) == b"a"


def test_a_lost_key_is_told_with_what_to_do(settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    token = vault.encrypt(CANARY)
    settings.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(Unavailable, match="Put that key back, or enter the secret again") as caught:
        vault.decrypt(token)
    assert CANARY not in str(caught.value)
    assert token not in str(caught.value)


def test_a_token_that_was_tampered_with_is_refused(settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    token = vault.encrypt("a")
    turned = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    with pytest.raises(Unavailable):
        vault.decrypt(turned)


@pytest.mark.parametrize("key", ["short", "x" * 44, ""])
def test_what_is_no_key_is_told_without_showing_it(settings, key: str) -> None:
    settings.ENCRYPTION_KEYS = [key]
    with pytest.raises(ImproperlyConfigured, match="openssl rand") as caught:
        vault.encrypt("a")
    assert not key or key not in str(caught.value)


@pytest.mark.db
def test_a_field_takes_no_plain_text(project: Project) -> None:
    with pytest.raises(ValueError, match="encrypt"):
        Connection.objects.create(project=project, slug="a", name="A", base_url="x", key=CANARY)


@pytest.mark.db
def test_the_database_and_the_logs_never_hold_a_key(
    project: Project, owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with connection.cursor() as cursor:
        made = create_connection(
            project=project, name="Provider", base_url="https://a.example", by=owner, key=CANARY
        )
        update_connection(connection=made, by=owner, key=CANARY + "-2")
        found = reach(project, made.slug)
        logging.getLogger("evalhub").warning("Calling through %s", found)
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            assert CANARY not in repr(cursor.fetchall()), table
    assert found.key == CANARY + "-2"
    assert "Calling through" in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.db
def test_rotation_moves_every_secret_to_the_first_key_and_may_be_repeated(
    settings, project: Project, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalhub.management.commands.rotate_keys.BATCH", 2)
    settings.ENCRYPTION_KEYS = [OLD]
    for n in range(5):
        create_connection(
            project=project, name=f"P{n}", base_url="https://a.example", by=owner, key=f"key-{n}"
        )
    create_connection(project=project, name="Open", base_url="https://a.example", by=owner)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert rotated() == "5 secrets encrypted under the first key."
    assert rotated() == "5 secrets encrypted under the first key."
    settings.ENCRYPTION_KEYS = [NEW]  # the old one is gone
    assert [reach(project, f"p{n}").key for n in range(5)] == [f"key-{n}" for n in range(5)]
    assert reach(project, "open").key is None


@pytest.mark.db
def test_rotation_leaves_what_it_cannot_read_and_says_how_much(
    settings, project: Project, owner: User
) -> None:
    for keys, name in (([OTHER], "Lost"), ([OLD], "Kept")):
        settings.ENCRYPTION_KEYS = keys
        create_connection(
            project=project, name=name, base_url="https://a.example", by=owner, key=name
        )
    before = Connection.objects.get(slug="lost").key
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match="1 could not be decrypted and stays as before"):
        rotated()
    assert Connection.objects.get(slug="lost").key == before
    settings.ENCRYPTION_KEYS = [NEW, OTHER]
    assert [reach(project, slug).key for slug in ("kept", "lost")] == ["Kept", "Lost"]


@pytest.mark.db
def test_a_run_time_error_about_a_lost_key_names_the_connection(
    settings, project: Project, owner: User
) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    create_connection(project=project, name="P", base_url="https://a.example", by=owner, key="k1")
    settings.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(Invalid, match="The connection P: A stored key cannot be decrypted"):
        reach(project, "p")
