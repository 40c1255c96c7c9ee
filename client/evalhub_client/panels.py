"""Figures of a run beyond its summary; a part of `Client`."""

from __future__ import annotations

from evalhub_client.connection import Connection, Json, segment


class PanelMethods:
    """The methods of `Client` that give a run's further figures."""

    _connection: Connection

    def get_classes(self, run: int | str, *, field: str = "") -> Json:
        """`{fields, field, figures, errors, left_out}`: accuracy, precision, recall, F1 and the
        confusion matrix where outputs are classes; `figures` is None where they are not."""
        path = f"/datasets/runs/{segment(run)}/classes"
        return self._connection.object("GET", path, params={"field": field} if field else None)

    def get_calibration(self, run: int | str) -> Json:
        """`{n, agreement, closeness, disagreements, ...}`: how far a scorer under test agrees with
        people's labels, the expected outputs; `n` is 0 for other runs."""
        return self._connection.object("GET", f"/datasets/runs/{segment(run)}/calibration")
