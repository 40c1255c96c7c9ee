"""A database of the bench's own on the PostgreSQL server; nothing to do when embedded."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator

import psycopg


@contextlib.contextmanager
def fresh_database() -> Iterator[None]:
    """Point Django (set up, not yet connected) at a new database, and drop it at the end."""
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
