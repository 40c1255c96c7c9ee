"""The page of two runs, beyond its verdict: clusters, slices, costs, neighbours, changed content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app.actions import update_item
from datasets_app.actions.items import current_item
from datasets_app.items import parse_item
from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from runs_app.models import Run
from tests.factories import make_dataset, make_finished_run, questions

pytestmark = pytest.mark.django_db
ClientFor = Callable[..., Client]
HTMX = {"HX-Request": "true"}
N = 60


@pytest.fixture
def items(project: Project, owner: User) -> Dataset:
    """Twenty documents of three items; half of the items are about sums, half about dates."""
    rows = questions(N)
    for place, row in enumerate(rows):
        topic = "sums" if place % 2 else "dates"
        row["metadata"] = {"topic": topic, "document": f"d{place // 3}"}
    return make_dataset(project, owner, rows)


@pytest.fixture
def pair(items: Dataset, owner: User) -> tuple[Run, Run]:
    """Only sums improve, 30 of them; B takes 50 ms longer and costs twice as much."""

    def made(answers: list[float], ms: float, cost: float) -> Run:
        spread = [place % 7 for place in range(N)]
        return make_finished_run(
            items,
            owner,
            ["x"] * N,
            {"answer": answers},
            latencies=[ms + each for each in spread],
            results={
                "cost_usd": [cost * (1 + each / 10) for each in spread],
                "input_tokens": [100] * N,
                "output_tokens": [int(cost * 1000) + each for each in spread],
            },
        )

    return (
        made([0.0, 0.0] * (N // 2), 100, 0.01),
        made([0.0, 1.0] * (N // 2), 150, 0.02),
    )


def address(project: Project, a: Run, b: Run, name: str = "compare", **more: object) -> str:
    kept = "".join(f"&{key}={value}" for key, value in more.items())
    return f"{reverse(f'runs:{name}', args=[project.slug])}?run={a.number}&run={b.number}{kept}"


def test_slices_show_where_it_changed_with_q(
    project: Project, pair: tuple[Run, Run], viewer: User, client_for: ClientFor
) -> None:
    page = client_for(viewer).get(address(project, *pair, slice="metadata.topic"))
    lines = {line.c.name: line for line in page.context["slices"]}
    assert lines["sums"].delta == 1.0
    assert lines["sums"].p.startswith("q ")
    assert (lines["dates"].c.code, lines["dates"].delta) == ("no_change", 0.0)
    assert "Exploratory" in page.content.decode()
    assert "slice=metadata.topic" in page.context["items"].chips()[0].url


def test_the_fields_of_the_items_are_offered_for_slices_and_clusters(
    project: Project, pair: tuple[Run, Run], viewer: User, client_for: ClientFor
) -> None:
    page = client_for(viewer).get(address(project, *pair))
    assert [choice.value for choice in page.context["slicings"]] == [
        "",
        "metadata.document",
        "metadata.topic",
    ]
    assert [choice.value for choice in page.context["clusters"]] == [
        "none",
        "metadata.document",
        "metadata.topic",
    ]


def test_clusters_change_the_interval_and_stay_in_every_address(
    project: Project, pair: tuple[Run, Run], viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    plain = client.get(address(project, *pair)).context["lines"][0].c
    page = client.get(address(project, *pair, cluster="metadata.document"))
    clustered = page.context["lines"][0].c
    assert clustered.difference.clusters == 20
    assert clustered.ci95 != plain.ci95
    assert "Standard errors by cluster: metadata.document." in page.content.decode()
    assert "cluster=metadata.document" in page.context["swap_url"]
    hidden = '<input type="hidden" name="cluster" value="metadata.document">'
    part = client.get(
        address(project, *pair, name="compare_items", cluster="metadata.document"), headers=HTMX
    )
    assert hidden in part.content.decode()


def test_cost_tokens_and_latency_change_with_their_intervals(
    project: Project, pair: tuple[Run, Run], viewer: User, client_for: ClientFor
) -> None:
    page = client_for(viewer).get(address(project, *pair))
    lines = {line.name: line for line in page.context["costs"]}
    assert lines["Cost"].percent == "+100%"
    assert lines["Cost for 1,000 items"].certain
    assert lines["Cost for 1,000 items"].change == pytest.approx(
        1000 * 0.01 * (1 + sum(place % 7 for place in range(N)) / N / 10)
    )
    assert lines["Tokens, mean by item"].change == 10
    assert (lines["Errors"].a, lines["Errors"].b) == ("0", "0")
    latency = page.context["latency_change"]
    assert (latency.change, latency.certain) == (50.0, True)
    assert "B costs 2.0 times as much." in page.content.decode()


def test_the_verdict_says_latency_as_its_panel_does(
    pair: tuple[Run, Run], editor: User, client_for: ClientFor
) -> None:
    a, b = pair
    client, address = client_for(editor), reverse("runs:compare", args=[a.project.slug])
    slower = client.get(f"{address}?run={a.number}&run={b.number}").content.decode()
    assert "B is 50 ms slower for a typical item." in slower
    faster = client.get(f"{address}?run={b.number}&run={a.number}").content.decode()
    assert "B is 50 ms faster for a typical item." in faster


def test_an_open_item_leads_to_its_neighbours_across_pages(
    project: Project, pair: tuple[Run, Run], viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    first = client.get(address(project, *pair, f="improved", i=2)).context["items"].open
    assert first.previous == ""
    last = client.get(address(project, *pair, f="improved", i=40)).context["items"].open
    over = client.get(last.next).context["items"]
    assert (over.open.pair.number, over.page.first) == (42, 20)
    back = client.get(over.open.previous).context["items"]
    assert (back.open.pair.number, back.page.first) == (40, 0)
    end = client.get(address(project, *pair, f="improved", i=60, after=20)).context["items"].open
    assert end.next == ""


def test_what_changed_in_an_item_between_two_versions_is_shown_word_by_word(
    project: Project,
    items: Dataset,
    pair: tuple[Run, Run],
    owner: User,
    viewer: User,
    client_for: ClientFor,
) -> None:
    content: dict[str, Any] = {"input": "question 1 reworded", "expected_output": "answer 1"}
    revision = current_item(items, 1).pk
    update_item(dataset=items, number=1, revision=revision, content=parse_item(content), by=owner)
    items.refresh_from_db()
    later = make_finished_run(items, owner, ["x"] * N, {"answer": [1.0] * N})
    page = client_for(viewer).get(address(project, pair[0], later, f="changed", i=1))
    html = page.content.decode()
    assert "Input changed" in html
    assert "question 1<ins> reworded</ins>" in html
    assert "1 with changed content" in html
    assert [edit.label for edit in page.context["items"].open.edits] == ["Input"]


def test_errors_make_a_column_of_pairs(
    project: Project,
    items: Dataset,
    pair: tuple[Run, Run],
    owner: User,
    viewer: User,
    client_for: ClientFor,
) -> None:
    client = client_for(viewer)
    column = '<th scope="col" class="num">Pairs</th>'
    assert column not in client.get(address(project, *pair)).content.decode()
    outputs: list[object] = ["x"] * (N - 1)
    short = make_finished_run(items, owner, [*outputs, TimeoutError("late")], {"answer": [1.0] * N})
    html = client.get(address(project, pair[0], short)).content.decode()
    assert column in html
    assert "1 left out" in html


def test_a_further_run_makes_it_a_comparison_of_three(
    project: Project, items: Dataset, pair: tuple[Run, Run], owner: User, client_for: ClientFor
) -> None:
    third = make_finished_run(items, owner, ["x"] * N, {"answer": [1.0] * N})
    client = client_for(owner)
    page = client.get(address(project, *pair))
    assert [run.number for run in page.context["addable"]] == [third.number]
    form = f"{address(project, *pair)}&run={third.number}&margin=2&cluster=none"
    assert len(client.get(form).context["chosen"]) == 3
    untouched = f"{address(project, *pair)}&run=&margin=2&cluster=none"
    assert client.get(untouched).context["comparison"].b.number == pair[1].number


def test_the_counts_of_a_slice_lead_to_its_items(
    project: Project, pair: tuple[Run, Run], viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    page = client.get(address(project, *pair, slice="metadata.topic"))
    sums = next(line for line in page.context["slices"] if line.c.name == "sums")
    link = sums.improved_url.partition("#")[0]
    assert f'href="{sums.improved_url.replace("&", "&amp;")}"' in page.content.decode()
    opened = client.get(link)
    view = opened.context["items"]
    assert (view.page.total, view.page.counts["improved"]) == (30, 30)
    assert all(row.item.number % 2 == 0 for row in view.page.rows)
    html = opened.content.decode()
    assert "<bdi>sums</bdi>" in html
    assert "value=sums" in view.next_url()
    assert ("value", "sums") in view.hidden()
    second = client.get(view.next_url())
    assert second.context["items"].page.first == 20
    middle = client.get(f"{view.next_url()}&i={second.context['items'].page.rows[0].number}")
    assert "value=sums" in middle.context["items"].open.previous
    all_items = client.get(view.whole_url()).context["items"]
    assert (all_items.within, all_items.page.total) == (None, 30)
    # The scores' own links lead to all items.
    assert "value=" not in opened.context["lines"][0].improved_url
    part = client.get(view.whole_part_url(), headers=HTMX)
    assert "<bdi>sums</bdi>" not in part.content.decode()
    nowhere = client.get(f"{link.replace('value=sums', 'value=nowhere')}")
    assert "No items improved" in nowhere.content.decode()
