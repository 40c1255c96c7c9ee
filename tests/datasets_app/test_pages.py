"""The pages of datasets, as people with each role meet them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from datasets_app.actions import create_dataset
from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from evalhub.kit import slots
from tests.datasets_app.pages import HTMX, ClientFor, change, many, url

READ_PAGES = ["detail", "item", "versions", "settings"]
EDIT_PAGES = ["item_new", "item_edit", "item_delete", "delete", "import"]
WITH_NUMBER = {"item", "item_edit", "item_delete"}


@pytest.fixture(autouse=True)
def no_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pages alone: what runs put into them is tested with runs."""
    monkeypatch.setattr(slots, "_providers", {})


def page_of(name: str, dataset: Dataset) -> str:
    return url(name, dataset, *([1] if name in WITH_NUMBER else []))


# Who may see and do what


@pytest.mark.parametrize("name", READ_PAGES)
def test_a_viewer_reads_every_page_and_finds_no_button_to_change(
    name: str, dataset: Dataset, viewer: User, client_for: ClientFor
) -> None:
    response = client_for(viewer).get(page_of(name, dataset))
    assert response.status_code == 200
    for action in ("Add item", "Import", "Delete dataset", "Edit</a>"):
        assert action not in response.content.decode()


@pytest.mark.parametrize("name", [*READ_PAGES, *EDIT_PAGES])
def test_a_stranger_learns_nothing(
    name: str, dataset: Dataset, stranger: User, client_for: ClientFor
) -> None:
    assert client_for(stranger).get(page_of(name, dataset)).status_code == 404


@pytest.mark.parametrize("name", EDIT_PAGES)
def test_changing_needs_an_editor(
    name: str, dataset: Dataset, viewer: User, editor: User, client_for: ClientFor
) -> None:
    assert client_for(viewer).get(page_of(name, dataset)).status_code == 403
    assert client_for(viewer).post(page_of(name, dataset)).status_code == 403
    assert client_for(editor).get(page_of(name, dataset)).status_code == 200


def test_a_viewer_cannot_rename_a_dataset(
    dataset: Dataset, viewer: User, client_for: ClientFor
) -> None:
    response = client_for(viewer).post(url("settings", dataset), {"name": "Mine now"})
    assert response.status_code == 403
    dataset.refresh_from_db()
    assert dataset.name == "Sums"


def test_a_dataset_of_another_project_is_not_there(
    dataset: Dataset, stranger: User, client_for: ClientFor
) -> None:
    address = reverse("datasets:detail", args=["elsewhere", dataset.slug])
    assert client_for(stranger).get(address).status_code == 404


# The list of datasets


def test_the_list_shows_each_dataset_with_its_items_and_version(
    dataset: Dataset, viewer: User, client_for: ClientFor
) -> None:
    response = client_for(viewer).get(reverse("datasets:list", args=[dataset.project.slug]))
    assert response.status_code == 200
    text = response.content.decode()
    assert "Sums" in text
    assert "1 dataset, 3 items" in text
    assert url("detail", dataset) in text


def test_searching_answers_with_the_rows_alone_when_htmx_asks(
    dataset: Dataset, owner: User, client_for: ClientFor
) -> None:
    create_dataset(project=dataset.project, name="Letters", by=owner)
    address = reverse("datasets:list", args=[dataset.project.slug]) + "?q=sum"
    whole = client_for(owner).get(address).content.decode()
    part = client_for(owner).get(address, headers=HTMX | {"HX-Target": "datasets"}).content.decode()
    assert "<html" in whole
    assert "<html" not in part
    for text in (whole, part):
        assert "Sums" in text
        assert "Letters" not in text


def test_an_empty_project_offers_the_next_step(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    response = client_for(editor).get(reverse("datasets:list", args=[project.slug]))
    assert "No datasets yet" in response.content.decode()
    assert reverse("datasets:new", args=[project.slug]) in response.content.decode()


def test_the_second_page_of_datasets_goes_on_where_the_first_ends(
    project: Project, owner: User, client_for: ClientFor
) -> None:
    for number in range(53):
        create_dataset(project=project, name=f"Set {number:02d}", by=owner)
    client = client_for(owner)
    first = client.get(reverse("datasets:list", args=[project.slug]))
    second = client.get(reverse("datasets:list", args=[project.slug]) + first.context["next"])
    names = [row["dataset"].name for page in (first, second) for row in page.context["rows"]]
    assert sorted(names) == [f"Set {number:02d}" for number in range(53)]
    assert second.context["next"] == ""


def test_the_list_shows_the_last_run_that_a_provider_gives(
    dataset: Dataset, viewer: User, client_for: ClientFor
) -> None:
    run = {
        "target": "triage v2",
        "status": "completed",
        "errors": 0,
        "finished_at": dataset.created_at,
        "scorer": "answer",
        "kind": "binary",
        "mean": 0.913,
        "means": [0.7, None, 0.913],
    }
    slots.provide("dataset.last_run", lambda ids: dict.fromkeys(ids, run))
    text = (
        client_for(viewer)
        .get(reverse("datasets:list", args=[dataset.project.slug]))
        .content.decode()
    )
    assert "triage v2" in text
    assert "91.3%" in text
    assert "sparkline" in text


# A dataset itself


def test_a_new_dataset_is_made_without_script(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    address = reverse("datasets:new", args=[project.slug])
    assert "<html" in client.get(address).content.decode()
    response = client.post(address, {"name": "Refunds", "description": "Hard ones"})
    made = Dataset.objects.get(slug="refunds")
    assert response.status_code == 302
    assert response["Location"] == url("detail", made)
    assert made.description == "Hard ones"


def test_a_new_dataset_goes_on_to_the_import_when_asked(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    response = client_for(editor).post(
        reverse("datasets:new", args=[project.slug]), {"name": "Refunds", "then": "import"}
    )
    assert response["Location"] == url("import", Dataset.objects.get())


def test_the_dialog_is_answered_with_a_full_load_or_with_the_form(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    address = reverse("datasets:new", args=[project.slug])
    headers = HTMX | {"HX-Target": "modal"}
    assert "<html" not in client.get(address, headers=headers).content.decode()
    wrong = client.post(address, {"name": ""}, headers=headers)
    assert wrong.status_code == 422
    assert "Give the dataset a name." in wrong.content.decode()
    right = client.post(address, {"name": "Refunds"}, headers=headers)
    assert right["HX-Redirect"] == url("detail", Dataset.objects.get())


def test_a_name_that_is_taken_is_said_at_the_field(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    response = client_for(editor).post(
        reverse("datasets:new", args=[dataset.project.slug]), {"name": "Sums"}
    )
    assert response.status_code == 409
    assert "Choose another name" in response.content.decode()
    assert response.context["form"].errors["name"]


def test_the_settings_rename_a_dataset_and_keep_its_address(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    response = client_for(editor).post(
        url("settings", dataset), {"name": "Big sums", "description": "Above 100"}
    )
    assert response["Location"] == url("settings", dataset)
    dataset.refresh_from_db()
    assert (dataset.name, dataset.slug) == ("Big sums", "sums")


def test_deleting_a_dataset_asks_for_its_name(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    wrong = client.post(url("delete", dataset), {"name": "sums?"})
    assert wrong.status_code == 422
    assert "Type Sums to delete it." in wrong.content.decode()
    right = client.post(url("delete", dataset), {"name": "Sums"})
    assert right.status_code == 302
    dataset.refresh_from_db()
    assert dataset.deleted_at is not None


def test_the_address_of_a_dataset_leads_to_its_items(
    dataset: Dataset, viewer: User, client_for: ClientFor
) -> None:
    assert client_for(viewer).get(url("root", dataset))["Location"] == url("detail", dataset)


def test_the_shell_links_to_what_runs_provide(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    asked: list[Any] = []

    def links(slugs: list[str], *, project_slug: str) -> dict[str, dict[str, str]]:
        asked.append((slugs, project_slug))
        return {slugs[0]: {"runs": "/the-runs", "new_run": "/a-new-run", "compare": "/pair"}}

    slots.provide("dataset.links", links)
    text = client_for(editor).get(url("detail", dataset)).content.decode()
    assert asked == [(["sums"], "support")]
    for address in ("/the-runs", "/a-new-run", "/pair"):
        assert f'href="{address}"' in text


def test_the_versions_say_who_changed_how_much_and_why(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    change(dataset, 1, editor, "Spelled out", expected_output="two")
    text = client_for(editor).get(url("versions", dataset)).content.decode()
    for said in ("Spelled out", "1 changed", "3 added", "editor", "owner"):
        assert said in text
    assert url("detail", dataset) + "?v=1" in text


def test_a_form_without_its_csrf_token_is_refused(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor, enforce_csrf_checks=True)
    assert client.post(url("delete", dataset), {"name": "Sums"}).status_code == 403


MOST_QUERIES = {"detail": 20, "item": 28, "versions": 16}  # the open item adds a list beside it


@pytest.mark.parametrize("name", MOST_QUERIES)
def test_a_page_takes_as_many_queries_for_sixty_rows_as_for_three(
    name: str, dataset: Dataset, owner: User, client_for: ClientFor
) -> None:
    client, address = client_for(owner), page_of(name, dataset)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    many(dataset, 47, owner)
    for turn in range(10):
        change(dataset, 1, owner, expected_output=f"{turn}")
    with CaptureQueriesContext(connection) as more:
        client.get(address)
    assert len(more) == len(few) <= MOST_QUERIES[name]


def test_the_list_of_datasets_takes_as_many_queries_for_forty_as_for_one(
    dataset: Dataset, owner: User, client_for: ClientFor
) -> None:
    client = client_for(owner)
    address = reverse("datasets:list", args=[dataset.project.slug])
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for number in range(39):
        create_dataset(project=dataset.project, name=f"Set {number}", by=owner)
    with CaptureQueriesContext(connection) as more:
        client.get(address)
    assert len(more) == len(few) <= 10
