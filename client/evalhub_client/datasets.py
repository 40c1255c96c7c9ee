"""What a client can do with a whole dataset; a part of `Client`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evalhub_client.connection import Connection, Json
from evalhub_client.runs import dataset_path, given


class DatasetMethods:
    """The methods of `Client` that export a dataset or act on all of it."""

    _connection: Connection

    def export_dataset(
        self,
        dataset: str,
        *,
        format: str = "jsonl",
        version: int | None = None,
        q: str = "",
        where: str = "",
        split: str = "",
        numbers: str = "",
    ) -> Iterator[bytes]:
        """The items as a file in "csv", "json" or "jsonl", piece by piece, in number order.

        An import takes it back without loss. `q`, `where` and `split` keep what matches, `numbers`
        the items so numbered ("1-50,60"). An export that breaks off raises ServerNotReached.
        """
        params = {
            "format": format,
            "version": version,
            "q": q,
            "where": where,
            "split": split,
            "numbers": numbers,
        }
        return self._connection.pieces(f"{dataset_path(dataset)}/export", params=params)

    def save_export(
        self, dataset: str, path: str | os.PathLike[str], *, format: str | None = None, **which: str
    ) -> int:
        """Write an export to `path`; returns its bytes. The format is that of the name's ending.

        `which` is as in `export_dataset`. The file appears only once all of it is there. Raises
        OSError when it cannot be written.
        """
        to = Path(path)
        kind = format or to.suffix.removeprefix(".").lower() or "jsonl"
        part = to.with_name(f"{to.name}.part")
        size = 0
        try:
            with part.open("wb") as file:
                for piece in self.export_dataset(dataset, format=kind, **which):  # type: ignore[arg-type]
                    size += file.write(piece)
            part.replace(to)
        finally:
            part.unlink(missing_ok=True)
        return size

    def duplicate_dataset(self, dataset: str, *, name: str = "") -> Json:
        """`{dataset, job}`: the new dataset with all that this one has now.

        `job` is None, or the id of the job that fills a large one; its `version` is 0 until then.
        """
        path = f"{dataset_path(dataset)}/duplicate"
        return self._connection.object("POST", path, json={"name": name})

    def archive_dataset(self, dataset: str) -> Json:
        """The dataset, read-only from now on and out of the list."""
        return self._act(dataset, "archive")

    def unarchive_dataset(self, dataset: str) -> Json:
        """The dataset, back among the others."""
        return self._act(dataset, "unarchive")

    def pin_dataset(self, dataset: str) -> Json:
        """The dataset, first in the lists of everybody in the project."""
        return self._act(dataset, "pin")

    def unpin_dataset(self, dataset: str) -> Json:
        """The dataset, where its last change puts it."""
        return self._act(dataset, "unpin")

    def get_defaults(self, dataset: str) -> Json:
        """`{target, scorers, cluster_field}` that runs of the dataset use when they name none."""
        return self._connection.object("GET", f"{dataset_path(dataset)}/defaults")

    def set_defaults(
        self,
        dataset: str,
        *,
        target: str | None = None,
        scorers: Sequence[str | Mapping[str, Any]] | None = None,
        cluster_field: str | None = None,
    ) -> Json:
        """The defaults as they are then. None leaves a part, an empty one takes it away."""
        body = given(target=target, scorers=scorers, cluster_field=cluster_field)
        return self._connection.object("PUT", f"{dataset_path(dataset)}/defaults", json=body)

    def _act(self, dataset: str, act: str) -> Json:
        return self._connection.object("POST", f"{dataset_path(dataset)}/{act}")
