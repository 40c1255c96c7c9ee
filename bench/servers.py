"""A database of the bench's own, empty or with a browser that is signed in."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg

from evalhub import local

if TYPE_CHECKING:
    from django.test import Client


@contextlib.contextmanager
def fresh_database() -> Iterator[None]:
    """Point Django (set up, not yet connected) at a new database on the PostgreSQL server, and drop
    it at the end; nothing to do when embedded."""
    from django.conf import settings
    from django.db import connection

    if settings.EMBEDDED:
        yield
        return
    name = f"evalhub_bench_{uuid.uuid4().hex[:12]}"
    url = settings.DATABASE_URL
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        settings.DATABASE_URL = f"{url.rpartition('/')[0]}/{name}"
        connection.settings_dict["NAME"] = name
        try:
            yield
        finally:
            connection.close()
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextlib.contextmanager
def signed_in() -> Iterator[Client]:
    """The administrator's client on a fresh database with tables and the default project."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from evalhub.access.models import User

    with fresh_database():
        local.migrate()
        local.ensure_defaults()
        settings.ALLOWED_HOSTS = ["127.0.0.1"]
        call_command("collectstatic", interactive=False, verbosity=0)
        client = Client(HTTP_HOST="127.0.0.1")
        client.force_login(User.objects.get(username=local.ADMINISTRATOR))
        yield client
        connection.close()
