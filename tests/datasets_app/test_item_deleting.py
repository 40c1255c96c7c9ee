"""The page that deletes an item."""

from __future__ import annotations

from datasets_app.actions.items import current_item
from datasets_app.models import Dataset
from evalhub.access.models import User
from tests.datasets_app.pages import ClientFor, change, url


def test_deleting_an_item_asks_first_and_older_versions_keep_it(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    asked = client.get(url("item_delete", dataset, 2))
    assert "Delete item 0002?" in asked.content.decode()
    assert current_item(dataset, 2)
    done = client.post(
        url("item_delete", dataset, 2), {"revision": str(current_item(dataset, 2).pk)}
    )
    assert done["Location"] == url("detail", dataset)
    assert client.get(url("item", dataset, 2)).status_code == 404
    assert client.get(url("item", dataset, 2) + "?v=1").status_code == 200


def test_deleting_an_item_that_changed_meanwhile_is_refused(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    read = current_item(dataset, 2).pk
    change(dataset, 2, editor, input="new", external_id="q-2")
    response = client_for(editor).post(url("item_delete", dataset, 2), {"revision": str(read)})
    assert response.status_code == 409
    assert current_item(dataset, 2).input == "new"
