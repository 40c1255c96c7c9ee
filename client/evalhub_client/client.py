"""The client: a method for each thing the API does. Some are in `runs.py`, `targets.py` and
`trials.py`.

Answers are the API's JSON as dictionaries. Methods named `list_...` are iterators over all entries
and ask for the next page when they need it. Every method may raise ApiError (the server refused,
or failed) and ServerNotReached. A dataset is named by its slug or uuid, an item by its number, a
run by its number in the project or its uuid.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from evalhub_client import waiting
from evalhub_client.bulk import BulkMethods
from evalhub_client.connection import Connection, Json, segment
from evalhub_client.datasets import DatasetMethods
from evalhub_client.items import ItemMethods
from evalhub_client.runs import RunMethods, dataset_path, given
from evalhub_client.targets import TargetMethods
from evalhub_client.trials import TrialMethods
from evalhub_client.versions import VersionMethods

if TYPE_CHECKING:
    import httpx


class Client(
    BulkMethods,
    DatasetMethods,
    ItemMethods,
    RunMethods,
    TargetMethods,
    TrialMethods,
    VersionMethods,
):
    """A connection to one project of an evalhub server. Use it in a `with`, or call `close`.

    `token` is an API token; it belongs to a project. `timeout` is in seconds, for connecting and
    for each silence within an answer. `project` (a slug) counts only with a `transport` that
    enters an application in this process, where there is no token to say it.
    """

    def __init__(
        self,
        base_url: str,
        token: str = "",
        *,
        transport: httpx.BaseTransport | None = None,
        project: str | None = None,
        timeout: float = 60.0,
    ) -> None:
        self._connection = Connection(
            base_url, token, transport=transport, project=project, timeout=timeout
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        return self._connection.base_url

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def me(self) -> Json:
        """`{user, project: {slug, name}, role}` of the token."""
        return self._connection.object("GET", "/me")

    # Datasets

    def list_datasets(self, *, archived: bool = False) -> Iterator[Json]:
        """The project's datasets: `{id, uuid, name, description, tags, version, item_count, ...}`.

        With `archived` those in the archive instead.
        """
        return self._connection.pages("/datasets", params={"archived": "true"} if archived else {})

    def create_dataset(
        self, name: str, *, description: str = "", slug: str = "", tags: Sequence[str] = ()
    ) -> Json:
        """The new, empty dataset. Its `id` is the slug, made from the name unless given."""
        body = {"name": name, "description": description, **given(slug=slug or None)}
        return self._connection.object(
            "POST", "/datasets", json=body | ({"tags": list(tags)} if tags else {})
        )

    def get_dataset(self, dataset: str) -> Json:
        """The dataset at its current version."""
        return self._connection.object("GET", dataset_path(dataset))

    def update_dataset(
        self,
        dataset: str,
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> Json:
        """The dataset with another name, description or tags; None leaves them. The slug stays."""
        body = given(name=name, description=description, tags=None if tags is None else list(tags))
        return self._connection.object("PUT", dataset_path(dataset), json=body)

    def delete_dataset(self, dataset: str) -> None:
        """Hide the dataset. Its runs stay readable."""
        self._connection.call("DELETE", dataset_path(dataset))

    # Import

    def import_file(
        self,
        dataset: str,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        has_header: bool | None = None,
        input: Sequence[str] = (),
        expected: Sequence[str] = (),
        metadata: Sequence[str] = (),
        external_id: str | None = None,
        rest: str = "ignore",
        on_error: str = "skip",
        apply: bool = True,
    ) -> Json:
        """The import of a CSV, TSV or JSONL file, sent from the disk piece by piece.

        `input`, `expected` and `metadata` name columns; without `input` the server guesses all of
        the mapping. `rest` ("ignore" or "metadata") is where other columns go, `on_error` ("skip"
        or "abort") what a bad row does. It runs in the background: see `wait_for_import`. With
        `apply` False it is only staged. Raises OSError when the file cannot be read.
        """
        options = given(
            format=format,
            encoding=encoding,
            delimiter=delimiter,
            has_header=has_header,
            external_id=external_id,
        ) | {"rest": rest, "on_error": on_error, "apply": apply}
        for name, columns in (("input", input), ("expected", expected), ("metadata", metadata)):
            if columns:
                options[name] = list(columns)
        with Path(path).open("rb") as file:
            return self._connection.object(
                "POST",
                f"{dataset_path(dataset)}/imports",
                data={"options": json.dumps(options)},
                files={"file": (Path(path).name, file, "application/octet-stream")},
            )

    def get_import(self, import_id: str) -> Json:
        """`{id, state, active, rows_done, rows_good, rows_bad, share_done, problems, version,
        ...}`.

        `problems` are groups with a count and their first examples; `version` is set once it is
        done.
        """
        return self._connection.object("GET", f"/imports/{segment(import_id)}")

    def list_imports(self, dataset: str) -> Iterator[Json]:
        """The dataset's imports, newest first; `active` are those that have work left."""
        return self._connection.pages(f"{dataset_path(dataset)}/imports")

    def cancel_import(self, import_id: str) -> Json:
        """The import on its way to cancelled: none of its rows stay."""
        return self._connection.object("POST", f"/imports/{segment(import_id)}/cancel")

    def import_problems(self, import_id: str) -> Iterator[str]:
        """The lines of a CSV file with every bad row, its line number and the reason."""
        return self._connection.lines(f"/imports/{segment(import_id)}/problems")

    def wait_for_import(
        self,
        import_id: str,
        *,
        timeout: float | None = None,
        on_poll: Callable[[Json], None] | None = None,
    ) -> Json:
        """The import once it has ended: `state` is "done", "failed" or "cancelled".

        `on_poll` gets the import each time it is asked for. Raises WaitTimeout after `timeout`
        seconds.
        """
        return waiting.wait(
            lambda: self.get_import(import_id), waiting.import_ended, timeout, on_poll
        )

    # What there is to use

    def list_scorers(self) -> Iterator[Json]:
        """Scorers that a run can use: `{use, label, description, kind, params}`."""
        return self._connection.pages("/scorers")

    def list_workers(self) -> Json:
        """`{alive, workers: [{name, pid, seconds_ago}]}`: who is there to do the work."""
        return self._connection.object("GET", "/workers")
