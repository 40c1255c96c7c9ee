"""What a client can do with the notes on an item; a part of `Client`."""

from __future__ import annotations

from collections.abc import Iterator

from evalhub_client.connection import Connection, Json, segment
from evalhub_client.runs import dataset_path


class NoteMethods:
    """The methods of `Client` that speak of notes."""

    _connection: Connection

    def list_notes(self, dataset: str, item: int) -> Iterator[Json]:
        """`{id, text, author, created_at}` of what people wrote on an item, oldest first.

        They belong to the item in all its versions. `author` is None when the user is gone.
        """
        return self._connection.pages(_notes(dataset, item))

    def add_note(self, dataset: str, item: int, text: str) -> Json:
        """The new note: plain text, at most 2,000 characters. An archived dataset takes it too."""
        return self._connection.object("POST", _notes(dataset, item), json={"text": text})

    def delete_note(self, dataset: str, item: int, note: int) -> None:
        """Delete a note for good: one's own, or as an admin of the project anybody's."""
        self._connection.call("DELETE", f"{_notes(dataset, item)}/{segment(note)}")


def _notes(dataset: str, item: int) -> str:
    return f"{dataset_path(dataset)}/items/{segment(item)}/notes"
