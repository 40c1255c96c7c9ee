"""Margins of single scorers: kept with runs and datasets, held in comparisons, set in every door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app import public
from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from runs_app.actions.defaults import set_defaults
from runs_app.comparing import compare, margins_of
from runs_app.defaults import defaults_of
from runs_app.models import Run, RunChange
from tests.factories import make_dataset, make_finished_run, questions

pytestmark = pytest.mark.django_db

ClientFor = Callable[..., Client]
N = 60


@pytest.fixture
def items(project: Project, owner: User) -> Dataset:
    return make_dataset(project, owner, questions(N))


def run_of(items: Dataset, by: User, level: float, **margins: float | None) -> Run:
    """A run of two scorers; `exact` passes on all, `near` is `level` everywhere."""
    scorers = {
        name: {
            "spec": {"use": "levenshtein", "name": name}
            | ({} if said is None else {"margin": said})
        }
        for name, said in margins.items()
    }
    scores = {"exact": [1.0] * N, "near": [level] * N}
    return make_finished_run(items, by, ["x"] * N, scores, scorers=scorers)


def default(items: Dataset, by: User, *scorers: dict[str, Any]) -> None:
    row = public.datasets_by_id([items.pk])[items.pk]
    set_defaults(project=items.project, dataset=row, by=by, scorers=list(scorers))


def address(project: Project, *runs: Run, **more: object) -> str:
    asked = [f"run={run.number}" for run in runs] + [f"{key}={more[key]}" for key in more]
    return reverse("runs:compare", args=[project.slug]) + "?" + "&".join(asked)


def test_what_the_candidate_says_comes_first_and_2_points_last(items: Dataset, owner: User) -> None:
    said, bare = run_of(items, owner, 0.5, exact=7, near=None), run_of(items, owner, 0.5)
    other = run_of(items, owner, 0.5, exact=0, near=9)
    assert margins_of(bare, bare) == {"exact": 2.0, "near": 2.0}
    assert margins_of(said, bare) == {"exact": 7.0, "near": 2.0}
    assert margins_of(said, other) == {"exact": 0.0, "near": 9.0}
    default(items, owner, {"use": "levenshtein", "name": "near", "margin": 4})
    assert margins_of(said, bare) == {"exact": 7.0, "near": 4.0}
    assert margins_of(other, bare) == {"exact": 0.0, "near": 9.0}


def test_the_verdict_is_held_to_the_stored_margin_unless_another_is_asked_for(
    items: Dataset, owner: User
) -> None:
    """`near` falls by 1 point on every item."""
    a = run_of(items, owner, 0.51)
    b = run_of(items, owner, 0.5, near=5)
    own = {each.name: each for each in compare(a, b).scorers}
    assert (own["exact"].margin_points, own["near"].margin_points) == (2, 5)
    assert "smaller than your margin" in own["near"].sentence
    asked = {each.name: each for each in compare(a, b, margin=0.5).scorers}
    assert asked["near"].margin_points == 0.5
    assert "past your margin of 0.5 points" in asked["near"].verdict.lead
    single = {each.name: each for each in compare(a, b, margin=0.5, margins={"near": 3}).scorers}
    assert (single["exact"].margin_points, single["near"].margin_points) == (0.5, 3)


def test_another_margin_is_no_other_way_of_scoring(items: Dataset, owner: User) -> None:
    found = compare(run_of(items, owner, 0.5, near=1), run_of(items, owner, 0.5, near=9))
    assert found.settings_differ == ()


def test_the_page_shows_each_scorers_margin_and_the_address_may_say_another(
    project: Project, items: Dataset, owner: User, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    pair = [run_of(items, owner, 0.5), run_of(items, owner, 0.5, near=5)]
    html = client.get(address(project, *pair)).content.decode()
    assert "<small>primary, margin 2</small>" in html
    assert "<small>margin 5</small>" in html
    assert 'id="margin" name="margin" value="" placeholder="own"' in html
    asked = client.get(address(project, *pair, margin=3)).content.decode()
    assert "<small>primary</small>" in asked
    assert "margin, 3 points worse" in asked
    assert 'name="margin" value="3"' in asked
    same = client.get(address(project, pair[0], run_of(items, owner, 0.5))).content.decode()
    assert 'value="" placeholder="2"' in same


def test_the_margin_stands_on_the_worse_side(
    project: Project, items: Dataset, owner: User, viewer: User, client_for: ClientFor
) -> None:
    pair = [run_of(items, owner, 0.5), run_of(items, owner, 0.4)]
    for run in pair:
        run.scorers.filter(name="near").update(higher_is_better=False)
    page = client_for(viewer).get(address(project, *pair))
    assert [line.margin_at for line in page.context["lines"]] == [-2, 2]


def test_it_is_set_on_the_form_of_the_defaults_and_shown(
    items: Dataset, owner: User, client_for: ClientFor
) -> None:
    client = client_for(owner)
    form = reverse("runs:defaults", args=[items.project.slug, items.slug])
    row = {"scorer": "0:contains", "scorer-0-name": "mentions"}
    refused = client.post(form, row | {"scorer-0-margin": "101"})
    assert refused.status_code == 422
    assert "a number of points from 0 to 100" in refused.content.decode()
    assert client.post(form, row | {"scorer-0-margin": "4.5"}).status_code == 302
    assert defaults_of(items.pk).scorers[0]["margin"] == 4.5
    assert 'name="scorer-0-margin" value="4.5"' in client.get(form).content.decode()
    settings = reverse("datasets:settings", args=[items.project.slug, items.slug])
    assert "mentions (margin 4.5 points)" in client.get(settings).content.decode()
    assert client.post(form, row | {"scorer-0-margin": ""}).status_code == 302
    assert "margin" not in defaults_of(items.pk).scorers[0]


def test_stored_changes_are_made_again_when_a_margin_changes(items: Dataset, owner: User) -> None:
    run = run_of(items, owner, 0.5)
    default(items, owner, {"use": "levenshtein", "name": "near"})
    RunChange.objects.create(run=run, key="k", data={})
    default(items, owner, {"use": "levenshtein", "name": "near", "threshold": 0.1})
    assert RunChange.objects.count() == 1
    default(items, owner, {"use": "levenshtein", "name": "near", "margin": 3})
    assert RunChange.objects.count() == 0
