"""The playground beyond one run: a form by schema, one panel alone, A against B, what was before,
revisions of items and versions of targets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app import public
from datasets_app.actions.item_schemas import set_schemas
from datasets_app.models import Dataset, ItemRevision
from evalhub.access.models import Project, User
from runs_app.actions.connections import create_connection
from runs_app.actions.targets import save_target
from runs_app.actions.trial import start_trial
from runs_app.engine.stay import work
from runs_app.models import Run, SavedTarget
from tests.factories import make_dataset

pytestmark = pytest.mark.django_db
ClientFor = Callable[..., Client]

HTMX = {"HX-Request": "true"}
SCHEMA = {
    "type": "object",
    "properties": {
        "subject": {"type": "string"},
        "urgent": {"type": "boolean"},
        "priority": {"type": "integer"},
    },
}


def url(project: Project, name: str = "") -> str:
    return reverse(f"runs:playground{name}", args=[project.slug])


def form_of(**changed: object) -> dict[str, object]:
    return {"a": "python:echo", "input": '{"q": 1}', "layout": "1", **changed}


@pytest.fixture
def tickets(project: Project, owner: User) -> Dataset:
    made = make_dataset(
        project,
        owner,
        [{"input": {"subject": "Refund", "urgent": True, "more": 1}, "metadata": {"m": 1}}],
        name="Tickets",
    )
    set_schemas(dataset=made, schemas={"input": SCHEMA}, by=owner)
    made.refresh_from_db()
    return made


@pytest.fixture
def chat(project: Project, owner: User) -> SavedTarget:
    create_connection(project=project, name="Mine", base_url="https://api.example", by=owner)
    config = {
        "connection": "mine",
        "model": "small",
        "system": "Be brief.",
        "parameters": {"temperature": 0},
        "prices": {"input_per_million": 1, "output_per_million": 2},
    }
    return save_target(
        project=project, name="Chatty", kind="agent", transport="chat", config=config, by=owner
    )


# The input as a form


def test_the_input_of_an_item_is_shown_as_its_schema_says(
    project: Project, tickets: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    page = client.get(url(project), {"item": "tickets:1"})
    assert 'name="show_as" value="form"' in page.content.decode()
    shown = client.post(
        url(project),
        form_of(item="tickets:1", show_as="form", input=page.context["form"]["input"].value()),
    )
    html = shown.content.decode()
    assert 'id="in-0" rows="2">\nRefund</textarea>' in html
    assert 'name="in-1" value="on" id="in-1" checked' in html
    assert not Run.objects.exists()


def test_the_controls_make_the_input_and_keep_what_the_schema_does_not_name(
    project: Project, tickets: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    given = form_of(item="tickets:1", as_form="form", input='{"subject": "old", "more": 1}')
    answer = client.post(url(project), {**given, "in-0": "New", "in-2": "3"})
    item = Run.objects.get().inline_item
    assert item is not None
    assert json.loads(item["input_json"]) == {
        "more": 1,
        "subject": "New",
        "urgent": False,
        "priority": 3,
    }
    assert "as=form" in answer["Location"]
    refused = client.post(url(project), {**given, "in-0": "New", "in-2": "much"})
    assert refused.status_code == 422
    assert "priority: give a whole number." in refused.content.decode()
    assert ">\nNew</textarea>" in refused.content.decode()
    assert Run.objects.count() == 1


def test_without_a_schema_or_an_object_there_is_no_form(
    project: Project, dataset: Dataset, tickets: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    assert "show_as" not in client.get(url(project), {"item": "sums:2"}).content.decode()
    text = form_of(item="tickets:1", as_form="form", input="only text", show="1")
    assert "only text</textarea>" in client.post(url(project), text).content.decode()


# One panel alone, and both against each other


def test_one_of_two_targets_is_run_alone_and_the_other_stays(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    first = start_trial(project=project, target="echo", input=1, by=editor)
    given = form_of(layout="2", b="python:slow-echo", only="b", run=[str(first.uuid), ""])
    answer = client.post(url(project), given)
    made = Run.objects.exclude(pk=first.pk).get()
    assert made.target_ref == "python:slow-echo"
    assert answer["Location"].endswith(f"run={first.uuid}&run={made.uuid}")
    alone = client.post(url(project), given | {"run": ["", ""]})
    newest = Run.objects.order_by("number").first()
    assert newest is not None
    assert answer.status_code == 302
    assert alone["Location"].endswith(f"&run=&run={newest.uuid}")
    panels = client.get(alone["Location"]).context["panels"]
    assert (panels[0].trial, panels[0].gone) == (None, False)
    assert panels[1].trial.state.id == str(newest.uuid)


@pytest.mark.django_db(transaction=True)
def test_two_outputs_are_compared_once_both_are_there(
    project: Project, editor: User, stranger: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    one = start_trial(project=project, target="echo", input="a b", by=editor)
    work(one.pk)
    other = start_trial(project=project, target="echo", input="a c", by=editor)
    address = f"{url(project, '_difference')}?a={one.uuid}&b={other.uuid}"
    assert 'hx-trigger="every 1s"' in client.get(address, headers=HTMX).content.decode()
    work(other.pk)
    html = client.get(address, headers=HTMX).content.decode()
    assert "<del>b</del><ins>c</ins>" in html
    assert "every 1s" not in html
    page = client.get(f"{url(project)}?b=python:echo&run={one.uuid}&run={one.uuid}")
    assert "the same output" in page.content.decode()
    assert client.get(url(project, "_difference")).status_code == 404
    assert client_for(stranger).get(address).status_code == 404


# What was before


def test_the_last_ten_trials_of_the_same_person_are_listed(
    project: Project,
    editor: User,
    owner: User,
    client_for: ClientFor,
    django_assert_max_num_queries: Any,
) -> None:
    start_trial(project=project, target="echo", input="of somebody else", by=owner)
    runs = [
        start_trial(project=project, target="echo", input=f"no {n}", by=editor) for n in range(12)
    ]
    client = client_for(editor)
    with django_assert_max_num_queries(14):
        page = client.get(url(project))
    earlier = page.context["earlier"]
    assert [trial.id for trial in earlier] == [str(run.uuid) for run in runs[:1:-1]]
    assert "of somebody else" not in page.content.decode()
    assert f'href="{url(project)}?a=python%3Aecho&amp;run={runs[-1].uuid}"' in page.content.decode()


# Scorers with their parameters


def test_scorers_are_rows_with_parameters_that_the_trial_gets(
    project: Project, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    more = client.post(url(project), form_of(add_scorer="contains"))
    assert [row.token for row in more.context["scorers"].rows] == ["0:contains"]
    assert more.context["scorers_open"]
    rows = {"scorer": "0:contains", "scorer-0-name": "has", "scorer-0-ignore_case": "on"}
    answer = client.post(url(project), form_of(**rows))
    scorer = Run.objects.get().scorers.get()
    assert (scorer.name, scorer.spec["ignore_case"]) == ("has", True)
    shown = client.get(answer["Location"]).context["scorers"].rows
    assert shown[0]["name"].value() == "has"
    client.post(url(project), form_of())
    assert Run.objects.order_by("number")[0].scorers.count() == 0


# Revisions of items


def test_what_was_loaded_is_saved_as_the_next_revision(
    project: Project, tickets: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    form = client.get(url(project), {"item": "tickets:1"}).context["form"]
    given = form_of(
        item="tickets:1", revision=form["revision"].value(), input='{"subject": "Mended"}'
    )
    asked = client.post(url(project, "_save"), given)
    assert "Save as a revision of 0001" in asked.content.decode()
    saved = client.post(url(project, "_save"), given | {"revise": "1"})
    assert saved.status_code == 200
    row = public.find_dataset(editor, project, "tickets")
    item = public.find_item(row.id, row.version, 1)
    assert item is not None
    assert (item.input_json, item.metadata_json) == ('{"subject":"Mended"}', "{}")
    again = client.post(
        url(project, "_save"), given | {"revise": "1", "input": '{"subject": "Late"}'}
    )
    assert again.status_code == 422
    assert "was changed in v" in again.content.decode()
    assert ItemRevision.objects.filter(dataset=tickets).count() == 2


def test_a_revision_of_an_item_of_another_dataset_is_not_touched(
    project: Project, tickets: Dataset, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    foreign = ItemRevision.objects.filter(dataset=dataset).first()
    assert foreign is not None
    given = form_of(item="tickets:1", revision=foreign.pk, revise="1")
    answer = client_for(editor).post(url(project, "_save"), given)
    assert answer.status_code == 422
    assert ItemRevision.objects.filter(dataset=tickets).count() == 1


# Versions of targets


def test_a_chat_target_is_edited_beside_its_output_and_saved_as_a_version(
    project: Project, chat: SavedTarget, editor: User, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    html = client.get(url(project), {"a": chat.slug}).content.decode()
    assert "Be brief." in html
    assert "Templates and parameters" in html
    given = {
        "ref": chat.slug,
        "letter": "a",
        "back": "a=chatty",
        "chat-a-model": "small",
        "chat-a-system": "Be kind.",
        "chat-a-user": "{{ input }}",
        "chat-a-parameters": '{"temperature": 0.5}',
    }
    answer = client.post(url(project, "_target"), given)
    assert answer["Location"] == f"{url(project)}?a=chatty"
    chat.refresh_from_db()
    newest = chat.versions.get(number=2)
    assert chat.version == 2
    assert newest.config["system"] == "Be kind."
    assert newest.config["prices"]["output_per_million"] == 2
    part = client.post(
        url(project, "_target"), given | {"chat-a-system": "Be quick."}, headers=HTMX
    ).content.decode()
    assert "This is version 3 of Chatty now." in part
    wrong = client.post(
        url(project, "_target"),
        given | {"chat-a-parameters": "[1]"},
        headers=HTMX,
    )
    assert wrong.status_code == 422
    assert "Parameters are an object" in wrong.content.decode()
    assert chat.versions.count() == 3
    assert client_for(viewer).post(url(project, "_target"), given).status_code == 403
    assert "Templates and parameters" not in (
        client_for(viewer).get(url(project), {"a": chat.slug}).content.decode()
    )


def test_a_wrong_template_is_said_beside_it(
    project: Project, chat: SavedTarget, editor: User, client_for: ClientFor
) -> None:
    given = {"ref": chat.slug, "letter": "b", "chat-b-model": "m", "chat-b-user": "{{ nothing }}"}
    answer = client_for(editor).post(url(project, "_target"), given)
    assert answer.status_code == 422
    assert "user" in answer.context["editor"].form.errors
    assert "<h1>Chatty</h1>" in answer.content.decode()
    assert chat.versions.count() == 1


def test_another_target_has_no_editor(
    project: Project, chat: SavedTarget, editor: User, stranger: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    address = url(project, "_target")
    other = client.get(address, {"letter": "b", "b": "python:echo"}, headers=HTMX).content.decode()
    assert other.strip() == '<div id="target-editor-b"></div>'
    assert "Be brief." in client.get(address, {"letter": "b", "b": chat.slug}).content.decode()
    assert client.post(address, {"ref": "nosuch"}).status_code == 404
    assert client_for(stranger).get(address, {"a": chat.slug}).status_code == 404
