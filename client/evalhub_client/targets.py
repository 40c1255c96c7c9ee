"""What a client can do with connections, targets and recordings; a part of `Client`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from evalhub_client.connection import Connection, Json, segment
from evalhub_client.runs import given
from evalhub_client.trials import NO_OUTPUT_EXPECTED, trial_body

UNCHANGED: Final = object()
"""Leaves a part of a connection as it is; None takes it away."""


class TargetMethods:
    """The methods of `Client` that speak of connections, targets and recordings."""

    _connection: Connection

    def list_connections(self) -> Iterator[Json]:
        """`{id, name, base_url, key, requests_per_minute, tokens_per_minute, ...}`.

        `id` is the slug. `key` is "set", "env:NAME" or None, never the key.
        """
        return self._connection.pages("/connections")

    def get_connection(self, connection: str) -> Json:
        """A connection by its slug."""
        return self._connection.object("GET", _path("connections", connection))

    def create_connection(
        self,
        name: str,
        base_url: str,
        *,
        key: str | None = None,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
    ) -> Json:
        """The new connection. `key` is the key itself, or "env:NAME" for a variable of the worker.

        The limits are for all workers together, None for none. Needs an admin's token.
        """
        body = {"name": name, "base_url": base_url} | given(
            key=key, requests_per_minute=requests_per_minute, tokens_per_minute=tokens_per_minute
        )
        return self._connection.object("POST", "/connections", json=body)

    def update_connection(
        self,
        connection: str,
        *,
        name: str | None = None,
        base_url: str | None = None,
        key: Any = UNCHANGED,
        requests_per_minute: Any = UNCHANGED,
        tokens_per_minute: Any = UNCHANGED,
    ) -> Json:
        """The changed connection; None removes the key or a limit. Another server needs the key."""
        body = given(name=name, base_url=base_url)
        changes = {
            "key": key,
            "requests_per_minute": requests_per_minute,
            "tokens_per_minute": tokens_per_minute,
        }
        body |= {part: value for part, value in changes.items() if value is not UNCHANGED}
        return self._connection.object("PUT", _path("connections", connection), json=body)

    def delete_connection(self, connection: str) -> None:
        """Remove a connection and its key. An ApiError with status 409 while targets use it."""
        self._connection.call("DELETE", _path("connections", connection))

    def list_targets(self) -> Iterator[Json]:
        """What a run can name, saved ones first: `{ref, id, name, kind, transport, version,
        health, ...}`.
        """
        return self._connection.pages("/targets")

    def get_target(self, target: str) -> Json:
        """A saved target by its slug, with the `config` of its newest version."""
        return self._connection.object("GET", _path("targets", target))

    def create_target(
        self,
        name: str,
        *,
        kind: str,
        transport: str,
        config: Mapping[str, Any],
        description: str | None = None,
        message: str | None = None,
    ) -> Json:
        """The new saved target; its `ref` is what a run names. docs/targets.md says what `config`
        holds.
        """
        body = {"name": name, "kind": kind, "transport": transport, "config": dict(config)}
        body |= given(description=description, message=message)
        return self._connection.object("POST", "/targets", json=body)

    def update_target(
        self,
        target: str,
        *,
        name: str | None = None,
        config: Mapping[str, Any] | None = None,
        description: str | None = None,
        message: str | None = None,
    ) -> Json:
        """The changed target; another `config` is a new version. What is None stays."""
        body = given(name=name, description=description, message=message)
        if config is not None:
            body["config"] = dict(config)
        return self._connection.object("PUT", _path("targets", target), json=body)

    def delete_target(self, target: str) -> None:
        """Hide a saved target. Its runs stay readable."""
        self._connection.call("DELETE", _path("targets", target))

    def list_target_versions(self, target: str) -> Iterator[Json]:
        """`{version, config, message, author, created_at}` of a saved target, newest first."""
        return self._connection.pages(f"{_path('targets', target)}/versions")

    def test_target(
        self,
        target: str,
        input: Any,
        *,
        expected_output: Any = NO_OUTPUT_EXPECTED,
        context: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Json:
        """`{id, status}` of a test of any target; see `wait_for_trial`, whose `spans` then hold
        request and response. `timeout` is in seconds, for the one call.
        """
        body = trial_body(input, expected_output, context, metadata, timeout)
        return self._connection.object("POST", f"{_path('targets', target)}/check", json=body)

    def list_recordings(self) -> Iterator[Json]:
        """Uploaded outputs, newest first: `{ref, id, name, key_field, rows, ...}`."""
        return self._connection.pages("/recordings")

    def upload_recording(
        self,
        path: str | os.PathLike[str],
        *,
        name: str,
        key_column: str,
        output_column: str,
        key_field: str | None = None,
        read_as: str | None = None,
    ) -> Json:
        """The recording made of a CSV, TSV, JSONL or JSON file; its `ref` is what a run names.

        The key is an item's "number" or its "external_id" (`key_field`); outputs are read as "text"
        or "json". All rows are taken, or none. Raises OSError when the file cannot be read.
        """
        data = {"name": name, "key_column": key_column, "output_column": output_column}
        data |= given(key_field=key_field, read_as=read_as)
        with Path(path).open("rb") as file:
            files = {"file": (Path(path).name, file, "application/octet-stream")}
            return self._connection.object("POST", "/recordings", data=data, files=files)

    def delete_recording(self, recording: str) -> None:
        """Remove a recording. An ApiError with status 409 while a saved target reads it."""
        self._connection.call("DELETE", _path("recordings", recording))


def _path(collection: str, id: str) -> str:
    return f"/{collection}/{segment(id)}"
