"""From what a user calls a dataset, a target or a run to what the API calls it."""

from __future__ import annotations

import re
from typing import Any

from evalhub_client.client import Client
from evalhub_client.errors import ApiError, EvalhubClientError
from evalhub_client.failures import UsageError

_SLUG = re.compile(r"[A-Za-z0-9_-]+\Z")


def find_dataset(client: Client, name: str) -> dict[str, Any] | None:
    """The dataset with that slug or uuid, else the one with that name; None when there is none.

    Raises EvalhubClientError when several have the name.
    """
    if _SLUG.match(name):
        try:
            return client.get_dataset(name)
        except ApiError as error:
            if error.status != 404:
                raise
    plain = " ".join(name.split())
    found = [one for one in client.list_datasets() if one["name"] == plain]
    if len(found) > 1:
        slugs = ", ".join(one["id"] for one in found)
        raise EvalhubClientError(
            f"{len(found)} datasets are named “{plain}”. Say which one by its slug: {slugs}."
        )
    return found[0] if found else None


def require_dataset(client: Client, name: str) -> dict[str, Any]:
    """Like `find_dataset`, but raises EvalhubClientError when there is none."""
    found = find_dataset(client, name)
    if found is None:
        raise EvalhubClientError(
            f"There is no dataset “{name}”. `evalhub datasets` lists those there are."
        )
    return found


def find_target(client: Client, name: str) -> dict[str, Any] | None:
    """The saved target with that slug, else the one with that name; None when there is none."""
    if _SLUG.match(name):
        try:
            return client.get_target(name)
        except ApiError as error:
            if error.status != 404:
                raise
    plain = " ".join(name.split())
    # The reference of a saved target is its slug; others have a colon in it.
    found = [one for one in client.list_targets() if one["name"] == plain and ":" not in one["ref"]]
    return client.get_target(found[0]["id"]) if found else None


def run_reference(text: str) -> str:
    """A run's number or uuid as the API takes it: #12 is 12. Raises UsageError."""
    reference = text.strip().removeprefix("#")
    if not _SLUG.match(reference):
        raise UsageError(f"{text!r} is no run. Give its number or uuid; `evalhub runs` lists them.")
    return reference
