"""The playground: the form, the panels that poll, sharing, stopping, saving as an item."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app import public
from datasets_app.models import Dataset, ItemRevision
from evalhub.access.models import Project, User
from evalhub.kit.value_field import read_value, show_value
from runs_app import states
from runs_app.actions.trial import start_trial
from runs_app.engine.stay import work
from runs_app.models import Run

pytestmark = pytest.mark.django_db
ClientFor = Callable[..., Client]

HTMX = {"HX-Request": "true"}


def url(project: Project, name: str = "", *args: object) -> str:
    return reverse(f"runs:playground{name}", args=[project.slug, *args])


def form_of(**changed: object) -> dict[str, object]:
    return {
        "a": "python:echo",
        "input": '{"q": 1}',
        "scorer": "0:exact_match",
        "scorer-0-name": "exact_match",
        "layout": "1",
        **changed,
    }


def done(project: Project, by: User, input: Any, **options: Any) -> Run:
    """A trial that is over. Only in tests with transactions."""
    options.setdefault("target", "python:echo")
    run = start_trial(project=project, input=input, by=by, **options)
    work(run.pk)
    return run


# What is typed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        (" [1] ", [1]),
        ("How much is it?", "How much is it?"),
        ("two\r\nlines", "two\nlines"),
        ("two\rlines", "two\nlines"),
        ("42", 42),
        ('"42"', "42"),
        ("null", None),
        ("NaN", "NaN"),
    ],
)
def test_json_is_read_as_json_and_anything_else_as_text(text: str, value: Any) -> None:
    assert read_value(text) == value


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, None]},
        "plain",
        "42",
        "null",
        '"quoted"',
        "{",
        "[INST] x",
        "a\nb",
        "a\rb",
        " x ",
        "",
    ],
)
def test_what_is_shown_is_read_as_the_same_value(value: Any) -> None:
    assert read_value(show_value(value)) == value


# Running


def test_running_starts_a_trial_for_each_target_and_goes_to_an_address_that_shows_them(
    project: Project, editor: User, viewer: User, client_for: ClientFor
) -> None:
    given = form_of(layout="2", b="python:slow-echo", expected_output="1", context='{"l": "en"}')
    answer = client_for(editor).post(url(project), given)
    second, first = Run.objects.order_by("number")
    assert (first.target_ref, second.target_ref) == ("python:echo", "python:slow-echo")
    assert answer["Location"] == (
        f"{url(project)}?a=python%3Aecho&b=python%3Aslow-echo&run={first.uuid}&run={second.uuid}"
    )
    shared = client_for(viewer).get(answer["Location"])
    form = shared.context["form"]
    assert json.loads(form["input"].value()) == {"q": 1}
    assert (form["expected_output"].value(), form["b"].value()) == ("1", "python:slow-echo")
    assert json.loads(form["context"].value()) == {"l": "en"}
    html = shared.content.decode()
    for run in (first, second):
        assert f'hx-get="{url(project, "_output", run.uuid)}" hx-trigger="every 500ms"' in html
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in html
    assert "Your role in this project is viewer" in html
    assert "Save as item" not in html


def test_with_script_only_the_outputs_change_and_the_address_is_pushed(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    answer = client.post(url(project), form_of(), headers=HTMX)
    html = answer.content.decode()
    assert answer["HX-Retarget"] == "#outputs"
    assert answer["HX-Push-Url"].endswith(f"run={Run.objects.get().uuid}")
    assert "<textarea" not in html
    assert 'id="outputs"' in html
    # After a refusal the form has errors to get rid of, so it is sent again as a whole.
    refused = client.post(url(project), form_of(refused="1"), headers=HTMX)
    assert "HX-Retarget" not in refused
    assert "<textarea" in refused.content.decode()


def test_what_is_wrong_is_said_beside_its_field_and_nothing_starts(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    given = form_of(layout="2", a="nowhere", b="nor-here", input='{"q": }', context="[1]") | {
        "scorer-0-name": ""
    }
    answer = client.post(url(project), given)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"input", "context"}
    assert "name" in answer.context["scorers"].rows[0].errors
    html = answer.content.decode()
    assert 'name="refused" value="1"' in html
    answer = client.post(url(project), given | form_of(layout="2", a="nowhere", b="python:echo"))
    assert set(answer.context["form"].errors) == {"context"}
    answer = client.post(url(project), form_of(layout="2", a="python:echo", b="nowhere"))
    assert set(answer.context["form"].errors) == {"b"}
    assert "There is no target “nowhere”" in answer.content.decode()
    assert not Run.objects.exists()


def test_a_viewer_cannot_try(
    project: Project, editor: User, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    assert client.post(url(project), form_of()).status_code == 403
    run = start_trial(project=project, target="echo", input=1, by=editor)
    assert client.post(url(project, "_cancel", run.uuid)).status_code == 403
    assert client.post(url(project, "_save"), form_of()).status_code == 403
    assert Run.objects.get().cancel_requested_at is None


def test_the_other_layout_keeps_what_was_typed(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    answer = client_for(editor).post(url(project), form_of(show="2", input="half {"))
    form = answer.context["form"]
    assert answer.status_code == 200
    assert form.two
    assert not form.errors
    assert form["input"].value() == "half {"
    assert form["a"].value() == "python:echo" != form["b"].value(), "two that can differ"
    assert form["b"].value() in form.targets
    assert [row.token for row in answer.context["scorers"].rows] == ["0:exact_match"]
    assert not Run.objects.exists()


def test_what_was_shown_stays_when_the_form_is_refused_or_laid_out_anew(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    run = start_trial(project=project, target="echo", input=1, by=editor)
    for given in (form_of(run=run.uuid, input="{"), form_of(run=run.uuid, show="2")):
        answer = client.post(url(project), given)
        html = answer.content.decode()
        assert f'id="trial-{run.uuid}"' in html
        assert "http-equiv" not in html  # loading it again would lose what was typed


# Panels


@pytest.mark.django_db(transaction=True)
def test_the_panel_of_a_trial_that_is_over_polls_no_more_and_shows_everything(
    project: Project, editor: User, viewer: User, client_for: ClientFor
) -> None:
    run = done(project, editor, "one two", expected_output="one 2", scorers=["exact_match"])
    html = client_for(viewer).get(url(project, "_output", run.uuid), headers=HTMX).content.decode()
    assert "every 500ms" not in html
    assert "<form" not in html
    assert "differs from expected" in html
    assert "<del>2</del><ins>two</ins>" in html
    assert "exact_match" in html
    assert f'id="trial-head-{run.uuid}" hx-swap-oob="true"' in html
    same = done(project, editor, {"b": 1, "a": 2}, expected_output={"a": 2, "b": 1})
    html = client_for(viewer).get(url(project, "_output", same.uuid), headers=HTMX).content.decode()
    assert "same as expected" in html
    assert "<del>" not in html


@pytest.mark.django_db(transaction=True)
def test_an_error_is_shown_with_its_type(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    run = done(project, editor, "raise", target="python:moody")
    html = client_for(editor).get(url(project, "_output", run.uuid)).content.decode()
    assert "no mood for this" in html
    assert "<h3>Output</h3>" not in html


def test_a_trial_that_waits_for_a_worker_says_so_and_its_panel_holds_no_form(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    run = start_trial(project=project, target="echo", input=1, by=editor)
    html = client_for(editor).get(url(project, "_output", run.uuid), headers=HTMX).content.decode()
    assert "No worker is alive" in html
    assert "<form" not in html
    assert "every 500ms" in html


def test_a_running_trial_is_stopped_from_its_panel(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    run = start_trial(project=project, target="python:stall", input=1, by=editor)
    page = client.get(f"{url(project)}?run={run.uuid}").content.decode()
    assert url(project, "_cancel", run.uuid) in page
    back = f"a=python%3Astall&run={run.uuid}"
    answer = client.post(url(project, "_cancel", run.uuid), {"back": back})
    assert answer["Location"] == f"{url(project)}?{back}"
    run.refresh_from_db()
    assert run.status == states.CANCELLED
    again = client.post(url(project, "_cancel", run.uuid), headers=HTMX)
    assert again.status_code == 200
    assert "Cancelled before the target answered." in again.content.decode()


def test_where_a_cancelled_trial_leads_back_to_is_always_the_playground(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    run = start_trial(project=project, target="python:stall", input=1, by=editor)
    answer = client_for(editor).post(
        url(project, "_cancel", run.uuid), {"back": "https://elsewhere.example/\r\nX: 1"}
    )
    assert answer["Location"].startswith(f"{url(project)}?")
    assert "\n" not in answer["Location"]


def test_a_trial_that_is_gone_leaves_the_page_standing(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    page = client_for(editor).get(
        f"{url(project)}?a=python:echo&run=00000000-0000-4000-8000-000000000000&run=nonsense"
    )
    assert page.status_code == 200
    assert "This trial is gone." in page.content.decode()


def test_a_stranger_finds_no_trial_even_from_a_project_of_their_own(
    project: Project, editor: User, stranger: User, client_for: ClientFor
) -> None:
    run = start_trial(project=project, target="echo", input="secret", by=editor)
    own = Project.objects.get(slug="elsewhere")
    client = client_for(stranger)
    for where in (project, own):
        assert client.get(url(where, "_output", run.uuid)).status_code == 404
        assert client.post(url(where, "_cancel", run.uuid)).status_code == 404
    page = client.get(f"{url(own)}?run={run.uuid}").content.decode()
    assert "secret" not in page
    run.refresh_from_db()
    assert run.cancel_requested_at is None


@pytest.mark.django_db(transaction=True)
def test_the_page_takes_the_same_queries_with_two_finished_trials_as_with_many_datasets(
    project: Project,
    dataset: Dataset,
    editor: User,
    client_for: ClientFor,
    django_assert_max_num_queries: Any,
) -> None:
    runs = [done(project, editor, "x", expected_output="y", scorers=["exact_match"]) for _ in "ab"]
    client = client_for(editor)
    address = f"{url(project)}?b=python:echo&item={dataset.slug}:1"
    for run in runs:
        address += f"&run={run.uuid}"
    with django_assert_max_num_queries(22):
        client.get(address)


# Items


def test_an_item_is_loaded_and_the_item_page_leads_to_it(
    project: Project, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    item = client.get(reverse("datasets:item", args=[project.slug, dataset.slug, 2]))
    address = f"{url(project)}?item=sums%3A2"
    assert f'href="{address}"' in item.content.decode()
    form = client.get(address).context["form"]
    assert json.loads(form["input"].value()) == {"question": "2 + 2"}
    assert json.loads(form["expected_output"].value()) == {"answer": 4}
    html = client.get(address).content.decode()
    assert "From Sums 0002" in html
    for gone in ("sums:99", "nowhere:1", "sums:x", "sums"):
        assert client.get(url(project), {"item": gone}).status_code == 404


def test_what_was_tried_becomes_an_item_after_asking_for_the_dataset(
    project: Project, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    given = form_of(
        input="line one\r\nline two", expected_output="null", context='{"l": "en"}', item="sums:1"
    )
    asked = client.post(url(project, "_save"), given)
    assert asked.status_code == 200
    assert asked.context["form"]["dataset"].value() == "sums"
    assert ItemRevision.objects.count() == 3
    saved = client.post(url(project, "_save"), given | {"dataset": "sums", "save": "1"})
    html = saved.content.decode()
    assert reverse("datasets:item", args=[project.slug, "sums", 4]) in html
    row = public.find_dataset(editor, project, "sums")
    item = public.find_item(row.id, row.version, 4)
    assert item is not None
    assert (item.input_json, item.expected_json) == ('"line one\\nline two"', "null")
    assert (item.context_json, row.version) == ('{"l":"en"}', 2)


def test_what_cannot_be_saved_says_why(
    project: Project, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    bad = client.post(url(project, "_save"), form_of(input="", context="[]"))
    assert bad.status_code == 422
    html = bad.content.decode()
    assert "Input: Give the target an input." in html
    assert "Context: Context is a JSON object" in html
    nowhere = client.post(url(project, "_save"), form_of(dataset="elsewhere", save="1"))
    assert nowhere.status_code == 422
    none = client.post(url(project, "_save"), form_of(save="1"))
    assert "Choose a dataset." in none.content.decode()
    assert ItemRevision.objects.count() == 3


# Check and Format


def test_a_field_says_how_it_is_read(project: Project, editor: User, client_for: ClientFor) -> None:
    client = client_for(editor)

    def said(**field: str) -> str:
        return client.post(url(project, "_check"), field, headers=HTMX).content.decode()

    assert "Valid JSON" in said(input='{"a":1}')
    assert "Plain text" in said(input="How much?")
    assert "Read as a number" in said(input="42")
    assert "put it in quotes" in said(expected_output='{"a":')
    assert "Context is a JSON object" in said(context="[1]")
    assert said(input=" ").strip() == ""
    assert client.post(url(project, "_check"), {"other": "x"}).status_code == 404


def test_format_writes_json_in_order_and_leaves_a_fault_as_it_is(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    address = f"{url(project, '_check')}?format=1"
    html = client.post(address, {"input": '{"a":[1,2]}'}, headers=HTMX).content.decode()
    assert "{\n  &quot;a&quot;: [\n    1,\n    2\n  ]\n}</textarea>" in html
    html = client.post(address, {"input": '{"a":'}, headers=HTMX).content.decode()
    assert "{&quot;a&quot;:</textarea>" in html
    assert "field__error" in html
