"""Create, change and delete connections. No audit row, error or log holds a key."""

from __future__ import annotations

from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from evalhub.access.actions import RESERVED_SLUGS, audit
from evalhub.access.models import Project, User
from evalhub.kit.errors import Conflict, FieldError, Invalid
from evalhub.kit.outgoing import OutgoingError
from evalhub.kit.outgoing.urls import parse_url, same_origin
from evalhub.kit.slugs import free_slug
from evalhub.kit.vault import encrypt
from runs_app.connections import check_variable, targets_using
from runs_app.models import Connection

ENV = "env:"
MAX_KEY = 4_000
MAX_LIMIT = 2_147_483_647


class Keep:
    """Stands for "leave it as it is", where None means to take it away."""


KEEP: Final = Keep()


@transaction.atomic
def create_connection(
    *,
    project: Project,
    name: str,
    base_url: str,
    by: User,
    key: str | None = None,
    requests_per_minute: int | None = None,
    tokens_per_minute: int | None = None,
) -> Connection:
    """Make a connection. `key` is the key itself or env:NAME. Raises Invalid."""
    name = _checked_name(name)
    made = Connection(
        project=project,
        slug=_free_slug(project, name),
        name=name,
        base_url=_checked_url(base_url),
        requests_per_minute=_checked_limit("requests_per_minute", requests_per_minute),
        tokens_per_minute=_checked_limit("tokens_per_minute", tokens_per_minute),
        created_by=by,
    )
    _set_key(made, key)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict("Somebody made a connection of that name just now. Try again.") from error
    audit(project, by, "connection.created", made.slug, base_url=made.base_url)
    return made


@transaction.atomic
def update_connection(
    *,
    connection: Connection,
    by: User,
    name: str | Keep = KEEP,
    base_url: str | Keep = KEEP,
    key: str | Keep | None = KEEP,
    requests_per_minute: int | Keep | None = KEEP,
    tokens_per_minute: int | Keep | None = KEEP,
) -> Connection:
    """Change what is given. The slug stays, so that targets keep their connection.

    Raises Invalid, also when the address moves to another server and the stored key is not given
    again: else whoever may change addresses could send a key that they may not read to themselves.
    """
    row: Connection = Connection.objects.select_for_update().get(pk=connection.pk)
    before = _told(row)
    old_url, had_key = row.base_url, bool(row.key)
    if not isinstance(name, Keep):
        row.name = _checked_name(name)
    if not isinstance(base_url, Keep):
        row.base_url = _checked_url(base_url)
    if not isinstance(key, Keep):
        _set_key(row, key)
    elif had_key and not same_origin(old_url, row.base_url):
        raise _wrong(
            "key", "The address leads to another server: enter the key again, or remove it."
        )
    if not isinstance(requests_per_minute, Keep):
        row.requests_per_minute = _checked_limit("requests_per_minute", requests_per_minute)
    if not isinstance(tokens_per_minute, Keep):
        row.tokens_per_minute = _checked_limit("tokens_per_minute", tokens_per_minute)
    row.save()
    Connection.objects.filter(pk=row.pk).update(updated_at=Now())
    after = _told(row)
    changed = sorted(field for field in after if after[field] != before[field])
    if not isinstance(key, Keep):
        changed.append("key")
    audit(row.project, by, "connection.updated", row.slug, changed=changed, base_url=row.base_url)
    return row


@transaction.atomic
def delete_connection(*, connection: Connection, by: User) -> None:
    """Remove it with its key. Raises Conflict while saved targets use it."""
    users = [target.name for target in targets_using(connection)[:11]]
    if users:
        more = " and more" if len(users) > 10 else ""
        raise Conflict(
            f"{connection.name} is used by {', '.join(users[:10])}{more}. "
            "Give them another connection or delete them first."
        )
    audit(connection.project, by, "connection.deleted", connection.slug)
    connection.delete()


def _told(connection: Connection) -> dict[str, Any]:
    """What the audit trail may compare."""
    fields = ("name", "base_url", "requests_per_minute", "tokens_per_minute")
    return {field: getattr(connection, field) for field in fields}


def _set_key(connection: Connection, key: str | None) -> None:
    """Put the key, or the name of its variable, into the row; None removes both."""
    connection.key, connection.key_env = None, ""
    if key is None:
        return
    key = key.strip()
    if key.lower().startswith(ENV):
        try:
            check_variable(key[len(ENV) :])
        except Invalid as error:
            raise _wrong("key", error.detail) from error
        connection.key_env = key[len(ENV) :]
        return
    if not key or len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
        raise _wrong(
            "key",
            "A key is a line of plain letters, digits and signs. Copy it from the provider again, "
            "or write env:NAME to name an environment variable that holds it.",
        )
    connection.key = encrypt(key)


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 120:
        raise _wrong("name", "Give the connection a name of 1 to 120 characters.")
    return name


def _checked_url(url: str) -> str:
    """The base URL without a slash at its end."""
    url = url.strip().rstrip("/")
    if len(url) > 500:
        raise _wrong("base_url", "The address is too long: 500 characters at most.")
    try:
        parsed = parse_url(url)
    except OutgoingError as error:
        raise _wrong("base_url", error.message) from error
    if "?" in url or "#" in url or parsed.raw_query_string:
        raise _wrong("base_url", "The address may not have a query (?...) or an anchor (#...).")
    return url


def _checked_limit(field: str, limit: int | None) -> int | None:
    if limit is not None and not 1 <= limit <= MAX_LIMIT:
        raise _wrong(field, "A limit is a whole number of at least 1. Leave it empty for none.")
    return limit


def _free_slug(project: Project, name: str) -> str:
    taken = set(project.connections.values_list("slug", flat=True))
    return free_slug(name, "connection", taken=taken, reserved=RESERVED_SLUGS)


def _wrong(field: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(f"/{field}", detail)])
