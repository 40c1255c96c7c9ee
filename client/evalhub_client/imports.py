"""The client's methods about imports."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evalhub_client import waiting
from evalhub_client.connection import Connection, Json, segment
from evalhub_client.runs import dataset_path, given


class ImportMethods:
    """Part of Client."""

    _connection: Connection

    def import_file(
        self,
        dataset: str,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        has_header: bool | None = None,
        member: str | None = None,
        input: Sequence[str] = (),
        expected: Sequence[str] = (),
        metadata: Sequence[str] = (),
        external_id: str | None = None,
        columns: Sequence[Mapping[str, Any]] = (),
        rest: str = "ignore",
        known_by: str | None = None,
        known_are: str | None = None,
        on_error: str = "skip",
        apply: bool = True,
    ) -> Json:
        """The import of a CSV, TSV, JSON, JSONL or Parquet file, plain or packed (gzip or zip; of
        several files in a zip archive, `member`), sent from the disk piece by piece.

        `input`, `expected` and `metadata` name columns, `columns` are entries such as `{column,
        destination, key?, read_as?}`; without any the server proposes the mapping. `rest` ("ignore"
        or "metadata") is where other columns go. Rows may be known by "external_id" or "content"
        (`known_by`), and then they are left out, refused, or update their items: `known_are` is
        "skip", "refuse" or "update". `on_error` ("skip" or "abort") is what a bad row does. It runs
        in the background: see `wait_for_import`. With `apply` False it is only staged. Raises
        OSError when the file cannot be read.
        """
        options = given(
            format=format,
            encoding=encoding,
            delimiter=delimiter,
            has_header=has_header,
            member=member,
            external_id=external_id,
            known_by=known_by,
            known_are=known_are,
        ) | {"rest": rest, "on_error": on_error, "apply": apply}
        for name, listed in (("input", input), ("expected", expected), ("metadata", metadata)):
            if listed:
                options[name] = list(listed)
        if columns:
            options["columns"] = [dict(one) for one in columns]
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            return self._connection.object(
                "POST",
                f"{dataset_path(dataset)}/imports",
                data={"options": json.dumps(options)},
                files={"file": (Path(path).name, file, "application/octet-stream")},
                timeout=self._connection.patience(size),
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

    def read_import(self, import_id: str, **reading: Any) -> Json:
        """The staged import, read another way: `format`, `encoding`, `delimiter`, `has_header`."""
        path = f"/imports/{segment(import_id)}/reading"
        return self._connection.object("PUT", path, json=given(**reading))

    def map_import(self, import_id: str, **mapping: Any) -> Json:
        """The staged import with another mapping, given as in `import_file`."""
        path = f"/imports/{segment(import_id)}/mapping"
        return self._connection.object("PUT", path, json=given(**mapping))

    def preview_import(self, import_id: str, rows: int = 3) -> list[Json]:
        """The first rows: `{line, item, problem}`, the item or what is wrong with the row."""
        path = f"/imports/{segment(import_id)}/preview"
        found = self._connection.object("GET", path, params={"rows": rows})
        previews: list[Json] = found["rows"]
        return previews

    def check_import(self, import_id: str) -> Json:
        """The import while all its rows are checked; nothing is written."""
        return self._connection.object("POST", f"/imports/{segment(import_id)}/check")

    def apply_import(self, import_id: str, *, on_error: str = "skip") -> Json:
        """The import on its way to be the dataset's next version."""
        path = f"/imports/{segment(import_id)}/apply"
        return self._connection.object("POST", path, json={"on_error": on_error})

    def cancel_import(self, import_id: str) -> Json:
        """The import on its way to cancelled: none of its rows stay."""
        return self._connection.object("POST", f"/imports/{segment(import_id)}/cancel")

    def import_problems(self, import_id: str) -> Iterator[str]:
        """The lines of a CSV file with every bad row, its line number and the reason."""
        return self._connection.lines(f"/imports/{segment(import_id)}/problems")

    def save_import_problems(self, import_id: str, path: str | os.PathLike[str]) -> None:
        """Write that CSV file to `path`, as it is. Raises OSError when it cannot be written."""
        self._save(f"/imports/{segment(import_id)}/problems", path)

    def save_rows_to_mend(self, import_id: str, path: str | os.PathLike[str]) -> None:
        """Write the bad rows of a CSV or TSV file in its own columns, to be mended and imported.

        Raises OSError when `path` cannot be written.
        """
        self._save(f"/imports/{segment(import_id)}/rows-to-mend", path)

    def _save(self, address: str, path: str | os.PathLike[str]) -> None:
        pieces = self._connection.pieces(address, params={})
        with Path(path).open("wb") as file:
            file.writelines(pieces)

    def wait_for_import(
        self,
        import_id: str,
        *,
        timeout: float | None = None,
        on_poll: Callable[[Json], None] | None = None,
    ) -> Json:
        """The import once it has ended: `state` is "checked", "done", "failed" or "cancelled".

        `on_poll` gets the import each time it is asked for. Raises WaitTimeout after `timeout`
        seconds.
        """
        return waiting.wait(
            lambda: self.get_import(import_id), waiting.import_ended, timeout, on_poll
        )
