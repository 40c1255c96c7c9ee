"""Changing many items at once; a part of `Client`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from evalhub_client import waiting
from evalhub_client.connection import Connection, Json, segment
from evalhub_client.runs import dataset_path, given


class BulkMethods:
    """The methods of `Client` that change many items as one version, and follow their jobs."""

    _connection: Connection

    def bulk_items(
        self,
        dataset: str,
        action: Mapping[str, Any],
        *,
        where: str = "",
        q: str = "",
        split: str = "",
        numbers: Sequence[int] = (),
        except_numbers: Sequence[int] = (),
        everything: bool = False,
        version: int | None = None,
        message: str = "",
        idempotency_key: str | None = None,
    ) -> Json:
        """Do one action to all items that match, or to those with the given numbers.

        `action` is `{"type": "set_split", "split"}`, `{"type": "add_tags" | "remove_tags",
        "tags"}`, `{"type": "delete"}`, `{"type": "copy_to", "dataset" | "new_dataset",
        "on_conflict"?}` or `{"type": "move_to", "dataset" | "new_dataset"}`. Every item is meant
        only with `everything`. With `version`, items that changed since are a conflict (409).

        Gives `{dataset, version, job, added, changed, removed, there, skipped}`; with a `job` the
        work goes on in the background, see `wait_for_job`.
        """
        selection: Json = given(version=version) | {
            name: text for name, text in (("where", where), ("q", q), ("split", split)) if text
        }
        if numbers:
            selection["numbers"] = list(numbers)
        if except_numbers:
            selection["except"] = list(except_numbers)
        if everything:
            selection["all"] = True
        body = {"selection": selection, "action": dict(action)} | given(message=message or None)
        return self._once(f"{dataset_path(dataset)}/items/bulk", body, idempotency_key)

    def batch_items(
        self,
        dataset: str,
        *,
        add: Iterable[Mapping[str, Any]] = (),
        update: Iterable[Mapping[str, Any]] = (),
        delete: Iterable[int | Mapping[str, Any]] = (),
        message: str = "",
        idempotency_key: str | None = None,
    ) -> Json:
        """Different changes as one version, or none of them when one is refused.

        An update names the item's `number`, the fields that change and, to be sure, the `revision`
        that was read; a deletion is a number or `{number, revision}`. Gives `{version, numbers,
        added, changed, removed}`, `numbers` being those of the added items in order.
        """
        body: Json = given(message=message or None)
        for name, changes in (("add", add), ("update", update), ("delete", delete)):
            listed = [one if isinstance(one, int) else dict(one) for one in changes]
            if listed:
                body[name] = listed
        return self._once(f"{dataset_path(dataset)}/items/batch", body, idempotency_key)

    def undo_version(
        self, dataset: str, version: int, *, message: str = "", idempotency_key: str | None = None
    ) -> Json:
        """Reverse exactly what that version changed, as a new version.

        The answer is that of `bulk_items`. An ApiError with status 409 says which items have
        changed since.
        """
        path = f"{dataset_path(dataset)}/versions/{segment(version)}/undo"
        return self._once(path, given(message=message or None), idempotency_key)

    def get_job(self, job_id: str) -> Json:
        """`{id, dataset, kind, state, active, done, total, version, problems, message, ...}`."""
        return self._connection.object("GET", f"/jobs/{segment(job_id)}")

    def cancel_job(self, job_id: str) -> Json:
        """The job on its way to cancelled: nothing of it stays."""
        return self._connection.object("POST", f"/jobs/{segment(job_id)}/cancel")

    def wait_for_job(
        self,
        job_id: str,
        *,
        timeout: float | None = None,
        on_poll: Callable[[Json], None] | None = None,
    ) -> Json:
        """The job once it has ended: `state` is "done", "failed" or "cancelled".

        `on_poll` gets the job each time it is asked for. Raises WaitTimeout after `timeout`
        seconds.
        """
        return waiting.wait(lambda: self.get_job(job_id), waiting.import_ended, timeout, on_poll)

    def _once(self, path: str, body: Json, key: str | None) -> Json:
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return self._connection.object("POST", path, json=body, headers=headers)
