"""Notes on an item: listed, written and deleted."""

from __future__ import annotations

import pytest

from datasets_app.actions import archive_dataset
from datasets_app.api_notes import NoteAnswer
from evalhub.access.models import AuditEntry
from tests.api.client import assert_described, assert_problem

pytestmark = pytest.mark.db

NOTES = "/datasets/sums/items/1/notes"


def test_notes_are_written_and_listed_oldest_first(api, viewer_api, dataset):
    made = api.post(NOTES, {"text": "The expected answer is wrong.\nIt is 3."})
    assert made.status_code == 201
    assert_described(NoteAnswer, made.json())
    api.post(NOTES, {"text": "Right you are."})
    found = viewer_api.get(NOTES).json()
    assert (found["total"], found["next_cursor"]) == (2, None)
    assert found["items"][0] == made.json()
    assert [(note["author"], note["text"]) for note in found["items"]] == [
        ("editor", "The expected answer is wrong.\nIt is 3."),
        ("editor", "Right you are."),
    ]
    assert viewer_api.get("/datasets/sums/items/2/notes").json()["items"] == []
    assert_problem(viewer_api.get("/datasets/sums/items/9/notes"), 404)


def test_a_note_is_written_once_for_a_key_and_in_the_archive_too(api, dataset, owner):
    archive_dataset(dataset=dataset, by=owner)
    first = api.post(NOTES, {"text": "Once"}, key="once")
    assert api.post(NOTES, {"text": "Once"}, key="once").json() == first.json()
    assert api.get(NOTES).json()["total"] == 1


def test_what_is_no_note_is_refused_with_its_place(api, dataset):
    for body in ({}, {"text": ""}, {"text": "x" * 2001}, {"text": 3}, {"text": None}):
        assert_problem(api.post(NOTES, body), 422, "/text")
    assert_problem(api.post("/datasets/sums/items/9/notes", {"text": "x"}), 404)


def test_its_author_or_an_admin_deletes_a_note(api, api_for, viewer_api, dataset, owner):
    admin = api_for(owner, dataset.project)
    own, others = (one.post(NOTES, {"text": "x"}).json()["id"] for one in (api, admin))
    assert_problem(viewer_api.delete(f"{NOTES}/{own}"), 403)
    assert_problem(viewer_api.post(NOTES, {"text": "x"}), 403)
    assert_problem(api.delete(f"{NOTES}/{others}"), 403)
    assert_problem(api.delete(f"/datasets/sums/items/2/notes/{own}"), 404)
    assert api.delete(f"{NOTES}/{own}").status_code == 204
    assert_problem(api.delete(f"{NOTES}/{own}"), 404)
    assert admin.delete(f"{NOTES}/{others}").status_code == 204
    assert api.get(NOTES).json()["items"] == []
    assert AuditEntry.objects.filter(action="note.deleted").count() == 2
