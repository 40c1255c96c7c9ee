"""Finding items in the browser: search, filter, chips and order, each in the address."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets_app import facets, item_pages
from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from tests.datasets_app.pages import HTMX, ClientFor, url
from tests.factories import make_dataset

pytestmark = pytest.mark.django_db
TOPICS = ("percent", "rate", "sum")


def payload(number: int) -> dict[str, Any]:
    return {
        "input": {"question": f"question {number}"},
        "metadata": {"topic": TOPICS[number % 3], "level": number, "a.b": True},
        "split": ("", "train", "test")[number % 3],
        "tags": ["hard"] if number % 2 else [],
    }


@pytest.fixture
def sums(project: Project, editor: User) -> Dataset:
    return make_dataset(project, editor, [payload(n) for n in range(1, 13)], name="Sums of all")


def shown(client: Any, address: str) -> list[int]:
    return [row["item"].number for row in client.get(address).context["rows"]]


def test_the_address_says_all_of_the_list(
    sums: Dataset, client_for: ClientFor, viewer: User
) -> None:
    client = client_for(viewer)
    where = quote('metadata.level > 3 and not metadata."a.b" is missing')
    address = f"{url('detail', sums)}?where={where}&split=test&sort=-number&q=question"
    assert shown(client, address) == [11, 8, 5]
    page = client.get(address).content.decode()
    # Links to items, to the filter and to other orders keep it.
    assert f"{url('item', sums, 8)}?q=question&amp;where=metadata.level" in page
    assert 'name="split" value="test"' in page
    item = client.get(f"{url('item', sums, 8)}?where={where}&split=test&sort=-number")
    assert item.context["neighbours"] == item_pages.Neighbours(previous=11, next=5)


def test_a_filter_that_is_not_understood_stays_with_its_fault_below_it(
    sums: Dataset, client_for: ClientFor, viewer: User
) -> None:
    answer = client_for(viewer).get(f"{url('detail', sums)}?where={quote('metadata.level == 3')}")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Did you mean “=”?" in page
    assert 'value="metadata.level == 3"' in page
    assert answer.context["where_caret"] == " " * 15 + "^"
    assert answer.context["rows"] == []
    # An item is still shown.
    item = client_for(viewer).get(f"{url('item', sums, 3)}?where={quote('metadata.level == 3')}")
    assert item.status_code == 200


def test_rows_become_the_text_of_the_filter_in_the_address(
    sums: Dataset, client_for: ClientFor, viewer: User
) -> None:
    rows = "&field=metadata.topic&op=in&value=percent,+rate&field=tag&op=%3D&value=5&field=&op="
    answer = client_for(viewer).get(f"{url('filter', sums)}?build=1&split=test{rows}&value=")
    where = quote('metadata.topic in ("percent", "rate") and tag = "5"', safe="")
    assert answer.status_code == 302
    address = answer["Location"].replace("+", "%20")
    assert address == f"{url('detail', sums)}?split=test&where={where}"


def test_a_row_that_is_no_condition_says_so_beside_it(
    sums: Dataset, client_for: ClientFor, viewer: User
) -> None:
    rows = "&field=topic&op=%3D&value=percent&field=number&op=%3E&value=x"
    answer = client_for(viewer).get(f"{url('filter', sums)}?build=1{rows}")
    assert answer.status_code == 422
    assert "Did you mean “metadata.topic”?" in answer.content.decode()
    assert 'value="percent"' in answer.content.decode()


def test_the_form_shows_the_filter_of_the_list_and_suggests_what_is_there(
    sums: Dataset, client_for: ClientFor, viewer: User
) -> None:
    where = quote('metadata.topic = "rate" and metadata.level >= 3')
    answer = client_for(viewer).get(f"{url('filter', sums)}?where={where}", headers=HTMX)
    rows = [each["row"] for each in answer.context["rows"]]
    assert [(row.field, row.op, row.value) for row in rows if not row.is_empty] == [
        ("metadata.topic", "=", "rate"),
        ("metadata.level", ">=", "3"),
    ]
    fields = answer.context["fields"]
    assert {"metadata.topic", 'metadata."a.b"', "input.question", "split", "tag"} <= set(fields)
    assert set(answer.context["rows"][0]["values"]) == set(TOPICS)
    values = client_for(viewer).get(f"{url('filter_values', sums)}?field=split")
    assert values.content.decode().split() == [
        '<option', 'value="test"></option><option', 'value="train"></option>'
    ]  # fmt: skip


def test_a_filter_with_or_is_kept_as_text(
    sums: Dataset, client_for: ClientFor, viewer: User
) -> None:
    where = quote('split = "a" or split = "b"')
    answer = client_for(viewer).get(f"{url('filter', sums)}?where={where}")
    assert "says more than rows can" in answer.content.decode()
    assert "split = &quot;a&quot; or split = &quot;b&quot;</textarea>" in answer.content.decode()


def test_chips_count_splits_and_tags(sums: Dataset, client_for: ClientFor, viewer: User) -> None:
    context = client_for(viewer).get(url("detail", sums)).context
    assert [(chip["label"], chip["count"]) for chip in context["split_chips"]] == [
        ("All", 12),
        ("test", 4),
        ("train", 4),
    ]
    (tag,) = context["tag_chips"]
    assert (tag["label"], tag["count"], tag["exact"]) == ("hard", 6, True)
    assert shown(client_for(viewer), url("detail", sums) + tag["query"]) == [1, 3, 5, 7, 9, 11]


def test_tags_of_many_items_are_counted_in_the_first_ones_and_in_bounded_time(
    sums: Dataset, client_for: ClientFor, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "TAGS_LOOKED_AT", 5)
    answer = client_for(viewer).get(url("detail", sums))
    (tag,) = answer.context["tag_chips"]
    assert (tag["label"], tag["count"], tag["exact"]) == ("hard", 3, False)
    assert 'hard <span class="n">3+</span>' in answer.content.decode()
    monkeypatch.setattr(facets, "TAGS_S", -1)
    (tag,) = client_for(viewer).get(url("detail", sums)).context["tag_chips"]
    assert (tag["count"], tag["exact"]) == (1, False)


def test_an_empty_answer_says_what_was_looked_at(
    sums: Dataset, client_for: ClientFor, viewer: User
) -> None:
    where = quote("metadata.level > 99")
    page = client_for(viewer).get(f"{url('detail', sums)}?where={where}").content.decode()
    assert "No items match" in page
    assert "Looked at all of 12 items in v1" in page
    assert "metadata.level &gt; 99" in page
    assert "Show all items" in page


def test_a_search_that_ran_out_of_time_says_how_far_it_came(
    sums: Dataset, client_for: ClientFor, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_pages, "BUDGET_S", 0)
    monkeypatch.setattr(item_pages, "FIRST_CHUNK", 5)
    answer = client_for(viewer).get(f"{url('detail', sums)}?q=question+12")
    page = answer.content.decode()
    assert "None found in the first 5 of 12 items." in page
    assert answer.context["next"] == "?q=question+12&after=5&seen=5"
    last = client_for(viewer).get(url("detail", sums) + "?q=question+12&after=10&seen=10")
    assert [row["item"].number for row in last.context["rows"]] == [12]


def test_htmx_gets_the_list_alone(sums: Dataset, client_for: ClientFor, viewer: User) -> None:
    answer = client_for(viewer).get(
        f"{url('detail', sums)}?q=question+3", headers=HTMX | {"HX-Target": "items"}
    )
    assert "<html" not in answer.content.decode()
    assert "question 3" in answer.content.decode()


def test_a_list_costs_as_many_queries_for_many_items_as_for_few(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    counts = []
    for name, many in (("Few", 3), ("Many", 300)):
        dataset = make_dataset(project, editor, [payload(n) for n in range(1, many + 1)], name=name)
        address = f"{url('detail', dataset)}?where={quote('metadata.level > 0')}"
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        counts.append(len(captured))
    assert counts[0] == counts[1]
