"""Selecting items in the list, changing them together, undo, and the page of a job."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from datasets_app.actions import add_items, create_dataset
from datasets_app.actions import bulk as bulk_actions
from datasets_app.bulk import job
from datasets_app.items import parse_item
from datasets_app.models import Dataset, DatasetJob, DatasetVersion
from datasets_app.selection import written
from evalhub.access.models import Project, User
from tests.datasets_app.jobs import items
from tests.datasets_app.pages import HTMX, ClientFor, change, many, url

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def browser(client_for: ClientFor, editor: User) -> Client:
    return client_for(editor)


@pytest.fixture
def full(empty: Dataset, owner: User, no_messages: Any) -> Dataset:
    """A hundred and twenty items on three pages."""
    many(empty, 120, owner)
    return empty


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return found[1] if found else ""


def checked(page: str) -> list[int]:
    boxes = re.findall(r'name="numbers" value="(\d+)"[^>]* checked>', page)
    return [int(number) for number in boxes]


def act(client: Client, dataset: Dataset, name: str, /, **fields: Any) -> Any:
    data = {"act": name, "sure": "1", "version": dataset.version} | fields
    return client.post(url("items_change", dataset), data)


def test_rows_are_checked_and_kept_from_page_to_page(browser: Client, full: Dataset) -> None:
    first = browser.get(url("item_select", full), {"numbers": "2"}).content.decode()
    assert checked(first) == [2]
    assert "1 selected" in first
    form = {"version": "1", "shown": field(first, "shown"), "numbers": ["2", "7"]}
    second = browser.post(
        url("item_select", full), form | {"after": field(first, "after")}
    ).content.decode()
    assert field(second, "also") == "2,7"
    assert "2 selected" in second
    assert checked(second) == []
    form = {"version": "1", "also": "2,7", "shown": field(second, "shown"), "numbers": ["60"]}
    back = browser.post(
        url("item_select", full), form | {"before": field(second, "before")}
    ).content.decode()
    assert (checked(back), field(back, "also")) == ([2, 7], "60")
    assert 'data-elsewhere="1"' in back


def test_all_that_match_is_a_query_from_which_single_rows_are_left_out(
    browser: Client, full: Dataset, owner: User
) -> None:
    page = browser.get(url("item_select", full), {"all": "1"}).content.decode()
    assert "120 selected" in page
    assert checked(page) == list(range(1, 51))
    assert page.count('name="numbers"') == 50  # not 120
    shown = [str(number) for number in range(1, 51) if number != 9]
    form = {"all": "1", "shown": "1-50", "numbers": shown, "after": field(page, "after")}
    second = browser.post(url("item_select", full), form).content.decode()
    assert ("119 selected" in second, field(second, "also")) == (True, "9")
    done = act(browser, full, "delete", all="1", also="9", shown="51-100", numbers="51-100")
    assert done.status_code == 302
    assert [one.number for one in items(full)] == [9]


def test_a_search_is_selected_as_a_query(browser: Client, full: Dataset) -> None:
    page = browser.get(url("item_select", full), {"q": "Question 11", "all": "1"}).content.decode()
    assert "11 selected" in page
    done = act(browser, full, "add_tags", all="1", q="Question 11", tags="eleven, x")
    assert done["Location"] == url("detail", full) + "?q=Question+11"
    assert [one.number for one in items(full) if one.tags == ["eleven", "x"]] == [
        12, *range(111, 121)
    ]  # fmt: skip


def test_the_question_says_how_many_and_without_an_answer_nothing_changes(
    browser: Client, full: Dataset
) -> None:
    form = {"act": "delete", "version": "1", "also": "3-5", "shown": "1-50", "numbers": ["7"]}
    asked = browser.post(url("items_change", full), form).content.decode()
    assert "Delete 1 item?" in asked
    form["also"] = "60-62"
    fragment = browser.post(
        url("items_change", full), form, headers=HTMX | {"HX-Target": "modal"}
    ).content.decode()
    assert "<html" not in fragment
    assert "Delete 4 items?" in fragment
    assert field(fragment, "also") == "7,60-62"
    full.refresh_from_db()
    assert full.version == 1


def test_an_action_is_undone_from_its_toast(browser: Client, full: Dataset) -> None:
    done = act(browser, full, "set_split", also="3-5", to_split="test")
    page = browser.get(done["Location"]).content.decode()
    assert "3 items changed in v2." in page
    assert url("version_undo", full, 2) in page
    undone = browser.post(url("version_undo", full, 2))
    assert "v2 is undone in v3." in browser.get(undone["Location"]).content.decode()
    assert {one.split for one in items(full)} == {""}


def test_undo_says_what_is_in_its_way(browser: Client, full: Dataset, owner: User) -> None:
    act(browser, full, "delete", also="3-5")
    full.refresh_from_db()
    act(browser, full, "set_split", also="6", to_split="test")
    undone = browser.post(url("version_undo", full, 2), follow=True).content.decode()
    assert "v2 is undone in v4." in undone
    change(full, 4, owner, input="new")
    refused = browser.post(url("version_undo", full, 2), follow=True).content.decode()
    assert "Items #3, #4 and #5 were changed again after v2" in refused


def test_a_stale_selection_is_refused_where_it_was_made(
    browser: Client, full: Dataset, owner: User
) -> None:
    change(full, 4, owner, input="new")
    refused = act(browser, full, "delete", also="3-5", version="1")
    assert refused.status_code == 409
    assert "Item #4 was changed after the selection was made" in refused.content.decode()
    nothing = act(browser, full, "delete")
    assert nothing.status_code == 422
    assert "No item is selected." in nothing.content.decode()


def test_a_dataset_is_made_from_a_selection(browser: Client, full: Dataset) -> None:
    taken = act(browser, full, "create", also="1-3", name="Tickets")
    assert taken.status_code == 409
    assert "Choose another name." in taken.content.decode()
    done = act(browser, full, "create", also="1-3", name="Three")
    made = Dataset.objects.get(slug="three")
    assert done["Location"] == url("detail", made)
    assert [one.source for one in items(made)] == [f"Tickets v1 #{n}" for n in (1, 2, 3)]


def test_taken_external_ids_are_listed_and_can_be_left_out(
    browser: Client, full: Dataset, project: Project, owner: User
) -> None:
    other = create_dataset(project=project, name="Other", by=owner)
    for dataset, word in ((full, "a"), (other, "b")):
        contents = [parse_item({"input": word, "external_id": f"id-{n}"}) for n in range(2)]
        add_items(dataset=dataset, contents=contents, by=owner)
    asked = act(browser, full, "copy", sure="", also="119-122").content.decode()
    assert '<option value="other">' in asked
    refused = act(browser, full, "copy", also="119-122", dataset="other").content.decode()
    assert "2 external ids are taken" in refused
    assert "“id-1” of item #122 is that of item #2 there" in refused
    done = act(browser, full, "copy", also="119-122", dataset="other", skip="1")
    told = browser.get(done["Location"]).content.decode()
    assert "2 items added in v2. 2 items left out" in told
    moved = act(browser, full, "copy", also="1-2", dataset="other", move="1")
    assert moved["Location"] == url("detail", other)
    assert next(one.number for one in items(full)) == 3


@pytest.mark.parametrize("format", ["csv", "json", "jsonl"])
def test_a_selection_is_exported(
    format: str, browser: Client, client_for: ClientFor, viewer: User, full: Dataset
) -> None:
    client = client_for(viewer)
    form = {"version": "1", "also": "2,60-61", "format": format}
    lines = b"".join(client.post(url("items_export", full), form)).decode()
    assert lines.count("Question") == 3
    rest = {"version": "1", "all": "1", "also": "1-119", "format": format}
    assert b"".join(client.post(url("items_export", full), rest)).count(b"Question") == 1
    every = {"version": "1", "all": "1", "q": "Question 7", "format": format}
    moved = client.post(url("items_export", full), every)
    assert moved["Location"] == url("export", full) + f"?format={format}&v=1&q=Question+7"
    nothing = client.post(url("items_export", full), {"format": format})
    assert nothing.status_code == 422


def test_a_viewer_selects_and_exports_but_changes_nothing(
    client_for: ClientFor, viewer: User, full: Dataset
) -> None:
    client = client_for(viewer)
    page = client.get(url("item_select", full)).content.decode()
    assert "Export CSV" in page
    assert "items/change/" not in page
    assert act(client, full, "delete", also="1").status_code == 403
    assert client.post(url("version_undo", full, 1)).status_code == 403


def test_many_items_are_a_job_whose_page_follows_it(
    browser: Client, full: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_actions, "INLINE_ITEMS", 50)
    started = act(browser, full, "set_split", all="1", to_split="test")
    found = DatasetJob.objects.get()
    assert started["Location"] == url("job", full, found.uuid)
    page = browser.get(started["Location"]).content.decode()
    assert 'hx-trigger="every 1s"' in page
    assert "Waiting for a worker" in page
    assert "v2 is being written" in browser.get(url("detail", full)).content.decode()
    assert browser.get(url("job_current", full))["Location"] == started["Location"]
    refused = act(browser, full, "delete", also="1")
    assert "A bulk action is writing version 2" in refused.content.decode()
    job.work(found.pk)
    last = browser.get(started["Location"], headers=HTMX | {"HX-Target": "job"})
    assert last["HX-Redirect"] == started["Location"]
    ended = browser.get(started["Location"]).content.decode()
    assert "120 items changed" in ended
    assert "every 1s" not in ended
    assert url("version_undo", full, 2) in ended
    version = DatasetVersion.objects.get(dataset=full, number=2)
    assert version.message == "Set the split of 120 items to test"
    full.refresh_from_db()
    again = act(browser, full, "delete", all="1")
    browser.post(again["Location"] + "/cancel/")
    assert "Cancelled. Nothing was changed." in browser.get(again["Location"]).content.decode()


def test_the_page_makes_as_many_queries_for_many_items_as_for_few(
    browser: Client, full: Dataset, owner: User
) -> None:
    def queries(**asked: str) -> int:
        browser.get(url("item_select", full), asked)
        with CaptureQueriesContext(connection) as made:
            browser.get(url("item_select", full), asked)
        return len(made)

    few, few_all = queries(numbers="1"), queries(all="1")
    many(full, 3_000, owner)
    assert queries(numbers="1-3000") <= few
    assert queries(all="1") <= few_all <= 25


def test_numbers_are_written_short() -> None:
    assert written([]) == ""
    assert written([3, 1, 2, 2, 9, 11, 12]) == "1-3,9,11-12"
