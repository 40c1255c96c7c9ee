"""The client: a method for each thing the API does. Some are in `runs.py`, `targets.py` and
`trials.py`.

Answers are the API's JSON as dictionaries. Methods named `list_...` are iterators over all entries
and ask for the next page when they need it. Every method may raise ApiError (the server refused,
or failed) and ServerNotReached. A dataset is named by its slug or uuid, an item by its number, a
run by its number in the project or its uuid.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from evalhub_client.baselines import BaselineMethods
from evalhub_client.bulk import BulkMethods
from evalhub_client.connection import Connection, Json
from evalhub_client.datasets import DatasetMethods
from evalhub_client.imports import ImportMethods
from evalhub_client.items import ItemMethods
from evalhub_client.notes import NoteMethods
from evalhub_client.panels import PanelMethods
from evalhub_client.runs import RunMethods, dataset_path, given
from evalhub_client.targets import TargetMethods
from evalhub_client.trials import TrialMethods
from evalhub_client.versions import VersionMethods

if TYPE_CHECKING:
    import httpx


class Client(
    BaselineMethods,
    BulkMethods,
    DatasetMethods,
    ImportMethods,
    ItemMethods,
    NoteMethods,
    PanelMethods,
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

    # What there is to use

    def list_scorers(self) -> Iterator[Json]:
        """Scorers that a run can use: `{use, label, description, kind, params}`."""
        return self._connection.pages("/scorers")

    def list_workers(self) -> Json:
        """`{alive, workers: [{name, pid, seconds_ago}]}`: who is there to do the work."""
        return self._connection.object("GET", "/workers")
