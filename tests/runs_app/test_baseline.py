"""The baseline of a dataset: pinned by a person, and what its runs changed against it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app import public
from datasets_app.actions.datasets import archive_dataset
from datasets_app.models import Dataset
from evalhub.access.models import AuditEntry, Project, User
from evalhub.kit import dispatch
from evalhub.kit.errors import Conflict, Invalid
from runs_app import changes
from runs_app.actions.baseline import set_baseline
from runs_app.actions.delete import delete_run
from runs_app.engine.finishing import finish_if_cancelled
from runs_app.models import DatasetDefaults, Run, RunChange
from tests.factories import make_dataset, make_finished_run, make_run, questions

pytestmark = [pytest.mark.db, pytest.mark.django_db]

ClientFor = Callable[..., Client]


@pytest.fixture
def forty(project: Project, owner: User) -> Dataset:
    return make_dataset(project, owner, questions(40))


def run_of(dataset: Dataset, by: User, right: int, **options: Any) -> Run:
    exact = [1.0] * right + [0.0] * (40 - right)
    levels = [value * 0.5 + 0.25 for value in exact]
    scores = {"exact": exact, "level": levels}
    return make_finished_run(dataset, by, ["x"] * 40, scores, **options)


def pin(run: Run, by: User) -> None:
    assert run.dataset_id is not None
    row = public.datasets_by_id([run.dataset_id])[run.dataset_id]
    set_baseline(project=run.project, dataset=row, run=run, by=by)


def test_a_run_shows_its_change_against_the_pinned_one(forty: Dataset, editor: User) -> None:
    base, run = run_of(forty, editor, 10), run_of(forty, editor, 30)
    assert changes.change_of(run, changes.baseline_of(forty.pk)) == {}
    pin(base, editor)
    found = changes.change_of(run, changes.baseline_of(forty.pk))
    assert list(found) == ["exact", "level"]
    exact = found["exact"]
    assert (exact.delta, exact.code, exact.pairs) == (0.5, "better", 40)
    assert exact.ci95 is not None
    assert 0.3 < exact.ci95[0] < 0.5 < exact.ci95[1]
    assert exact.interval.endswith(" points")
    assert exact.certain
    assert found["level"].delta == pytest.approx(0.25)


def test_the_baseline_has_no_change_against_itself(forty: Dataset, editor: User) -> None:
    base = run_of(forty, editor, 10)
    pin(base, editor)
    assert changes.change_of(base, changes.baseline_of(forty.pk)) == {}


def test_lists_read_stored_changes_that_a_worker_made(
    forty: Dataset, editor: User, django_assert_num_queries: Any
) -> None:
    base = run_of(forty, editor, 10)
    runs = [run_of(forty, editor, 20 + n) for n in range(3)]
    pin(base, editor)
    baselines = changes.baselines_of([forty.pk])
    assert changes.changes_of(runs, baselines) == {}
    changes.work(forty.pk)
    with django_assert_num_queries(1):
        found = changes.changes_of([base, *runs], baselines)
    assert {pk: change["exact"].delta for pk, change in found.items()} == {
        run.pk: pytest.approx(0.25 + n / 40) for n, run in enumerate(runs)
    }
    assert found[runs[0].pk] == changes.change_of(runs[0], base)


def test_a_stored_change_is_worth_nothing_once_a_run_changed(
    forty: Dataset, editor: User, django_assert_num_queries: Any
) -> None:
    base, run = run_of(forty, editor, 10), run_of(forty, editor, 30)
    pin(base, editor)
    changes.work(forty.pk)
    run.score_revision += 1
    run.save()
    assert changes.changes_of([run], {forty.pk: base}) == {}
    changes.work(forty.pk)
    assert list(changes.changes_of([run], {forty.pk: base})) == [run.pk]
    assert RunChange.objects.count() == 1


def test_only_a_run_of_the_dataset_that_is_over_can_be_pinned(
    forty: Dataset, project: Project, editor: User
) -> None:
    row = public.datasets_by_id([forty.pk])[forty.pk]
    other = make_run(make_dataset(project, editor, questions(1)), editor, 1)
    running = make_run(forty, editor, 40, status="running")
    for run in (other, running):
        with pytest.raises(Invalid) as refused:
            set_baseline(project=project, dataset=row, run=run, by=editor)
        assert refused.value.errors[0].pointer == "/run"
    done = run_of(forty, editor, 1)
    archive_dataset(dataset=forty, by=editor)
    with pytest.raises(Conflict):
        pin(done, editor)
    assert changes.baseline_of(forty.pk) is None


def test_a_deleted_baseline_is_none(forty: Dataset, editor: User) -> None:
    base = run_of(forty, editor, 10)
    pin(base, editor)
    delete_run(run=base, by=editor)
    assert changes.baseline_of(forty.pk) is None
    assert changes.baselines_of([forty.pk, None]) == {}


def test_pinning_leaves_the_other_defaults_and_is_told_once(forty: Dataset, editor: User) -> None:
    DatasetDefaults.objects.create(dataset=forty, target_ref="python:echo", cluster_field="input")
    base = run_of(forty, editor, 10)
    pin(base, editor)
    pin(base, editor)
    known = DatasetDefaults.objects.get(dataset=forty)
    assert (known.target_ref, known.cluster_field, known.baseline) == ("python:echo", "input", base)
    assert AuditEntry.objects.filter(action="dataset.baseline").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_run_that_ends_asks_a_worker_for_its_change_where_there_is_a_baseline(
    forty: Dataset, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[tuple[object, ...]] = []
    monkeypatch.setattr(dispatch, "wake_now", lambda *words: woken.append(words))
    base = run_of(forty, editor, 10)
    for pinned in (False, True):
        if pinned:
            pin(base, editor)
            woken.clear()
        run = make_run(forty, editor, 1, status="running")
        Run.objects.filter(pk=run.pk).update(cancel_requested_at=run.started_at)
        assert finish_if_cancelled(run.pk)
        assert woken == ([("runs.changes", forty.pk)] if pinned else [])


# Pages


def test_the_page_pins_and_unpins_and_says_what_changed(
    forty: Dataset, editor: User, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    base, run = run_of(forty, editor, 30), run_of(forty, editor, 10)
    address = reverse("runs:baseline", args=[forty.project.slug, base.number])
    page = reverse("runs:detail", args=[forty.project.slug, run.number])
    assert client.get(address).status_code == 405
    answer = client.post(address)
    assert answer["Location"] == reverse("runs:detail", args=[forty.project.slug, base.number])
    html = client.get(answer["Location"]).content.decode()
    assert "is the baseline of" in html
    assert "Unpin as baseline" in html
    html = client_for(viewer).get(page).content.decode()
    compare = reverse("runs:compare", args=[forty.project.slug])
    assert f'href="{compare}?run={base.number}&amp;run={run.number}"' in html
    assert "\u221250.0 pts" in html
    assert "Worse" in html
    assert "Pin as baseline" not in html
    client.post(address, {"unpin": "1", "back": "https://elsewhere.example/"})
    assert changes.baseline_of(forty.pk) is None
    assert client_for(viewer).post(address).status_code == 403


def test_the_list_shows_the_change_of_each_run_in_as_many_queries_for_many(
    forty: Dataset,
    editor: User,
    client_for: ClientFor,
    django_assert_max_num_queries: Any,
) -> None:
    client = client_for(editor)
    base = run_of(forty, editor, 30)
    for _ in range(4):
        run_of(forty, editor, 10)
    address = reverse("runs:of_dataset", args=[forty.project.slug, forty.slug])
    client.post(reverse("runs:baseline", args=[forty.project.slug, base.number]), {"back": address})
    changes.work(forty.pk)
    with django_assert_max_num_queries(22):
        html = client.get(address).content.decode()
    assert html.count("\u221250.0 pts") == 4
    assert "Unpin run 1 as baseline" in html
    assert "Pin run 2 as baseline" in html


def test_a_stranger_pins_nothing(
    forty: Dataset, editor: User, stranger: User, client_for: ClientFor
) -> None:
    base = run_of(forty, editor, 10)
    address = reverse("runs:baseline", args=[forty.project.slug, base.number])
    assert client_for(stranger).post(address).status_code == 404
    assert changes.baseline_of(forty.pk) is None


def test_the_chooser_has_the_baseline_chosen_already(
    forty: Dataset, editor: User, viewer: User, client_for: ClientFor
) -> None:
    base, run, other = (run_of(forty, editor, right) for right in (10, 20, 30))
    elsewhere = make_finished_run(
        make_dataset(forty.project, editor, questions(1)), editor, ["x"], {"exact": [1.0]}
    )
    client, here = client_for(viewer), reverse("runs:compare", args=[forty.project.slug])
    unpinned = client.get(f"{here}?run={run.number}")
    assert [side[2] for side in unpinned.context["sides"]] == [None, run]
    pin(base, editor)
    page = client.get(f"{here}?run={run.number}")
    assert [side[2] for side in page.context["sides"]] == [base, run]
    html = page.content.decode()
    assert f"Compare with the baseline, run {base.number}" in html
    assert f'href="{here}?run={base.number}&amp;run={run.number}"' in html
    assert f"#{other.number} " in html
    own = client.get(f"{here}?run={base.number}")  # the baseline as the candidate
    assert [side[2] for side in own.context["sides"]] == [None, base]
    assert [side[2] for side in client.get(here).context["sides"]] == [None, None]
    assert elsewhere in client.get(here).context["runs"]


def test_a_dataset_leads_to_its_runs_with_the_baseline_chosen(
    forty: Dataset, editor: User, viewer: User, stranger: User, client_for: ClientFor
) -> None:
    base, run = run_of(forty, editor, 10), run_of(forty, editor, 20)
    elsewhere = make_finished_run(
        make_dataset(forty.project, editor, questions(1)), editor, ["x"], {"exact": [1.0]}
    )
    client = client_for(viewer)
    items = reverse("datasets:detail", args=[forty.project.slug, forty.slug])
    here = f"{reverse('runs:compare', args=[forty.project.slug])}?dataset={forty.slug}"
    assert f'href="{here}"' in client.get(items, follow=True).content.decode()
    page = client.get(here)
    assert [side[2] for side in page.context["sides"]] == [None, None]
    assert elsewhere not in page.context["runs"]
    pin(base, editor)
    page = client.get(here)
    assert [side[2] for side in page.context["sides"]] == [base, None]
    html = page.content.decode()
    assert "Which run against the baseline?" in html
    assert f"?run={base.number}&amp;run={run.number}" in html
    assert client_for(stranger).get(here).status_code == 404
    assert client.get(here.replace(forty.slug, "nosuch")).status_code == 404
