"""The page of a run that goes on: polling, filling the list, and cancelling."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from runs_app import states
from runs_app.models import Run
from tests.factories import make_active_run, make_finished_run

pytestmark = pytest.mark.django_db
ClientFor = Callable[..., Client]

HTMX = {"HX-Request": "true"}


@pytest.fixture
def run(dataset: Dataset, owner: User) -> Run:
    """A run that is over, with three results."""
    return make_finished_run(dataset, owner, ["2"] * 3, {"answer": [1, 0, 1]})


def url(project: Project, name: str, *args: object) -> str:
    return reverse(f"runs:{name}", args=[project.slug, *args])


def test_a_running_run_polls_and_has_a_refresh_without_script(
    project: Project, dataset: Dataset, owner: User, viewer: User, client_for: ClientFor
) -> None:
    going = make_active_run(dataset, owner)
    page = client_for(viewer).get(url(project, "detail", going.number))
    html = page.content.decode()
    assert "<title>66% · Run" in html
    assert 'hx-trigger="every 2s"' in html
    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in html
    assert "2 of 3 items" in html
    assert [shown.row.number for shown in page.context["rows"]] == [2, 1]  # newest first


def test_the_polled_region_holds_no_form_and_tells_of_new_results(
    project: Project, dataset: Dataset, owner: User, editor: User, client_for: ClientFor
) -> None:
    going = make_active_run(dataset, owner)
    page = client_for(editor).get(url(project, "live", going.number), {"shown": 1}, headers=HTMX)
    html = page.content.decode()
    assert "<form" not in html
    assert "Show 1 new result" in html
    assert 'data-title="66% · Run' in html
    assert "?shown=1" in html


def test_an_empty_list_is_told_to_fill_itself_and_a_full_one_is_not(
    project: Project, dataset: Dataset, run: Run, owner: User, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    waiting = make_active_run(dataset, owner, states.PENDING, done=0)
    page = client.get(url(project, "detail", waiting.number)).content.decode()
    assert 'hx-trigger="first-results from:body"' in page
    polled = client.get(url(project, "live", waiting.number), {"shown": 0}, headers=HTMX)
    assert "HX-Trigger" not in polled
    going = make_active_run(dataset, owner)
    for each, done in ((going, 2), (run, 3)):
        first = client.get(url(project, "live", each.number), {"shown": 0}, headers=HTMX)
        assert first["HX-Trigger"] == "first-results"
        assert b"new result" not in first.content
        later = client.get(url(project, "live", each.number), {"shown": done}, headers=HTMX)
        assert "HX-Trigger" not in later
    listed = client.get(
        url(project, "detail", run.number), headers=HTMX | {"HX-Target": "results"}
    ).content.decode()
    assert "first-results" not in listed


def test_a_poll_brings_the_status_and_at_the_end_the_badge_of_the_sidebar(
    project: Project, dataset: Dataset, run: Run, owner: User, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    going = make_active_run(dataset, owner)
    html = client.get(url(project, "live", going.number), headers=HTMX).content.decode()
    assert '<span id="run-status" hx-swap-oob="true">' in html
    ended = client.get(url(project, "live", run.number), headers=HTMX).content.decode()
    assert 'id="running-count" hx-swap-oob="true">1<' in ended


def test_the_last_poll_drops_the_trigger_and_brings_the_new_header(
    project: Project, run: Run, viewer: User, client_for: ClientFor
) -> None:
    html = client_for(viewer).get(url(project, "live", run.number), headers=HTMX).content.decode()
    assert "every 2s" not in html
    assert 'hx-swap-oob="true"' in html
    assert "Completed" in html


def test_a_pending_run_says_that_it_waits(
    project: Project, dataset: Dataset, owner: User, viewer: User, client_for: ClientFor
) -> None:
    waiting = make_active_run(dataset, owner, states.PENDING, done=0)
    html = client_for(viewer).get(url(project, "detail", waiting.number)).content.decode()
    assert "Waiting for a worker" in html
    assert "No results yet" in html


def test_cancelling_asks_first_and_then_stops_the_run(
    project: Project, dataset: Dataset, owner: User, editor: User, client_for: ClientFor
) -> None:
    going = make_active_run(dataset, owner, states.PENDING, done=0)
    client = client_for(editor)
    page = url(project, "cancel", going.number)
    assert "Cancel run" in client.get(page).content.decode()
    going.refresh_from_db()
    assert going.cancel_requested_at is None
    answer = client.post(page)
    assert answer["Location"] == url(project, "detail", going.number)
    going.refresh_from_db()
    assert going.status == states.CANCELLED
    assert client.get(page)["Location"] == url(project, "detail", going.number)


def test_a_run_that_is_over_cannot_be_cancelled(
    project: Project, run: Run, editor: User, client_for: ClientFor
) -> None:
    assert client_for(editor).post(url(project, "cancel", run.number)).status_code == 409
    run.refresh_from_db()
    assert run.status == states.COMPLETED
