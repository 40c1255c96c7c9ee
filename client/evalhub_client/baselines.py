"""What a client can do with the baseline of a dataset; a part of `Client`."""

from __future__ import annotations

from evalhub_client.connection import Connection, Json, segment


class BaselineMethods:
    """The methods of `Client` that speak of baselines."""

    _connection: Connection

    def get_baseline(self, dataset: str) -> Json:
        """`{dataset, run, id, name}` of the run that others are compared with; nulls without
        one."""
        return self._connection.object("GET", _path(dataset))

    def set_baseline(self, dataset: str, run: int | str | None) -> Json:
        """The baseline as it is then; None for no baseline."""
        return self._connection.object("PUT", _path(dataset), json={"run": run})

    def get_change(self, run: int | str) -> Json:
        """`{baseline, scorers}`: what a run changed against its dataset's baseline."""
        return self._connection.object("GET", f"/datasets/runs/{segment(run)}/change")


def _path(dataset: str) -> str:
    return f"/datasets/{segment(dataset)}/baseline"
