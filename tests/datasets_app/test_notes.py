"""Notes on an item: who writes and deletes them, and the block on the item's page."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets_app import notes
from datasets_app.actions import (
    add_note,
    archive_dataset,
    create_dataset,
    delete_dataset,
    delete_item,
    delete_note,
    purge_item,
)
from datasets_app.actions.notes import MAX_TEXT, MOST_NOTES
from datasets_app.models import Dataset, ItemNote
from evalhub.access.actions import set_member
from evalhub.access.models import AuditEntry, User
from evalhub.kit.errors import Conflict, Forbidden, Invalid, NotFound
from tests.datasets_app.pages import HTMX, ClientFor, change, url

pytestmark = pytest.mark.db
WRONG = "The expected answer is wrong."


def said(dataset: Dataset, number: int = 1) -> list[str]:
    return [note.text for note in notes.notes_of(dataset, number)]


def test_a_note_belongs_to_the_item_in_all_its_versions(dataset: Dataset, editor: User) -> None:
    note = add_note(dataset=dataset, number=1, text=f"  {WRONG}\r\nIt is 3.\n", by=editor)
    assert (note.text, note.author) == (f"{WRONG}\nIt is 3.", editor)
    change(dataset, 1, editor, expected_output="3")
    delete_item(dataset=dataset, number=1, by=editor)
    add_note(dataset=dataset, number=1, text="Gone, and still noted.", by=editor)
    assert said(dataset) == [f"{WRONG}\nIt is 3.", "Gone, and still noted."]
    assert said(dataset, 2) == []
    assert dataset.version == 3  # a note is no version
    entry = AuditEntry.objects.filter(action="note.added").earliest("pk")
    assert (entry.subject, entry.actor, entry.detail) == ("sums #1", editor, {"note": note.pk})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" \n ", "Write something"),
        ("x" * (MAX_TEXT + 1), "at most 2,000 characters; this one has 2,001"),
        ("a\0b", "NUL"),
    ],
)
def test_a_note_is_a_text_of_bounded_length(
    text: str, reason: str, dataset: Dataset, editor: User
) -> None:
    with pytest.raises(Invalid, match=reason) as refused:
        add_note(dataset=dataset, number=1, text=text, by=editor)
    assert [one.pointer for one in refused.value.errors] == ["/text"]
    assert not ItemNote.objects.exists()
    add_note(dataset=dataset, number=1, text="x" * MAX_TEXT, by=editor)


def test_there_is_no_note_on_what_is_not_there(dataset: Dataset, editor: User) -> None:
    for number in (0, 4, 10**12):
        with pytest.raises(NotFound, match=f"no item #{number} in Sums"):
            add_note(dataset=dataset, number=number, text=WRONG, by=editor)
    delete_dataset(dataset=dataset, by=editor)
    with pytest.raises(NotFound, match="deleted"):
        add_note(dataset=dataset, number=1, text=WRONG, by=editor)


def test_an_archived_dataset_takes_notes(dataset: Dataset, editor: User) -> None:
    archive_dataset(dataset=dataset, by=editor)
    add_note(dataset=dataset, number=1, text=WRONG, by=editor)
    assert said(dataset) == [WRONG]


def test_an_item_has_a_bounded_number_of_notes(dataset: Dataset, editor: User) -> None:
    ItemNote.objects.bulk_create(
        ItemNote(dataset=dataset, number=1, text=str(n)) for n in range(MOST_NOTES)
    )
    with pytest.raises(Conflict, match="at most 100 notes"):
        add_note(dataset=dataset, number=1, text=WRONG, by=editor)
    add_note(dataset=dataset, number=2, text=WRONG, by=editor)


def test_its_author_or_an_admin_deletes_a_note_and_nobody_else(
    dataset: Dataset, owner: User, editor: User
) -> None:
    other = set_member(project=dataset.project, username="other", role="editor", by=owner)[0].user
    first, second = (add_note(dataset=dataset, number=1, text=WRONG, by=editor) for _ in range(2))
    with pytest.raises(Forbidden, match="who wrote it, or by an admin"):
        delete_note(dataset=dataset, number=1, note=first.pk, by=other)
    for number, note in ((2, first.pk), (1, first.pk + 99)):
        with pytest.raises(NotFound, match="no such note"):
            delete_note(dataset=dataset, number=number, note=note, by=owner)
    elsewhere = create_dataset(project=dataset.project, name="Elsewhere", by=owner)
    with pytest.raises(NotFound):
        delete_note(dataset=elsewhere, number=1, note=first.pk, by=owner)
    assert ItemNote.objects.count() == 2
    delete_note(dataset=dataset, number=1, note=first.pk, by=editor)
    delete_note(dataset=dataset, number=1, note=second.pk, by=owner)
    assert not ItemNote.objects.exists()
    entries = AuditEntry.objects.filter(action="note.deleted").order_by("pk")
    assert [(entry.actor, entry.subject) for entry in entries] == [
        (editor, "sums #1"),
        (owner, "sums #1"),
    ]


def test_a_purge_removes_the_notes_of_its_item_alone(dataset: Dataset, owner: User) -> None:
    add_note(dataset=dataset, number=1, text="Ada says 2", by=owner)
    add_note(dataset=dataset, number=2, text=WRONG, by=owner)
    purge_item(dataset=dataset, number=1, by=owner)
    assert [note.number for note in ItemNote.objects.all()] == [2]
    assert "Ada" not in str(list(AuditEntry.objects.values_list("subject", "detail")))


def test_a_note_outlives_its_author(dataset: Dataset, editor: User) -> None:
    add_note(dataset=dataset, number=1, text=WRONG, by=editor)
    editor.delete()
    (note,) = notes.notes_of(dataset, 1)
    assert (note.text, note.author, note.author_id) == (WRONG, "", None)


def test_the_notes_of_many_items_are_one_query_with_the_text_of_the_opened(
    dataset: Dataset, owner: User
) -> None:
    for number in (1, 1, 2):
        add_note(dataset=dataset, number=number, text=WRONG, by=owner)
    places = [(dataset.pk, number) for number in (1, 2, 3)]
    with CaptureQueriesContext(
        connection,
    ) as made:
        found = notes.read_notes(places, opened=places[0])
        texts = [[note.text for note in found[place]] for place in places if place in found]
    assert (texts, len(made)) == ([[WRONG, WRONG], [""]], 1)


def test_an_editor_adds_and_deletes_on_the_items_page_without_script(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    item = url("item", dataset, 1)
    page = client.get(f"{item}?v=1").content.decode()
    assert "Add a note" in page
    assert "<h3" in page
    assert ">Notes</h3>" not in page
    assert f'name="back" value="{item}?v=1"' in page
    answer = client.post(
        url("item_notes", dataset, 1), {"text": "<i>No</i>\nmore", "back": f"{item}?v=1"}
    )
    assert (answer.status_code, answer["Location"]) == (302, f"{item}?v=1#notes")
    page = client.get(item).content.decode()
    assert ">Notes</h3>" in page
    assert '<p class="note__text" dir="auto">&lt;i&gt;No&lt;/i&gt;\nmore</p>' in page
    delete = url("item_note_delete", dataset, 1, ItemNote.objects.get().pk)
    assert f'action="{delete}"' in page
    answer = client.post(delete, {"back": item})
    assert answer["Location"] == f"{item}#notes"
    assert said(dataset) == []


@pytest.mark.parametrize(
    "back", ["https://evil.example/x", "//evil.example", "javascript:alert(1)", ""]
)
def test_the_way_back_stays_on_this_site(
    back: str, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    form = {"text": WRONG, "back": back}
    answer = client_for(editor).post(url("item_notes", dataset, 1), form)
    assert answer["Location"] == url("item", dataset, 1) + "#notes"


def test_a_refused_note_comes_back_with_what_was_typed(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    typed = "long " * 500
    form = {"text": typed, "back": "/p/support/compare?run=1"}
    whole = client.post(url("item_notes", dataset, 1), form)
    part = client.post(url("item_notes", dataset, 1), form, headers=HTMX)
    for answer in (whole, part):
        assert answer.status_code == 422
        html = answer.content.decode()
        assert "A note has at most 2,000 characters" in html
        assert typed in html
        assert 'name="back" value="/p/support/compare?run=1"' in html
    assert "<html" in whole.content.decode()
    assert part.content.decode().lstrip().startswith('<section class="block notes" id="notes"')


def test_htmx_is_answered_with_the_block_alone(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    added = client.post(url("item_notes", dataset, 1), {"text": WRONG, "back": "/x"}, headers=HTMX)
    html = added.content.decode()
    assert html.lstrip().startswith('<section class="block notes" id="notes"')
    assert WRONG in html
    delete = url("item_note_delete", dataset, 1, ItemNote.objects.get().pk)
    html = client.post(delete, {"back": "/x"}, headers=HTMX).content.decode()
    assert WRONG not in html
    assert "Add a note" in html


def test_a_viewer_reads_notes_and_an_editor_deletes_only_their_own(
    dataset: Dataset, owner: User, editor: User, viewer: User, client_for: ClientFor
) -> None:
    item = url("item", dataset, 1)
    assert 'id="notes"' not in client_for(viewer).get(item).content.decode()
    note = add_note(dataset=dataset, number=1, text=WRONG, by=owner)
    delete = url("item_note_delete", dataset, 1, note.pk)
    seen = {user: client_for(user).get(item).content.decode() for user in (viewer, editor, owner)}
    assert [WRONG in seen[user] for user in seen] == [True, True, True]
    assert ["Add a note" in seen[user] for user in seen] == [False, True, True]
    assert [delete in seen[user] for user in seen] == [False, False, True]
    for user, address in (
        (viewer, url("item_notes", dataset, 1)),
        (viewer, delete),
        (editor, delete),
    ):
        answer = client_for(user).post(address, {"text": "x", "back": item})
        assert answer.status_code == 403
    assert said(dataset) == [WRONG]


def test_an_archived_dataset_shows_the_form(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    archive_dataset(dataset=dataset, by=editor)
    assert "Add a note" in client_for(editor).get(url("item", dataset, 1)).content.decode()
