"""Starting a run by the form, and the page of targets and scorers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from evalhub.kit.errors import Invalid
from evalhub.kit.plugins import PluginError
from runs_app import targets
from runs_app.models import Run

pytestmark = pytest.mark.django_db
ClientFor = Callable[..., Client]

HTMX = {"HX-Request": "true"}


def url(project: Project, name: str, *args: object) -> str:
    return reverse(f"runs:{name}", args=[project.slug, *args])


def form_of(dataset: Dataset, /, **changed: object) -> dict[str, object]:
    return {
        "dataset": dataset.slug,
        "target": "python:echo",
        "concurrency": "8",
        "timeout": "60",
        "retries": "2",
        "scorer": ["0:exact_match"],
        "scorer-0-name": "exact_match",
        "start": "1",
        **changed,
    }


def test_the_form_starts_a_run_with_its_scorers(
    project: Project, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    given = form_of(
        dataset,
        name="Two scorers",
        limit="2",
        concurrency="3",
        scorer=["0:exact_match", "4:levenshtein"],
        **{
            "scorer-0-ignore_case": "on",
            "scorer-4-name": "close",
            "scorer-4-extract": " A: (.+)",
            "scorer-4-threshold": "0.7",
        },
    )
    answer = client_for(editor).post(url(project, "new"), given)
    run = Run.objects.get()
    assert answer["Location"] == url(project, "detail", run.number)
    assert (run.name, run.total_items, run.max_concurrency) == ("Two scorers", 2, 3)
    first, second = run.scorers.all()
    assert first.spec["ignore_case"] is True
    assert (second.name, second.threshold) == ("close", 0.7)
    assert second.spec["extract"] == " A: (.+)"


def test_a_recorded_output_is_chosen_by_its_path(
    project: Project, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    missing = client.post(url(project, "new"), form_of(dataset, target="recorded"))
    assert missing.status_code == 422
    assert "Say where in the item the output is." in missing.content.decode()
    nowhere = client.post(url(project, "new"), form_of(dataset, target="recorded", path="nowhere"))
    assert nowhere.status_code == 422
    assert nowhere.context["form"].errors["path"][0].startswith("“nowhere” leads nowhere")
    client.post(url(project, "new"), form_of(dataset, target="recorded", path="metadata.topic"))
    assert Run.objects.get().target_ref == "recorded:metadata.topic"


@pytest.mark.parametrize(
    ("changed", "field", "reason"),
    [
        ({"target": "python:gone"}, "target", "Select a valid choice"),
        ({"dataset": "gone"}, "dataset", "Select a valid choice"),
        ({"version": "9"}, "version", "Sums has no version 9. Its newest is v1."),
        ({"version": "99999999999999999999"}, "version", "less than or equal"),
        ({"concurrency": "0"}, "concurrency", "Calls at once: 1 to 1,024."),
        ({"timeout": "soon"}, "timeout", "Enter a number."),
        ({"retries": "-1"}, "retries", "Retries: 0 to"),
        ({"limit": "0"}, "limit", "greater than or equal to 1"),
    ],
)
def test_bad_input_is_refused_beside_its_field(
    project: Project,
    dataset: Dataset,
    editor: User,
    client_for: ClientFor,
    changed: dict[str, str],
    field: str,
    reason: str,
) -> None:
    answer = client_for(editor).post(url(project, "new"), form_of(dataset, **changed))
    assert answer.status_code == 422
    assert reason in answer.context["form"].errors[field][0]
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field", "reason"),
    [
        ({"scorer-0-extract": "("}, "extract", "never closed"),
        ({"scorer-0-name": ""}, "name", "required"),
    ],
)
def test_a_bad_scorer_is_refused_beside_its_field(
    project: Project,
    dataset: Dataset,
    editor: User,
    client_for: ClientFor,
    changed: dict[str, str],
    field: str,
    reason: str,
) -> None:
    answer = client_for(editor).post(url(project, "new"), form_of(dataset, **changed))
    assert answer.status_code == 422
    assert reason in answer.context["scorers"].rows[0].errors[field][0]
    assert not Run.objects.exists()


def test_two_scorers_need_two_names_and_a_run_needs_one_scorer(
    project: Project, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    twice = form_of(
        dataset,
        scorer=["0:exact_match", "1:contains"],
        **{"scorer-1-name": "exact_match"},
    )
    answer = client.post(url(project, "new"), twice)
    assert answer.status_code == 422
    assert "Two scorers are called exact_match" in answer.content.decode()
    none = client.post(url(project, "new"), form_of(dataset, scorer=[]))
    assert none.status_code == 422
    assert "Add at least one scorer." in none.content.decode()


def test_adding_and_removing_scorers_keeps_what_was_typed(
    project: Project, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    typed = form_of(dataset, name="Keep me", **{"scorer-0-extract": "(unfinished"})
    added = client.post(url(project, "new"), typed | {"add_scorer": "exact_match"})
    assert added.status_code == 200
    html = added.content.decode()
    assert 'value="Keep me"' in html
    assert 'value="(unfinished"' in html
    assert [row["name"].value() for row in added.context["scorers"].rows] == [
        "exact_match",
        "exact_match 2",
    ]
    removed = client.post(url(project, "new"), typed | {"remove_scorer": "0"})
    assert removed.context["scorers"].rows == []
    assert not Run.objects.exists()


def test_the_estimate_counts_calls(
    project: Project, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    page = url(project, "estimate")
    answer = client.post(page, form_of(dataset, limit="2"), headers=HTMX)
    assert "2 calls, 8 at a time" in answer.content.decode()
    assert b"<html" not in answer.content
    recorded = client.post(page, form_of(dataset, target="recorded"), headers=HTMX)
    assert "The outputs are read from the items" in recorded.content.decode()
    unknown = client.post(page, form_of(dataset, version="7"), headers=HTMX)
    assert "Choose a dataset and one of its versions." in unknown.content.decode()
    without_script = client.post(
        url(project, "new"), form_of(dataset, limit="1") | {"estimate": "1"}
    )
    assert "1 call, 8 at a time" in without_script.content.decode()


def test_run_again_brings_the_settings_of_the_run(
    project: Project, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    client.post(
        url(project, "new"),
        form_of(dataset, target="recorded", path="metadata.topic", timeout="7.5", retries="0"),
    )
    page = client.get(url(project, "new"), {"run": Run.objects.get().number})
    form = page.context["form"]
    values = [form[name].value() for name in ("dataset", "target", "path", "timeout", "retries")]
    assert values == [dataset.slug, "recorded", "metadata.topic", "7.5", 0]
    assert [row.builtin.use for row in page.context["scorers"].rows] == ["exact_match"]


def test_a_project_without_datasets_is_sent_to_make_one(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    html = client_for(editor).get(url(project, "new")).content.decode()
    assert "There is nothing to run yet" in html


def test_the_targets_page_lists_targets_scorers_and_how_to_add_one(
    project: Project, viewer: User, client_for: ClientFor
) -> None:
    html = client_for(viewer).get(url(project, "targets")).content.decode()
    assert "python:slow-echo" in html
    assert "Give the input back after 20 ms." in html
    assert "levenshtein" in html
    assert "EVALHUB_PLUGINS=" in html


def test_a_plugin_that_cannot_be_loaded_is_named_with_its_reason(
    project: Project, viewer: User, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = PluginError("my_targets", "ModuleNotFoundError: No module named 'my_targets'", "")
    monkeypatch.setattr("runs_app.views.targets.plugin_errors", lambda: [broken])
    html = client_for(viewer).get(url(project, "targets")).content.decode()
    assert "my_targets</strong> could not be loaded: ModuleNotFoundError" in html


def test_a_target_that_its_broken_plugin_would_have_is_refused_with_that_reason(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = PluginError("my_targets", "ModuleNotFoundError: No module named 'my_targets'", "")
    monkeypatch.setattr("evalhub.kit.plugins.registry._errors", [broken])
    with pytest.raises(Invalid) as caught:
        targets.find("mine", project.slug)
    assert "There is no target “mine”." in caught.value.detail
    reason = "The plug-in my_targets could not be loaded: ModuleNotFoundError"
    assert reason in caught.value.detail
    snapshot = {"transport": "python", "id": "mine"}
    with pytest.raises(Invalid) as lost_since:
        targets.build(snapshot, project.slug)
    assert reason in lost_since.value.detail
