"""Notes where runs show an item: in a comparison of two, and beside a result."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from datasets_app.actions import add_note, delete_dataset
from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from runs_app.models import Run
from tests.factories import make_dataset, make_finished_run, questions

pytestmark = pytest.mark.django_db
ClientFor = Callable[..., Client]
HTMX = {"HX-Request": "true"}
N = 30
WRONG = "The expected answer is wrong."


@pytest.fixture
def items(project: Project, owner: User) -> Dataset:
    return make_dataset(project, owner, questions(N), name="Questions")


@pytest.fixture
def pair(items: Dataset, owner: User) -> tuple[Run, Run]:
    """All items regressed."""
    a, b = (make_finished_run(items, owner, ["x"] * N, {"answer": [value] * N}) for value in (1, 0))
    return a, b


def address(project: Project, a: Run, b: Run, name: str = "compare", **more: object) -> str:
    kept = "".join(f"&{key}={value}" for key, value in more.items())
    return f"{reverse(f'runs:{name}', args=[project.slug])}?run={a.number}&run={b.number}{kept}"


def queries(client: Client, url: str, **options: object) -> int:
    client.get(url, **options)  # what is computed once is not counted
    with CaptureQueriesContext(connection) as made:
        assert client.get(url, **options).status_code == 200
    return len(made)


def test_the_open_item_of_a_comparison_shows_its_notes_and_takes_more(
    project: Project, items: Dataset, pair: tuple[Run, Run], editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    page = client.get(address(project, *pair, f="regressed", i=3))
    add = reverse("datasets:item_notes", args=[project.slug, items.slug, 3])
    assert f'action="{add}"' in page.content.decode()
    back = page.context["items"].open.notes.back
    answer = client.post(add, {"text": WRONG, "back": back})
    assert answer["Location"] == f"{back}#notes"
    shown = client.get(back)
    assert shown.context["items"].open.pair.number == 3
    assert WRONG in shown.content.decode()
    part = client.get(address(project, *pair, name="compare_items", i=3), headers=HTMX)
    assert WRONG in part.content.decode()
    other = client.get(address(project, *pair, f="regressed", i=4)).content.decode()
    assert WRONG not in other


def test_the_list_marks_the_items_that_have_notes(
    project: Project, items: Dataset, pair: tuple[Run, Run], viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    assert "note-mark" not in client.get(address(project, *pair)).content.decode()
    for number in (2, 5, 5):
        add_note(dataset=items, number=number, text=WRONG, by=viewer)
    for more in ({}, {"i": 5}, {"i": 29}):
        page = client.get(address(project, *pair, f="regressed", **more))
        lines = {line.pair.number: line.notes for line in page.context["items"].lines()}
        assert {number: n for number, n in lines.items() if n} == {2: 1, 5: 2}
        assert page.content.decode().count('class="note-mark"') == 2


def test_a_page_reads_notes_in_one_query_however_many_there_are(
    project: Project, items: Dataset, pair: tuple[Run, Run], owner: User, client_for: ClientFor
) -> None:
    client = client_for(owner)
    result = reverse("runs:result", args=[project.slug, pair[0].number, 3])
    item = reverse("datasets:item", args=[project.slug, items.slug, 3])
    pages = [address(project, *pair), address(project, *pair, f="regressed", i=3), result, item]
    before = [queries(client, url) for url in pages]
    for number in (1, 2, 3, 3, 3):
        add_note(dataset=items, number=number, text=WRONG, by=owner)
    assert [queries(client, url) for url in pages] == before


def test_a_result_shows_the_notes_of_its_item(
    project: Project, items: Dataset, pair: tuple[Run, Run], viewer: User, client_for: ClientFor
) -> None:
    add_note(dataset=items, number=3, text=WRONG, by=viewer)
    client = client_for(viewer)
    url = reverse("runs:result", args=[project.slug, pair[0].number, 3])
    for headers in ({}, HTMX | {"HX-Target": "detail"}):
        html = client.get(url, headers=headers).content.decode()
        assert WRONG in html
        assert "Add a note" not in html
    other = reverse("runs:result", args=[project.slug, pair[0].number, 4])
    assert WRONG not in client.get(other).content.decode()


def test_the_notes_of_a_deleted_dataset_are_there_to_read(
    project: Project, items: Dataset, pair: tuple[Run, Run], owner: User, client_for: ClientFor
) -> None:
    add_note(dataset=items, number=3, text=WRONG, by=owner)
    delete_dataset(dataset=items, by=owner)
    result = reverse("runs:result", args=[project.slug, pair[0].number, 3])
    for url in (result, address(project, *pair, i=3)):
        html = client_for(owner).get(url).content.decode()
        assert WRONG in html
        assert "Add a note" not in html
        assert "Delete note" not in html


def test_across_two_datasets_a_note_is_that_of_the_item_that_the_number_names(
    project: Project, items: Dataset, owner: User, client_for: ClientFor
) -> None:
    more = [{"input": "only here"}, *questions(3)]
    other = make_dataset(project, owner, more, name="Others")
    a = make_finished_run(items, owner, ["x"] * 3, {"answer": [1, 1, 1]})
    b = make_finished_run(other, owner, ["x"] * 4, {"answer": [0, 0, 0, 0]})
    add_note(dataset=items, number=1, text="Said of A’s", by=owner)
    add_note(dataset=other, number=1, text="Said of B’s", by=owner)
    client = client_for(owner)
    for show, words in (("regressed", "Said of A’s"), ("only_b", "Said of B’s")):
        page = client.get(address(project, a, b, f=show, i=1))
        line = next(line for line in page.context["items"].lines() if line.is_open)
        (note,) = (row for row, _ in page.context["items"].open.notes.rows)
        assert (line.notes, note.text) == (1, words)
