"""Versions and schemas of a dataset; a part of `Client`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from evalhub_client.connection import Connection, Json, segment
from evalhub_client.runs import dataset_path, given

Version = int | str
"""A version's number, or its label."""


class VersionMethods:
    """The methods of `Client` that speak of versions and schemas."""

    _connection: Connection

    def list_versions(self, dataset: str) -> Iterator[Json]:
        """Newest first: `{number, author, created_at, message, label, schema_fields, added,
        changed, removed, item_count}`."""
        return self._connection.pages(f"{dataset_path(dataset)}/versions")

    def get_version(self, dataset: str, version: Version) -> Json:
        """The same of one version, with its `origin` and `schemas`."""
        return self._connection.object("GET", _version(dataset, version))

    def update_version(
        self,
        dataset: str,
        version: Version,
        *,
        label: str | None = None,
        message: str | None = None,
    ) -> Json:
        """The version with another label ("" takes it away) or message; None leaves either.

        An ApiError with status 409 means that another version has the label.
        """
        body = given(label=label, message=message)
        return self._connection.object("PATCH", _version(dataset, version), json=body)

    def diff_versions(
        self, dataset: str, a: Version, b: Version | None = None, *, kind: str = ""
    ) -> Iterator[Json]:
        """Items that differ from version `a` to `b` (None: now), in the order of their numbers.

        Each is `{number, kind, before, after, changes}`; `kind` ("added", "changed" or "removed")
        keeps those alone. Version 0 has no items.
        """
        params = {"from": str(a), "to": "" if b is None else str(b), "kind": kind}
        return self._connection.pages(f"{dataset_path(dataset)}/diff", params=params)

    def count_diff(self, dataset: str, a: Version, b: Version | None = None) -> Json:
        """`{from, to, counts: {added, changed, removed, exact}}`; not `exact`: at least as many."""
        params = {"from": str(a), "limit": "1"} | ({} if b is None else {"to": str(b)})
        found = self._connection.object("GET", f"{dataset_path(dataset)}/diff", params=params)
        return {name: found[name] for name in ("from", "to", "counts")}

    def restore_version(self, dataset: str, version: Version, *, message: str = "") -> Json:
        """The job that makes the items what they were, as a new version; nothing is lost.

        It has ended already unless it is `active` (see `wait_for_job`). Its `version` is None when
        nothing differed.
        """
        path = f"{_version(dataset, version)}/restore"
        return self._connection.object("POST", path, json=given(message=message or None))

    def get_schemas(self, dataset: str, *, version: int | None = None) -> Json:
        """`{version, schemas, job}`: the JSON Schemas of input, expected_output and metadata."""
        params = given(version=version)
        return self._connection.object("GET", f"{dataset_path(dataset)}/schemas", params=params)

    def set_schemas(self, dataset: str, schemas: Mapping[str, Any], *, message: str = "") -> Json:
        """Let `schemas` (by field) hold from a new version on; a field that is left out has none.

        Every item is checked first: an ApiError with status 422 tells the first ten that do not
        match. The answer's `job` is None when nothing changed, and may still be `active`.
        """
        body = dict(schemas) | given(message=message or None)
        return self._connection.object("PUT", f"{dataset_path(dataset)}/schemas", json=body)

    def infer_schemas(self, dataset: str) -> Json:
        """Schemas by field that a sample of the current items keeps to; nothing is set."""
        return self._connection.object("GET", f"{dataset_path(dataset)}/schemas/inferred")

    def job_problems(self, job_id: str) -> Iterator[str]:
        """The lines of a CSV file with every item that breaks the schemas of a job."""
        return self._connection.lines(f"/jobs/{segment(job_id)}/problems")


def _version(dataset: str, version: Version) -> str:
    return f"{dataset_path(dataset)}/versions/{segment(version)}"
