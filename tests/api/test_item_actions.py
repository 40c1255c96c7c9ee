"""Copies, restored revisions, purges, and what a stale change is told."""

from __future__ import annotations

import pytest

from datasets_app.actions import create_dataset
from datasets_app.api_item_actions import CopyAnswer, PurgeAnswer
from datasets_app.schemas import HistoryAnswer, ItemAnswer
from tests.api.client import assert_described, assert_problem

pytestmark = pytest.mark.db

ITEMS = "/datasets/sums/items"


def test_a_stale_change_is_told_with_base_theirs_and_yours(api, dataset):
    read = api.get(f"{ITEMS}/1").json()["revision"]
    api.patch(f"{ITEMS}/1", {"expected_output": "theirs"})
    refused = api.patch(f"{ITEMS}/1", {"input": "mine", "remove": ["metadata"], "revision": read})
    problem = assert_problem(refused, 409)
    assert problem["item"]["expected_output"] == "theirs"
    assert problem["base"]["expected_output"] == "2"
    assert problem["yours"]["input"] == "mine"
    assert problem["yours"]["expected_output"] == "2"
    assert "metadata" not in problem["yours"]


def test_a_stale_deletion_is_told_with_the_item(api, dataset):
    problem = assert_problem(api.delete(f"{ITEMS}/1?revision=999999"), 409)
    assert problem["item"]["input"] == "1 + 1"


def test_a_taken_external_id_says_whose_it_is(api, dataset):
    changed = api.patch(f"{ITEMS}/1", {"external_id": "q-2"})
    assert assert_problem(changed, 409, "/external_id")["taken_by"] == 2
    added = api.post(ITEMS, {"input": "other", "external_id": "q-2"})
    assert assert_problem(added, 409, "/external_id")["taken_by"] == 2


def test_an_item_is_copied_beside_itself_once_for_a_key(api, dataset):
    first = api.post(f"{ITEMS}/2/duplicate", {}, key="once")
    again = api.post(f"{ITEMS}/2/duplicate", {}, key="once")
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json() == {"dataset": "sums", "number": 4, "version": 2}
    assert_described(CopyAnswer, first.json())
    copy = api.get(f"{ITEMS}/4").json()
    assert (copy["input"], copy["external_id"]) == ({"question": "2 + 2"}, None)
    assert_problem(api.post(f"{ITEMS}/9/duplicate", {}), 404)
    assert_problem(api.post(f"{ITEMS}/2/duplicate", {"dataset": "elsewhere"}), 404)


def test_an_old_state_of_an_item_is_copied_to_another_dataset(api, dataset, owner):
    create_dataset(project=dataset.project, name="Other", by=owner)
    api.patch(f"{ITEMS}/2", {"input": "new"})
    made = api.post(f"{ITEMS}/2/duplicate", {"dataset": "other", "version": 1}).json()
    assert made == {"dataset": "other", "number": 1, "version": 1}
    copy = api.get("/datasets/other/items/1").json()
    assert (copy["input"], copy["external_id"]) == ({"question": "2 + 2"}, "q-2")


def test_the_history_tells_each_changed_field_and_a_revision_comes_back(api, dataset):
    api.patch(f"{ITEMS}/1", {"metadata": {"level": 1}, "remove": ["expected_output"]})
    newest, first = api.get(f"{ITEMS}/1/history").json()["items"]
    assert_described(HistoryAnswer, newest)
    assert first["changes"] == []
    assert newest["changes"] == [
        {"path": "expected_output", "before": "2"},
        {"path": "metadata.topic", "before": "sum"},
        {"path": "metadata.level", "after": 1},
    ]
    body = {"revision": first["item"]["revision"], "current": newest["item"]["revision"]}
    restored = api.post(f"{ITEMS}/1/restore", body).json()
    assert_described(ItemAnswer, restored)
    assert (restored["version"], restored["expected_output"]) == (3, "2")
    assert_problem(api.post(f"{ITEMS}/1/restore", body), 409)
    assert_problem(api.post(f"{ITEMS}/1/restore", {"revision": 999_999}), 404)
    assert_problem(api.post(f"{ITEMS}/1/restore", {}), 422, "/revision")


def test_a_purge_needs_a_word_and_is_told_of_the_item(api, dataset):
    for body in ({}, {"confirm": False}, {"confirm": 1}):
        assert_problem(api.post(f"{ITEMS}/1/purge", body), 422, "/confirm")
    done = api.post(f"{ITEMS}/1/purge", {"confirm": True}).json()
    assert_described(PurgeAnswer, done)
    assert done == {"number": 1, "revisions": 1}
    item = api.get(f"{ITEMS}/1").json()
    assert (item["purged"], item["input"]) == (True, None)
    assert "expected_output" not in item
    assert api.get(f"{ITEMS}/2").json()["purged"] is False
    assert_problem(api.post(f"{ITEMS}/9/purge", {"confirm": True}), 404)
