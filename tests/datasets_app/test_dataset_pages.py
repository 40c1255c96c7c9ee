"""The list of datasets, and what can be done with one in the browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app.actions import archive_dataset, pin_dataset, update_dataset
from datasets_app.models import Dataset
from datasets_app.views import datasets as views
from evalhub.access.models import Project, User
from tests.factories import make_dataset, questions

pytestmark = [pytest.mark.django_db, pytest.mark.db]


@pytest.fixture
def shelf(project: Project, owner: User, editor: User) -> dict[str, Dataset]:
    """a (2 items), b (pinned, tagged), C (5 items, the editor's), old (archived)."""
    made = {
        "a": make_dataset(project, owner, questions(2), name="a"),
        "b": make_dataset(project, owner, questions(1), name="b"),
        "C": make_dataset(project, editor, questions(5), name="C"),
        "old": make_dataset(project, owner, questions(1), name="old"),
    }
    update_dataset(dataset=made["b"], by=owner, tags=["maths", "ünï"])
    update_dataset(dataset=made["a"], by=owner, tags=["mat"], description="**bold** <b>x</b>")
    pin_dataset(dataset=made["b"], by=owner)
    archive_dataset(dataset=made["old"], by=owner)
    return made


def listed(client: Client, project: Project, **query: str) -> list[str]:
    page = client.get(reverse("datasets:list", args=[project.slug]), query).content.decode()
    return re.findall(r'<a class="row-link" href="[^"]+">([^<]+)</a>', page)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["b", "a", "C"]),
        ({"sort": "name"}, ["b", "a", "C"]),
        ({"sort": "items"}, ["b", "C", "a"]),
        ({"tag": "mat"}, ["a"]),
        ({"tag": "ünï"}, ["b"]),
        ({"show": "mine"}, ["C"]),
        ({"show": "archived"}, ["old"]),
        ({"q": "bold"}, ["a"]),
        ({"tag": "nosuch"}, []),
        ({"show": "nosuch", "sort": "nosuch"}, ["b", "a", "C"]),
    ],
)
def test_the_list_has_pinned_ones_first_and_shows_what_is_asked_for(
    client_for: Callable[..., Client],
    editor: User,
    shelf: dict[str, Dataset],
    query: dict[str, str],
    found: list[str],
) -> None:
    assert listed(client_for(editor), shelf["a"].project, **query) == found


@pytest.mark.parametrize("sort", list(views.SORTS))
def test_pages_of_the_list_join_without_a_gap(
    client_for: Callable[..., Client],
    owner: User,
    shelf: dict[str, Dataset],
    monkeypatch: pytest.MonkeyPatch,
    sort: str,
) -> None:
    project = shelf["a"].project
    for name in ("d", "D 2", "e"):  # as many items as others have
        make_dataset(project, owner, questions(2), name=name)
    pin_dataset(dataset=shelf["C"], by=owner)
    client = client_for(owner)
    whole = listed(client, project, sort=sort)
    monkeypatch.setattr(views, "PAGE_SIZE", 2)
    found, cursor = [], ""
    for _ in range(4):
        query = {"sort": sort} | ({"cursor": cursor} if cursor else {})
        found += listed(client, project, **query)
        page = client.get(reverse("datasets:list", args=[project.slug]), query).content.decode()
        after = re.search(r"cursor=(\d+)", page)
        if after is None:
            break
        cursor = after.group(1)
    assert found == whole
    assert len(whole) == 6


def test_a_description_is_markdown_and_harmless(
    client_for: Callable[..., Client], viewer: User, shelf: dict[str, Dataset]
) -> None:
    project = shelf["a"].project
    page = client_for(viewer).get(reverse("datasets:detail", args=[project.slug, "a"]))
    assert "<strong>bold</strong> &lt;b&gt;x" in page.content.decode()
    rows = client_for(viewer).get(reverse("datasets:list", args=[project.slug])).content.decode()
    assert "bold &lt;b&gt;x&lt;/b&gt;" in rows


def test_pinning_archiving_and_taking_out_are_forms(
    client_for: Callable[..., Client], editor: User, viewer: User, shelf: dict[str, Dataset]
) -> None:
    project, dataset = shelf["a"].project, shelf["a"]
    client = client_for(editor)

    def act(name: str, by: Client = client) -> int:
        status: int = by.post(reverse(f"datasets:{name}", args=[project.slug, "a"])).status_code
        dataset.refresh_from_db()
        return status

    assert act("pin") == 302
    assert dataset.pinned_at is not None
    sidebar = client.get(reverse("runs:list", args=[project.slug])).content.decode()
    assert "Pinned datasets" in sidebar
    assert act("archive") == 302
    assert dataset.archived_at is not None
    page = client.get(reverse("datasets:detail", args=[project.slug, "a"])).content.decode()
    assert "This dataset is archived." in page
    assert "Take it out of the archive" in page
    assert "Add item" not in page
    assert act("unarchive") == 302
    assert dataset.archived_at is None
    assert act("archive", client_for(viewer)) == 403
    assert client.get(reverse("datasets:archive", args=[project.slug, "a"])).status_code == 405


def test_a_duplicate_asks_for_a_name_and_says_when_it_is_taken(
    client_for: Callable[..., Client], editor: User, shelf: dict[str, Dataset]
) -> None:
    client, project = client_for(editor), shelf["a"].project
    address = reverse("datasets:duplicate", args=[project.slug, "a"])
    assert 'value="Copy of a"' in client.get(address).content.decode()
    refused = client.post(address, {"name": "C"})
    assert refused.status_code == 409
    assert "There is a dataset" in refused.content.decode()
    made = client.post(address, {"name": "a again"})
    assert made["Location"] == reverse("datasets:detail", args=[project.slug, "a-again"])
    assert Dataset.objects.get(slug="a-again").tags == ["mat"]


def test_enter_in_a_new_dataset_presses_the_primary_button(
    client_for: Callable[..., Client], editor: User, project: Project
) -> None:
    address = reverse("datasets:new", args=[project.slug])
    page = client_for(editor).get(address).content.decode()
    form = page[page.index(f'action="{address}"') :]
    first = form[form.index("<button") :].partition(">")[0]
    assert 'name="then" value="import"' in first


def test_the_settings_keep_tags_and_description(
    client_for: Callable[..., Client], editor: User, shelf: dict[str, Dataset]
) -> None:
    client, project = client_for(editor), shelf["b"].project
    address = reverse("datasets:settings", args=[project.slug, "b"])
    assert 'value="maths, ünï"' in client.get(address).content.decode()
    client.post(address, {"name": "b", "description": "Text", "tags": "one, two"})
    shelf["b"].refresh_from_db()
    assert (shelf["b"].tags, shelf["b"].description) == (["one", "two"], "Text")
    refused = client.post(address, {"name": "b", "description": "", "tags": "x" * 41})
    assert refused.status_code == 422


def test_everybody_may_export(
    client_for: Callable[..., Client], viewer: User, shelf: dict[str, Dataset]
) -> None:
    client, project = client_for(viewer), shelf["old"].project
    page = client.get(reverse("datasets:detail", args=[project.slug, "old"])).content.decode()
    address = reverse("datasets:export", args=[project.slug, "old"])
    for kind in ("csv", "json", "jsonl"):
        assert f'href="{address}?format={kind}"' in page
    answer = client.get(address)
    assert b"question 1" in b"".join(answer.streaming_content)
