"""Changing many items by the API."""

from __future__ import annotations

from typing import Any

import pytest

from datasets_app.actions import add_items
from datasets_app.actions import bulk as bulk_actions
from datasets_app.api_bulk import BatchAnswer, BulkAnswer
from datasets_app.api_jobs import JobAnswer
from datasets_app.bulk import job
from datasets_app.items import parse_item
from datasets_app.models import Dataset, DatasetJob
from evalhub.access.models import User
from tests.api.client import Api, assert_described, assert_problem
from tests.factories import make_dataset, make_project

pytestmark = [pytest.mark.db, pytest.mark.django_db]

BULK, BATCH = "/datasets/sums/items/bulk", "/datasets/sums/items/batch"
TO_TEST = {"type": "set_split", "split": "test"}


def bulk(api: Api, selection: Any, action: Any = TO_TEST, **options: Any) -> Any:
    return api.post(BULK, {"selection": selection, "action": action}, **options)


def test_an_action_on_a_query_is_one_version_and_can_be_undone(api: Api, dataset: Dataset) -> None:
    done = bulk(api, {"where": 'metadata.topic = "sum"'})
    assert done.status_code == 200
    assert_described(BulkAnswer, done.json())
    assert (done.json()["version"], done.json()["changed"]) == (2, 1)
    assert api.get("/datasets/sums/items/1").json()["split"] == "test"
    undone = api.post("/datasets/sums/versions/2/undo", {})
    assert (undone.json()["version"], undone.json()["changed"]) == (3, 1)
    assert api.get("/datasets/sums/items/1").json()["split"] == ""
    newest = api.get("/datasets/sums/versions").json()["items"][0]
    assert newest["message"] == "Undo v2: Set the split of 1 item to test"


def test_the_same_request_again_is_answered_again_and_done_once(api: Api, dataset: Dataset) -> None:
    first = bulk(api, {"numbers": [1]}, {"type": "delete"}, key="k1")
    again = bulk(api, {"numbers": [1]}, {"type": "delete"}, key="k1")
    assert again.json() == first.json()
    body = {"update": [{"number": 2, "tags": ["a"]}], "add": [{"input": "n"}]}
    made = api.post(BATCH, body, key="k2")
    assert api.post(BATCH, body, key="k2").json() == made.json()
    assert api.get("/datasets/sums").json()["version"] == 3


def test_a_batch_merges_changes_into_items(api: Api, dataset: Dataset) -> None:
    revision = api.get("/datasets/sums/items/1").json()["revision"]
    body = {
        "add": [{"input": "new"}],
        "update": [
            {"number": 1, "revision": revision, "tags": ["hard"], "remove": ["expected_output"]},
            {"number": 2, "split": "test"},
        ],
        "delete": [3],
        "message": "Tidy",
    }
    done = api.post(BATCH, body)
    assert done.status_code == 200
    assert_described(BatchAnswer, done.json())
    assert done.json() == {"version": 2, "numbers": [4], "added": 1, "changed": 2, "removed": 1}
    first = api.get("/datasets/sums/items/1").json()
    assert (first["tags"], first["metadata"]) == (["hard"], {"topic": "sum"})
    assert "expected_output" not in first
    stale = assert_problem(api.post(BATCH, body), 404, "/delete/0/number")
    assert stale["detail"].startswith("There is no item #3 in Sums.")
    del body["delete"]
    assert_problem(api.post(BATCH, body), 409, "/update/0/revision")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, [""]),
        ({"add": {}}, ["/add"]),
        ({"insert": []}, ["/insert"]),
        ({"add": [{}], "delete": ["1"]}, ["/add/0/input", "/delete/0"]),
        ({"update": [{"number": 1, "remove": ["input"]}]}, ["/update/0/remove/0"]),
        ({"update": [{"number": 1, "tags": "x"}, {}]}, ["/update/1", "/update/0/tags"]),
        ({"delete": [{"number": 1, "revision": "x"}]}, ["/delete/0/revision"]),
    ],
)
def test_a_batch_with_faults_names_every_one(
    body: Any, pointers: list[str], api: Api, dataset: Dataset
) -> None:
    assert_problem(api.post(BATCH, body), 422, *pointers)
    dataset.refresh_from_db()
    assert dataset.version == 1


def test_what_cannot_be_understood_is_refused_with_its_place(api: Api, dataset: Dataset) -> None:
    assert_problem(bulk(api, {}), 422, "/selection")
    assert_problem(bulk(api, {"all": True}, {"type": "x"}), 422, "/action/type")
    problem = assert_problem(bulk(api, {"where": "split = "}), 422, "/where")
    assert problem["position"] == 7


def test_copies_that_are_left_out_are_listed(api: Api, dataset: Dataset, owner: User) -> None:
    other = make_dataset(dataset.project, owner, [], name="Other")
    taken = parse_item({"input": "x", "external_id": "q-2"})
    add_items(dataset=other, contents=[taken], by=owner)
    copy = {"type": "copy_to", "dataset": "other"}
    assert_problem(bulk(api, {"all": True}, copy), 409, "/items/2/external_id")
    done = bulk(api, {"all": True}, copy | {"on_conflict": "skip"}).json()
    assert (done["dataset"], done["version"], done["added"]) == ("other", 2, 2)
    assert [one["pointer"] for one in done["skipped"]] == ["/items/2/external_id"]


def test_a_dataset_of_others_is_no_target(api: Api, dataset: Dataset, stranger: User) -> None:
    make_dataset(make_project(stranger), stranger, [{"input": 1}], name="Foreign")
    assert_problem(bulk(api, {"all": True}, {"type": "copy_to", "dataset": "foreign"}), 404)


def test_many_items_are_a_job_that_is_followed_and_cancelled(
    api: Api, viewer_api: Api, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_actions, "INLINE_ITEMS", 2)
    begun = bulk(api, {"all": True}, {"type": "delete"})
    assert begun.status_code == 202
    found = begun.json()["job"]
    assert_described(JobAnswer, found)
    assert (found["kind"], found["state"], found["version"]) == ("delete", "working", None)
    assert_problem(api.post("/datasets/sums/items", {"input": "x"}), 409)
    assert_problem(viewer_api.post(f"/jobs/{found['id']}/cancel"), 403)
    assert api.post(f"/jobs/{found['id']}/cancel").json()["state"] == "cancelled"
    begun = bulk(api, {"all": True}, {"type": "delete"})
    job.work(DatasetJob.objects.get(uuid=begun.json()["job"]["id"]).pk)
    done = viewer_api.get(f"/jobs/{begun.json()['job']['id']}").json()
    assert (done["state"], done["version"], done["removed"]) == ("done", 2, 3)
    assert_problem(api.get("/jobs/none"), 404)


def test_a_viewer_changes_nothing(viewer_api: Api, dataset: Dataset) -> None:
    assert_problem(bulk(viewer_api, {"all": True}), 403)
    assert_problem(viewer_api.post(BATCH, {"delete": [1]}), 403)
    assert_problem(viewer_api.post("/datasets/sums/versions/1/undo", {}), 403)
