"""What the runs of a dataset begin with: set, shown, used, and taken along to a duplicate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app import public
from datasets_app.actions import archive_dataset
from datasets_app.actions.duplicate import duplicate_dataset
from datasets_app.models import Dataset
from evalhub.access.models import User
from evalhub.kit.errors import Conflict, Invalid
from runs_app.actions.defaults import set_defaults
from runs_app.actions.start import start_run
from runs_app.defaults import Defaults, defaults_of
from tests.factories import make_dataset

pytestmark = pytest.mark.django_db

SCORER: dict[str, Any] = {"use": "contains", "name": "mentions"}


@pytest.fixture
def row(dataset: Dataset) -> public.DatasetRow:
    return public.datasets_by_id([dataset.pk])[dataset.pk]


def set_all(row: public.DatasetRow, dataset: Dataset, by: User) -> Defaults:
    return set_defaults(
        project=dataset.project,
        dataset=row,
        by=by,
        target="recorded:metadata.answer",
        scorers=[SCORER, "exact_match"],
        cluster_field="metadata.topic",
    )


def test_a_run_that_names_nothing_uses_them(
    dataset: Dataset, row: public.DatasetRow, editor: User
) -> None:
    set_all(row, dataset, editor)
    run = start_run(project=dataset.project, dataset=row, by=editor)
    assert run.target_ref == "recorded:metadata.answer"
    assert [one.name for one in run.scorers.all()] == ["mentions", "exact_match"]
    own = start_run(
        project=dataset.project, dataset=row, by=editor, target="recorded:input", scorers=[]
    )
    assert (own.target_ref, own.scorers.count()) == ("recorded:input", 0)


def test_without_defaults_a_target_must_be_named(
    dataset: Dataset, row: public.DatasetRow, editor: User
) -> None:
    with pytest.raises(Invalid, match="no default one") as refused:
        start_run(project=dataset.project, dataset=row, by=editor)
    assert refused.value.errors[0].pointer == "/target"


def test_what_is_left_out_stays(dataset: Dataset, row: public.DatasetRow, editor: User) -> None:
    before = set_all(row, dataset, editor)
    after = set_defaults(project=dataset.project, dataset=row, by=editor, target="")
    assert after == Defaults("", before.scorers, "metadata.topic")
    assert defaults_of(row.id) == after


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"target": "nosuch"}, "/target"),
        ({"scorers": ["nosuch"]}, "/scorers/0/use"),
        ({"cluster_field": "topic"}, "/cluster_field"),
        ({"cluster_field": "metadata."}, "/cluster_field"),
    ],
)
def test_what_cannot_be_is_refused(
    dataset: Dataset, row: public.DatasetRow, editor: User, wrong: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Invalid) as refused:
        set_defaults(project=dataset.project, dataset=row, by=editor, **wrong)
    assert refused.value.errors[0].pointer.startswith(pointer[:9])
    assert defaults_of(row.id) == Defaults()


def test_a_duplicate_takes_them_along(
    dataset: Dataset, row: public.DatasetRow, editor: User
) -> None:
    made = set_all(row, dataset, editor)
    copy, _ = duplicate_dataset(dataset=dataset, by=editor)
    assert defaults_of(copy.pk) == made


def test_those_of_an_archived_dataset_stay(dataset: Dataset, editor: User) -> None:
    archive_dataset(dataset=dataset, by=editor)
    row = public.datasets_by_id([dataset.pk])[dataset.pk]
    with pytest.raises(Conflict):
        set_all(row, dataset, editor)


def test_the_settings_page_shows_them_and_the_form_sets_them(
    client_for: Callable[..., Client], editor: User, viewer: User, dataset: Dataset
) -> None:
    client = client_for(editor)
    address = reverse("runs:defaults", args=[dataset.project.slug, dataset.slug])
    settings = reverse("datasets:settings", args=[dataset.project.slug, dataset.slug])
    assert address in client.get(settings).content.decode()
    more = client.post(address, {"add_scorer": "contains", "target": "recorded:input"})
    assert 'name="scorer" value="0:contains"' in more.content.decode()
    assert "recorded:input" in more.content.decode()
    refused = client.post(address, {"target": "nosuch"})
    assert refused.status_code == 422
    saved = client.post(
        address,
        {"target": "recorded:input", "scorer": "0:contains", "scorer-0-name": "mentions"},
    )
    assert (saved.status_code, saved["Location"]) == (302, settings)
    assert defaults_of(dataset.pk).target == "recorded:input"
    assert "mentions" in client.get(settings).content.decode()
    seen = client_for(viewer).get(settings).content.decode()
    assert "mentions" in seen
    assert address not in seen
    assert client_for(viewer).get(address).status_code == 403


def test_the_form_of_a_new_run_begins_with_them(
    client_for: Callable[..., Client], editor: User, dataset: Dataset, row: public.DatasetRow
) -> None:
    set_all(row, dataset, editor)
    address = reverse("runs:new", args=[dataset.project.slug])
    page = client_for(editor).get(address, {"dataset": dataset.slug}).content.decode()
    assert 'value="metadata.answer"' in page
    assert 'value="mentions"' in page
    other = make_dataset(dataset.project, editor, [{"input": 1}])
    page = client_for(editor).get(address, {"dataset": other.slug}).content.decode()
    assert 'value="mentions"' not in page
