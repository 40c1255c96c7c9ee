"""Starting a run by the form, and the page of targets and scorers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app import item_pages, public
from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from evalhub.kit.errors import Invalid
from evalhub.kit.plugins import PluginError
from runs_app import targets
from runs_app.engine.summary import summarise
from runs_app.models import Run
from tests.factories import make_dataset, make_finished_run, questions

pytestmark = pytest.mark.django_db
ClientFor = Callable[..., Client]

HTMX = {"HX-Request": "true"}


def url(project: Project, name: str, *args: object) -> str:
    return reverse(f"runs:{name}", args=[project.slug, *args])


def form_of(dataset: Dataset, /, **changed: object) -> dict[str, object]:
    return {
        "dataset": dataset.slug,
        "target": "python:echo",
        "subset": "all",
        "repetitions": "1",
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
    assert "Say where the output is." in missing.content.decode()
    nowhere = client.post(url(project, "new"), form_of(dataset, target="recorded", path="nowhere"))
    assert nowhere.status_code == 422
    assert nowhere.context["form"].errors["path"][0].startswith("“nowhere” leads nowhere")
    client.post(url(project, "new"), form_of(dataset, target="recorded", path="metadata.topic"))
    assert Run.objects.get().target_ref == "recorded:metadata.topic"


@pytest.mark.parametrize(
    ("changed", "field", "reason"),
    [
        ({"target": "python:gone"}, "target", "There is no target “python:gone”."),
        ({"target": []}, "target", "Choose a target."),
        ({"dataset": "gone"}, "dataset", "Select a valid choice"),
        ({"version": "9"}, "version", "Sums has no version 9. Its newest is v1."),
        ({"version": "99999999999999999999"}, "version", "less than or equal"),
        ({"concurrency": "0"}, "concurrency", "Calls at once: 1 to 1,024."),
        ({"timeout": "soon"}, "timeout", "Enter a number."),
        ({"retries": "-1"}, "retries", "Retries: 0 to"),
        ({"limit": "0"}, "limit", "greater than or equal to 1"),
        ({"repetitions": "101"}, "repetitions", "Repetitions: 1 to 100."),
        ({"subset": "sample", "sample": ""}, "sample", "Say how many items to draw."),
        ({"subset": "sample", "sample": "0"}, "sample", "Say how many items to draw."),
        ({"subset": "sample", "sample": "2", "seed": "-1"}, "seed", "A seed is a whole number"),
        ({"subset": "failed"}, "failed_of", "Say of which run."),
        ({"subset": "failed", "failed_of": "77"}, "failed_of", "There is no run 77"),
        ({"split": "nowhere"}, "split", "The split “nowhere” of Sums v1 has no items."),
        ({"context": "[1]"}, "context", "This is a JSON object"),
        ({"context": '{"a": }'}, "context", "Line 1, column 7"),
        ({"metadata": "7"}, "metadata", "This is a JSON object"),
        ({"tags": "x" * 61}, "tags", "A tag is a text of 1 to 60"),
        ({"deadline": "0"}, "deadline", "The time for one result"),
        ({"stop_after_errors": "0"}, "stop_after_errors", "The count of errors to stop at"),
        ({"stop_error_share": "120"}, "stop_error_share", "The share of errors to stop at"),
        ({"max_tokens": "0"}, "max_tokens", "The cap on tokens is at least 1."),
        ({"max_cost_usd": "1"}, "max_cost_usd", "The price of Echo is not known"),
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
    project: Project,
    dataset: Dataset,
    editor: User,
    client_for: ClientFor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = client_for(editor)
    page = url(project, "estimate")
    answer = client.post(page, form_of(dataset, limit="2"), headers=HTMX)
    assert "2 calls, 8 at a time" in answer.content.decode()
    assert b"<html" not in answer.content
    recorded = client.post(page, form_of(dataset, target="recorded"), headers=HTMX)
    assert "The outputs are there already" in recorded.content.decode()
    both = form_of(dataset, target=["python:echo", "python:slow-echo"], repetitions="3")
    several = client.post(page, both, headers=HTMX).content.decode()
    assert "3 × 3 × 2 targets = <b>18</b>" in several
    nobody = client.post(page, form_of(dataset, target=[]), headers=HTMX)
    assert "Choose a target" in nobody.content.decode()
    none = client.post(page, form_of(dataset, split="nowhere"), headers=HTMX)
    assert "The split “nowhere” of Sums v1 has no items." in none.content.decode()
    monkeypatch.setattr(public, "count", partial(item_pages.count, limit=1))
    filtered = client.post(page, form_of(dataset, where='input contains "+"'), headers=HTMX)
    assert "at least <b>1</b> of 3" in filtered.content.decode()
    assert "counts, times and costs are the least" in filtered.content.decode()
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
    assert values == [dataset.slug, ["recorded"], "metadata.topic", "7.5", 0]
    assert [row.builtin.use for row in page.context["scorers"].rows] == ["exact_match"]


FULL = {
    "target": ["python:echo", "python:slow-echo"],
    "subset": "sample",
    "sample": "2",
    "seed": "5",
    "repetitions": "3",
    "context": '{"locale": "en"}',
    "metadata": '{"ticket": 7}',
    "name": "Thorough",
    "tags": "nightly, small",
    "deadline": "99",
    "stop_after_errors": "4",
    "stop_error_share": "25",
    "max_tokens": "9000",
}


def test_every_field_reaches_the_runs_and_comes_back_when_one_is_run_again(
    project: Project, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    answer = client.post(url(project, "new"), form_of(dataset, **FULL))
    first, second = Run.objects.order_by("number")
    assert answer["Location"] == f"{url(project, 'compare')}?run=1&run=2"
    assert (first.target_ref, second.target_ref) == ("python:echo", "python:slow-echo")
    for run in (first, second):
        assert run.selection == {"sample": 2, "seed": 5}
        assert (run.total_items, run.repetitions, run.total_results) == (2, 3, 6)
        assert (run.context, run.metadata) == ({"locale": "en"}, {"ticket": 7})
        assert (run.name, run.tags, run.deadline_s) == ("Thorough", ["nightly", "small"], 99)
        assert (run.stop_after_errors, run.stop_error_share, run.max_tokens) == (4, 0.25, 9000)
    assert first.selected == second.selected
    page = client.get(url(project, "new"), {"run": second.number})
    form = page.context["form"]
    assert form["target"].value() == ["python:slow-echo"]
    for name in FULL.keys() - {"target", "context", "metadata"}:
        assert str(form[name].value()) == FULL[name], name
    assert '"locale": "en"' in form["context"].value()
    assert form.shows_advanced
    assert not client.get(url(project, "new")).context["form"].shows_advanced


def test_when_one_target_is_refused_no_run_is_started(
    project: Project, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    given = form_of(dataset, target=["python:echo", "python:gone"])
    answer = client_for(editor).post(url(project, "new"), given)
    assert answer.status_code == 422
    assert not Run.objects.exists()
    project.refresh_from_db()
    assert project.next_run_number == 1


def test_three_targets_lead_to_the_list(
    project: Project, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    given = form_of(dataset, target=["python:echo", "python:slow-echo", "recorded"], path="input")
    answer = client_for(editor).post(url(project, "new"), given)
    assert answer["Location"] == url(project, "list")
    assert Run.objects.get(number=3).target_ref == "recorded:input"


def test_a_few_items_are_tried_first_and_then_all_by_the_same_form(
    project: Project, owner: User, editor: User, client_for: ClientFor
) -> None:
    dataset = make_dataset(project, owner, questions(9))
    client = client_for(editor)
    given = form_of(dataset, retries="1") | {"try": "1"}
    del given["start"]
    client.post(url(project, "new"), given)
    run = Run.objects.get()
    assert (run.name, run.total_items) == ("Try of 5 items: Echo", 5)
    assert run.selection == {"limit": 5}
    Run.objects.update(status="completed", finished_at=run.created_at, succeeded=5)
    html = client.get(url(project, "detail", run.number)).content.decode()
    assert f"{url(project, 'new')}?run={run.number}&amp;all=1" in html
    assert "Run all 9 items" in html
    form = client.get(url(project, "new"), {"run": run.number, "all": "1"}).context["form"]
    assert (form["limit"].value(), form["name"].value()) == (None, "")
    assert form["retries"].value() == 1


def test_the_estimate_goes_by_the_last_run_of_the_target(
    project: Project, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    last = make_finished_run(dataset, editor, ["2", "4"], {"exact": [1, 1]}, latencies=[2000, 4000])
    last.results.update(input_tokens=100, output_tokens=10, cost_usd=0.05)
    last.summary = summarise(last)
    last.save()
    given = form_of(dataset, concurrency="1", repetitions="2")
    html = client_for(editor).post(url(project, "estimate"), given, headers=HTMX).content.decode()
    assert f"from run {last.number}" in html
    assert "<b>18.0 s</b>" in html, "6 calls of 3 s"
    assert "up to 23.4 s" in html
    assert "<b>$0.30</b>" in html
    assert "600 in, 60 out" in html


def test_a_run_of_an_older_version_of_a_target_shows_it_as_it_is(
    project: Project, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    run = make_finished_run(dataset, editor, ["2"], {"exact": [1]})
    Run.objects.filter(pk=run.pk).update(target_ref="triage@1")
    page = client_for(editor).get(url(project, "new"), {"run": run.number})
    assert page.context["form"]["target"].value() == ["triage@1"]
    assert 'value="triage@1"' in page.content.decode()


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
