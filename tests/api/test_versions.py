"""Versions, differences and schemas over the API."""

from __future__ import annotations

import pytest

from datasets_app.actions.history import update_version
from datasets_app.models import Dataset
from evalhub.access.models import User
from tests.api.client import Api, assert_problem
from tests.datasets_app.pages import change, many

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("evalhub.kit.dispatch", "datasets_app.leased_job"):
        monkeypatch.setattr(f"{module}.wake_now", lambda *args: None)


def test_a_version_is_read_by_number_and_by_label_and_changed(
    api: Api, dataset: Dataset, owner: User
) -> None:
    path = f"/datasets/{dataset.slug}/versions"
    changed = api.patch(f"{path}/v1", {"label": "gold", "message": "The first"}).json()
    assert (changed["label"], changed["message"], changed["origin"]) == (
        "gold",
        "The first",
        "edit",
    )
    assert api.get(f"{path}/gold").json() == api.get(f"{path}/1").json() == changed
    assert api.get(path).json()["items"][0]["label"] == "gold"
    many(dataset, 1, owner)
    assert_problem(api.patch(f"{path}/2", {"label": "gold"}), 409, "/label")
    assert_problem(api.get(f"{path}/3"), 404)
    assert_problem(api.patch(f"{path}/1", {"labels": "x"}), 422, "/labels")


def test_a_diff_is_paged_by_cursor_and_tells_the_fields(
    api: Api, dataset: Dataset, owner: User
) -> None:
    change(dataset, 2, owner, input={"question": "3 + 3"}, external_id="q-2")
    many(dataset, 2, owner)
    update_version(dataset=dataset, number=1, by=owner, label="start")
    path = f"/datasets/{dataset.slug}/diff?from=start&limit=2"
    first = api.get(path).json()
    assert (first["from"], first["to"]) == (1, 3)
    assert first["counts"] == {"added": 2, "changed": 1, "removed": 0, "exact": True}
    changed, added = first["items"]
    assert changed["changes"] == [{"path": "input.question", "before": "2 + 2", "after": "3 + 3"}]
    assert (added["before"], added["after"]["number"]) == (None, 4)
    second = api.get(f"{path}&cursor={first['next_cursor']}").json()
    assert [row["number"] for row in second["items"]] == [5]
    assert second["next_cursor"] is None
    back = api.get(f"/datasets/{dataset.slug}/diff?from=3&to=1&kind=removed").json()
    assert [row["number"] for row in back["items"]] == [4, 5]


def test_a_version_is_restored(api: Api, dataset: Dataset, owner: User) -> None:
    change(dataset, 2, owner, input="other")
    path = f"/datasets/{dataset.slug}/versions"
    job = api.post(f"{path}/1/restore", {"message": "Back"}).json()
    assert (job["state"], job["version"], job["changed"]) == ("done", 3, 1)
    assert api.get(f"{path}/3").json()["origin"] == "restore"
    assert_problem(api.post(f"{path}/3/restore", {}), 409)


def test_schemas_are_put_read_and_refused_with_the_items_that_break_them(
    api: Api, dataset: Dataset
) -> None:
    path = f"/datasets/{dataset.slug}/schemas"
    inferred = api.get(f"{path}/inferred").json()
    assert inferred["input"]["type"] == ["object", "string"]
    body = {"input": inferred["input"], "metadata": {"type": "object"}}
    put = api.put(path, body).json()
    assert (put["version"], put["schemas"], put["job"]["state"]) == (2, body, "done")
    assert api.get(path).json()["schemas"] == body
    assert api.get(f"{path}?version=1").json()["schemas"] == {}
    assert api.get(f"/datasets/{dataset.slug}/versions/2").json()["schemas"] == body
    assert api.put(path, body).json()["job"] is None
    refused = api.put(path, {"input": {"type": "string"}})
    problem = assert_problem(refused, 422, "/items/2/input")
    assert problem["errors"] == [
        {
            "pointer": "/items/2/input",
            "detail": '{"question":"2 + 2"} is an object; text is needed.',
        }
    ]
    assert problem["kinds"] == {"wrong type": 1}
    file = api.get(problem["problems"].removeprefix("/api/v1"))
    assert b"2,q-2,/input,wrong type" in b"".join(file.streaming_content)
    assert_problem(api.put(path, {"input": {"type": "dict"}}), 422, "/input/type")


def test_an_item_that_breaks_the_schema_is_refused_with_pointers(
    api: Api, dataset: Dataset
) -> None:
    api.put(f"/datasets/{dataset.slug}/schemas", {"metadata": {"maxProperties": 1}})
    path = f"/datasets/{dataset.slug}/items"
    bad = {"input": 1, "metadata": {"a": 1, "b": 2}}
    assert_problem(api.post(path, {"items": [{"input": 1}, bad]}), 422, "/items/1/metadata")
    assert_problem(api.post(path, bad), 422, "/metadata")
    assert_problem(api.patch(f"{path}/1", {"metadata": bad["metadata"]}), 422, "/metadata")
