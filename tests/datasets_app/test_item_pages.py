"""The pages of items: reading and searching."""

from __future__ import annotations

import pytest

from datasets_app.actions import add_items, delete_item
from datasets_app.items import parse_item
from datasets_app.models import Dataset
from evalhub.access.models import User
from evalhub.kit import slots
from tests.datasets_app.pages import HTMX, ClientFor, change, many, url


@pytest.fixture(autouse=True)
def no_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pages alone: what runs put into them is tested with runs."""
    monkeypatch.setattr(slots, "_providers", {})


def test_an_item_shows_what_it_asks_and_expects(
    dataset: Dataset, viewer: User, client_for: ClientFor
) -> None:
    text = client_for(viewer).get(url("item", dataset, 2)).content.decode()
    assert "2 + 2" in text
    assert '<span class="d">4</span>' in text
    assert "q-2" in text


def test_an_item_without_an_expected_output_says_so(
    dataset: Dataset, viewer: User, client_for: ClientFor
) -> None:
    assert "None. Scorers" in client_for(viewer).get(url("item", dataset, 3)).content.decode()


def test_html_in_an_item_is_shown_as_text(
    dataset: Dataset, owner: User, client_for: ClientFor
) -> None:
    bad = "<script>alert(1)</script>"
    add_items(
        dataset=dataset,
        contents=[parse_item({"input": bad, "expected_output": {bad: bad}, "tags": [bad]})],
        by=owner,
    )
    text = client_for(owner).get(url("item", dataset, 4)).content.decode()
    assert bad not in text
    assert "&lt;script&gt;" in text


def test_lists_say_when_an_input_is_an_empty_text(
    dataset: Dataset, owner: User, client_for: ClientFor
) -> None:
    client, said = client_for(owner), '<span class="faint">Empty text</span>'
    for name in ("detail", "item_select"):
        assert said not in client.get(url(name, dataset)).content.decode()
    add_items(dataset=dataset, contents=[parse_item({"input": ""})], by=owner)
    for name in ("detail", "item_select"):
        assert client.get(url(name, dataset)).content.decode().count(said) == 1


def test_a_long_value_is_cut_until_all_of_it_is_asked_for(
    dataset: Dataset, owner: User, client_for: ClientFor
) -> None:
    letter = "word " * 1_000 + "the end"
    add_items(dataset=dataset, contents=[parse_item({"input": letter})], by=owner)
    client, address = client_for(owner), url("item", dataset, 4)
    cut = client.get(address, {"q": "word"}).content.decode()
    assert "First 4,000 of 5,007 characters." in cut
    assert "the end" not in cut
    assert "data-copy-from" not in cut, "a copy would be cut too"
    assert f'href="{address}?q=word&amp;all=1"' in cut
    whole = client.get(address, {"all": "1"}).content.decode()
    assert "the end" in whole
    assert "Show all of it" not in whole


def test_a_row_link_is_answered_with_the_detail_alone(
    dataset: Dataset, viewer: User, client_for: ClientFor
) -> None:
    headers = HTMX | {"HX-Target": "detail"}
    response = client_for(viewer).get(url("item", dataset, 1), headers=headers)
    text = response.content.decode()
    assert text.lstrip().startswith("<header")
    assert "<table" not in text
    assert "HX-Request" in response["Vary"]


def test_returning_through_the_history_gives_the_whole_page(
    dataset: Dataset, viewer: User, client_for: ClientFor
) -> None:
    headers = HTMX | {"HX-Target": "detail", "HX-History-Restore-Request": "true"}
    response = client_for(viewer).get(url("item", dataset, 1), headers=headers)
    assert "<html" in response.content.decode()


def test_an_old_version_reads_as_it_was_and_cannot_be_edited(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    change(dataset, 1, editor, expected_output="two")
    delete_item(dataset=dataset, number=3, by=editor)
    client = client_for(editor)
    old = client.get(url("item", dataset, 1) + "?v=1").content.decode()
    new = client.get(url("item", dataset, 1)).content.decode()
    assert "You are reading v1" in old
    assert "item_edit" not in old
    assert url("item_edit", dataset, 1) not in old
    assert url("item_edit", dataset, 1) in new
    assert client.get(url("item", dataset, 3) + "?v=1").status_code == 200
    assert client.get(url("item", dataset, 3)).status_code == 404


@pytest.mark.parametrize("version", ["9", "two", "-1", "99999999999999999999"])
def test_a_version_that_does_not_exist_is_not_found(
    version: str, dataset: Dataset, viewer: User, client_for: ClientFor
) -> None:
    assert client_for(viewer).get(url("detail", dataset) + f"?v={version}").status_code == 404


@pytest.mark.parametrize("number", [99, 2_147_483_648, 10**30])
def test_an_item_that_does_not_exist_is_not_found(
    number: int, dataset: Dataset, viewer: User, client_for: ClientFor
) -> None:
    assert client_for(viewer).get(url("item", dataset, number)).status_code == 404


def test_the_history_says_what_each_version_changed(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    change(dataset, 1, editor, "Spelled out", expected_output="two")
    change(dataset, 1, editor, metadata={"topic": "sum", "level": 1})
    text = client_for(editor).get(url("item", dataset, 1)).content.decode()
    assert "<del>2</del><ins>two</ins>" in text
    assert "“Spelled out”" in text
    assert "<code>level</code> added" in text
    assert text.index("<code>level</code>") < text.index("<ins>two</ins>") < text.index("Created")


def test_what_runs_know_of_an_item_stands_beside_it(
    dataset: Dataset, viewer: User, client_for: ClientFor
) -> None:
    run = {
        "number": 7,
        "target": "triage",
        "url": "/the-result",
        "output_json": '"three"',
        "error_type": "",
        "score": None,
    }
    slots.provide("item.runs", lambda numbers, **_: {numbers[0]: [run]})
    slots.provide("item.last_results", lambda numbers, **_: {1: "pf-"})
    text = client_for(viewer).get(url("item", dataset, 1)).content.decode()
    assert 'href="/the-result"' in text
    assert "three" in text
    assert 'class="ticks"' in text


def test_searching_items_looks_into_input_and_expected_output(
    dataset: Dataset, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    found = client.get(url("detail", dataset) + "?q=nothing").context["rows"]
    assert [row["item"].number for row in found] == [3]
    none = client.get(url("detail", dataset) + "?q=zebra").content.decode()
    assert "No items match “zebra”" in none


def test_pages_of_items_follow_each_other_without_a_gap(
    dataset: Dataset, owner: User, client_for: ClientFor
) -> None:
    many(dataset, 117, owner)
    client = client_for(owner)
    seen: list[int] = []
    query = "?"
    while query:
        page = client.get(url("detail", dataset) + query)
        seen += [row["item"].number for row in page.context["rows"]]
        query = page.context["next"]
    assert seen == list(range(1, 121))
    back = client.get(url("detail", dataset) + page.context["previous"])
    assert [row["item"].number for row in back.context["rows"]] == list(range(51, 101))


def test_the_list_beside_an_open_item_holds_the_item(
    dataset: Dataset, owner: User, client_for: ClientFor
) -> None:
    many(dataset, 117, owner)
    for address in (url("item", dataset, 80), url("item", dataset, 80) + "?before=51"):
        page = client_for(owner).get(address)
        assert 80 in [row["item"].number for row in page.context["rows"]]


def test_searching_beside_an_open_item_is_answered_with_the_list(
    dataset: Dataset, viewer: User, client_for: ClientFor
) -> None:
    headers = HTMX | {"HX-Target": "items"}
    found = client_for(viewer).get(url("item", dataset, 1) + "?q=nothing", headers=headers)
    assert [row["item"].number for row in found.context["rows"]] == [3]


def test_showing_more_adds_the_rows_after_the_page_whatever_item_is_open(
    dataset: Dataset, owner: User, client_for: ClientFor
) -> None:
    many(dataset, 117, owner)
    client = client_for(owner)
    headers = HTMX | {"HX-Target": "item-rows"}
    for address in (url("detail", dataset), url("item", dataset, 3)):
        after = client.get(address).context["next"]
        more = client.get(address + after, headers=headers)
        assert [row["item"].number for row in more.context["rows"]] == list(range(51, 101))
        assert "<html" not in more.content.decode()


def test_numbers_of_thousands_of_digits_are_none(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client, long = client_for(editor), "9" * 5_000
    for page in (f"diff?after={long}", f"diff?v={long}", f"items/select?version={long}"):
        address = url("detail", dataset).removesuffix("items") + page
        assert client.get(address).status_code == 200, page
    edit = {"input": "x", "revision": long}
    assert client.post(url("item_edit", dataset, 1), edit).status_code == 422
