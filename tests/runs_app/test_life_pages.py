"""The pages on which a run is paused, resumed, retried, scored again and deleted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app.models import Dataset
from evalhub.access.models import User
from runs_app.engine import rescoring
from runs_app.models import Rescore, Run
from tests.factories import make_active_run, make_finished_run

pytestmark = pytest.mark.django_db
ClientFor = Callable[..., Client]


def url(run: Run, name: str) -> str:
    return reverse(f"runs:{name}", args=[run.project.slug, run.number])


def said(client: Client, address: str) -> str:
    """What the page says after a POST to `address`."""
    return client.post(address, follow=True).content.decode()


@pytest.fixture
def over(dataset: Dataset, owner: User) -> Run:
    return make_finished_run(dataset, owner, ["2", ValueError("no"), "x"], {"exact": [1, None, 0]})


def test_a_run_is_paused_and_goes_on(
    dataset: Dataset, owner: User, editor: User, client_for: ClientFor
) -> None:
    run, client = make_active_run(dataset, owner), client_for(editor)
    assert "Calls in flight still end." in said(client, url(run, "pause"))
    run.refresh_from_db()
    assert run.paused_at is not None
    assert f"Run {run.number} goes on." in said(client, url(run, "resume"))
    run.refresh_from_db()
    assert run.paused_at is None


def test_a_run_that_is_over_is_retried_and_one_without_errors_says_why_not(
    dataset: Dataset, over: Run, owner: User, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    assert "is open again" in said(client, url(over, "retry"))
    over.refresh_from_db()
    assert over.status == "running"
    fine = make_finished_run(dataset, owner, ["2", "x", "y"], {"exact": [1, 0, 0]})
    assert "has no errors and skipped nothing to retry" in said(client, url(fine, "retry"))


@pytest.mark.parametrize("name", ["pause", "resume", "retry"])
def test_a_link_changes_nothing(over: Run, editor: User, client_for: ClientFor, name: str) -> None:
    assert client_for(editor).get(url(over, name)).status_code == 405


@pytest.mark.parametrize("name", ["pause", "resume", "retry", "rescore", "delete"])
def test_a_viewer_may_not(over: Run, viewer: User, client_for: ClientFor, name: str) -> None:
    given = {"number": str(over.number), "scorer": ["0:contains"], "scorer-0-name": "contains"}
    assert client_for(viewer).post(url(over, name), given).status_code == 403
    over.refresh_from_db()
    assert (over.status, over.deleted_at) == ("completed", None)
    assert not Rescore.objects.exists()


def test_scoring_again_begins_with_the_scorers_that_the_run_has(
    over: Run, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    page = client.get(url(over, "rescore"))
    assert [row["name"].value() for row in page.context["scorers"].rows] == ["exact"]
    assert "2 outputs to score" in page.content.decode()
    typed = {"scorer": ["0:exact_match"], "scorer-0-name": "exact", "mode": "add"}
    added = client.post(url(over, "rescore"), typed | {"add_scorer": "contains"})
    assert [row.builtin.use for row in added.context["scorers"].rows] == ["exact_match", "contains"]
    assert added.context["mode"] == "add"
    assert not Rescore.objects.exists()


def test_a_run_is_scored_again_with_what_the_form_says(
    over: Run, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    given = {"scorer": ["0:contains"], "scorer-0-name": "has", "mode": "add", "start": "1"}
    assert client.post(url(over, "rescore"), given)["Location"] == url(over, "detail")
    assert "has: 0 of 2 results are scored" in client.get(url(over, "rescore")).content.decode()
    rescoring.work(Rescore.objects.get().pk)
    assert [scorer.name for scorer in over.scorers.all()] == ["exact", "has"]
    replaced = client.post(url(over, "rescore"), given | {"mode": "replace"})
    assert replaced.status_code == 302
    rescoring.work(Rescore.objects.latest("pk").pk)
    assert [scorer.name for scorer in over.scorers.all()] == ["has"]


def test_scorers_that_cannot_be_are_refused_on_the_page(
    dataset: Dataset, over: Run, owner: User, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    bad = {"scorer": ["0:regex"], "scorer-0-name": "r", "scorer-0-pattern": "("}
    assert client.post(url(over, "rescore"), bad).status_code == 422
    none = client.post(url(over, "rescore"), {"mode": "add"})
    assert "Add at least one scorer." in none.content.decode()
    active = make_active_run(dataset, owner)
    assert "Only a run that is over" in client.get(url(active, "rescore")).content.decode()
    assert not Rescore.objects.exists()


def test_a_run_is_deleted_by_typing_its_number(
    over: Run, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    page = client.get(url(over, "delete")).content.decode()
    assert "This removes 3 results with all scores." in page
    wrong = client.post(url(over, "delete"), {"number": "99"})
    assert wrong.status_code == 422
    assert f"Type {over.number} to delete this run." in wrong.content.decode()
    done = client.post(url(over, "delete"), {"number": f" #{over.number}"}, follow=True)
    assert f"Run {over.number} is deleted." in done.content.decode()
    assert client.get(url(over, "detail")).status_code == 404


def test_a_run_that_goes_on_is_not_deleted(
    dataset: Dataset, owner: User, editor: User, client_for: ClientFor
) -> None:
    run, client = make_active_run(dataset, owner), client_for(editor)
    answer = client.post(url(run, "delete"), {"number": str(run.number)})
    assert answer.status_code == 422
    assert "Cancel it first" in answer.content.decode()
