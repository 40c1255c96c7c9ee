"""What a client can do with items; a part of `Client`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from evalhub_client.connection import Connection, Json, segment
from evalhub_client.runs import dataset_path, given


class ItemMethods:
    """The methods of `Client` that speak of items."""

    _connection: Connection

    def list_items(
        self,
        dataset: str,
        *,
        version: int | None = None,
        q: str = "",
        where: str = "",
        split: str = "",
        sort: str = "number",
    ) -> Iterator[Json]:
        """Items as they were at `version` (None: now), in the order of their numbers.

        `q` keeps those with that text in input, expected output, metadata or external id, `where`
        those that pass a filter such as `metadata.topic in ("percent", "rate")`, `split` those of
        one split. `sort` may also be "-number", "changed" (last changed first), "external_id" or
        "split".
        """
        params = {"version": version, "q": q, "where": where, "split": split, "sort": sort}
        return self._connection.pages(f"{dataset_path(dataset)}/items", params=params)

    def get_item(self, dataset: str, item: int, *, version: int | None = None) -> Json:
        """`{number, revision, version, input, expected_output?, metadata, ...}`, as it was at
        `version` (None: now).

        `expected_output` is missing when the item has none; None is JSON null.
        """
        return self._connection.object("GET", _item(dataset, item), params=given(version=version))

    def add_item(self, dataset: str, item: Mapping[str, Any]) -> Json:
        """`{numbers: [n], version}` of the one added item. `input` is the one part it must have."""
        return self._connection.object("POST", f"{dataset_path(dataset)}/items", json=dict(item))

    def add_items(
        self, dataset: str, items: Iterable[Mapping[str, Any]], *, message: str = ""
    ) -> Json:
        """`{numbers, version}`: all items as one version, or none when one is refused."""
        body = {"items": [dict(item) for item in items], **given(message=message or None)}
        return self._connection.object("POST", f"{dataset_path(dataset)}/items", json=body)

    def update_item(
        self, dataset: str, item: int, changes: Mapping[str, Any], *, revision: int
    ) -> Json:
        """Change the fields in `changes`, leave the others.

        `revision` is that of the item as it was read. When somebody changed it since, an ApiError
        with status 409 carries in `extra` the current `item`, the `base` and `yours`.
        """
        body = {**changes, "revision": revision}
        return self._connection.object("PATCH", _item(dataset, item), json=body)

    def delete_item(self, dataset: str, item: int, *, revision: int | None = None) -> None:
        """Take the item out, as a new version. Older versions keep it.

        With `revision`, that of the item as it was read, only when nobody changed it since.
        """
        self._connection.call("DELETE", _item(dataset, item), params=given(revision=revision))

    def duplicate_item(
        self,
        dataset: str,
        item: int,
        *,
        to: str | None = None,
        version: int | None = None,
        message: str | None = None,
    ) -> Json:
        """`{dataset, number, version}` of a copy, in the dataset `to` or beside the item.

        The copy is of the item as it was at `version` (None: now). Beside it, it has no external
        id.
        """
        body = given(dataset=to, version=version, message=message)
        return self._connection.object("POST", f"{_item(dataset, item)}/duplicate", json=body)

    def list_item_history(self, dataset: str, item: int) -> Iterator[Json]:
        """`{version, deleted, changes, item}` of each revision, newest first.

        `changes` are `{path, before?, after?}` against the revision before.
        """
        return self._connection.pages(f"{_item(dataset, item)}/history")

    def restore_item(
        self,
        dataset: str,
        item: int,
        *,
        revision: int,
        current: int | None = None,
        message: str | None = None,
    ) -> Json:
        """The item with the content of that `revision` again; a deleted item comes back.

        With `current`, the newest revision of its history that is known, only when there is none
        after it.
        """
        body = given(revision=revision, current=current, message=message)
        return self._connection.object("POST", f"{_item(dataset, item)}/restore", json=body)

    def purge_item(self, dataset: str, item: int) -> Json:
        """`{number, revisions}`: what the item said is gone from all versions and from results.

        This cannot be undone.
        """
        return self._connection.object(
            "POST", f"{_item(dataset, item)}/purge", json={"confirm": True}
        )


def _item(dataset: str, item: int) -> str:
    return f"{dataset_path(dataset)}/items/{segment(item)}"
