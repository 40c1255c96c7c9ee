"""The pages of targets: the list, the forms, versions, tests and recordings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from runs_app.actions.connections import create_connection
from runs_app.engine.stay import work
from runs_app.models import Recording, Run, SavedTarget
from tests.factories import make_finished_run
from tests.runs_app.saved import save

pytestmark = pytest.mark.django_db

ClientFor = Callable[..., Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(client_for: ClientFor, editor: User) -> Client:
    return client_for(editor)


@pytest.fixture
def saved(project: Project, editor: User) -> SavedTarget:
    return save(project, editor)


@pytest.fixture
def provider(project: Project, owner: User) -> str:
    made = create_connection(
        project=project, name="Local", base_url="http://127.0.0.1:9/v1", by=owner
    )
    return str(made.slug)


def url(project: Project, name: str, *args: Any) -> str:
    return reverse(f"runs:{name}", args=[project.slug, *args])


def html_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content.decode()[-2000:]
    html: str = answer.content.decode()
    return html


def test_the_list_shows_what_is_called_and_how_it_went(
    project: Project, client: Client, editor: User, dataset: Dataset, saved: SavedTarget
) -> None:
    run = make_finished_run(dataset, editor, ["a", ValueError("no")], {"exact": [1, None]})
    Run.objects.filter(pk=run.pk).update(target_ref="my-echo")
    html = html_of(client.get(url(project, "targets")))
    assert "python: echo" in html
    assert "Some errors" in html
    assert "50.0%" in html
    assert "No calls yet" in html
    assert url(project, "target", "my-echo") in html


def test_the_list_takes_as_many_queries_for_twenty_targets_as_for_two(
    project: Project, client: Client, editor: User
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            html_of(client.get(url(project, "targets")))
        return len(queries)

    for index in range(2):
        save(project, editor, name=f"Echo {index}")
    few = count()
    for index in range(18):
        save(project, editor, name=f"More {index}")
    assert count() == few <= 12


def test_a_viewer_reads_and_is_offered_no_change(
    project: Project, viewer: User, client_for: ClientFor, saved: SavedTarget
) -> None:
    client = client_for(viewer)
    pages = [("targets",), ("target", "my-echo"), ("recordings",)]
    for name, *args in pages:
        html = html_of(client.get(url(project, name, *args)))
        for offer in ("New target", "Edit</a>", "Delete target", "Upload outputs"):
            assert offer not in html
    test = f"{url(project, 'target_test')}?target=my-echo"
    assert "you need the role editor" in html_of(client.get(test))
    assert client.post(test, {"input": "x"}).status_code == 403
    for name, *args in [
        ("target_new",),
        ("target_edit", "my-echo"),
        ("target_copy", "my-echo"),
        ("target_delete", "my-echo"),
        ("target_restore", "my-echo", 1),
        ("recordings",),
    ]:
        assert client.post(url(project, name, *args)).status_code == 403
    assert SavedTarget.objects.get().deleted_at is None


def test_kind_and_transport_are_chosen_first(project: Project, client: Client) -> None:
    html = html_of(client.get(url(project, "target_new")))
    assert "Any OpenAI-compatible address" in html
    assert "changed messages, or a block" in html
    for transport in ("chat", "http", "python", "recorded", "scorer"):
        page = f"{url(project, 'target_new')}?kind=workflow&transport={transport}"
        assert "Save as v1" in html_of(client.get(page))


FORMS: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("python", {"function": "echo"}, {"id": "echo"}),
    ("recorded", {"path": "metadata.answer"}, {"path": "metadata.answer"}),
    ("scorer", {"scorer": '{"use": "regex", "pattern": "a"}'}, {}),
    (
        "chat",
        {
            "connection": "local",
            "model": "tiny",
            "system": "Speak {{ context.locale }}",
            "user": "{{ input.question }}",
            "parameters": '{"temperature": 0}',
            "response": "json",
            "schema": '{"type": "object"}',
            "input_price": "0.5",
            "output_price": "1.5",
        },
        {
            "connection": "local",
            "model": "tiny",
            "system": "Speak {{ context.locale }}",
            "user": "{{ input.question }}",
            "parameters": {"temperature": 0},
            "response": {"format": "json", "schema": {"type": "object"}},
            "prices": {"input_per_million": 0.5, "output_per_million": 1.5},
        },
    ),
    (
        "http",
        {
            "connection": "local",
            "method": "POST",
            "url": "/run",
            "headers": "X-Key: {{ key }}\r\nX-Topic: {{ metadata.topic }}",
            "body": '{"q": "{{ input }}"}',
            "output": "answer.text",
            "ok_statuses": "200-299, 404",
            "input_tokens": "usage.in",
            "trace_id": "id",
            "context_headers": "X-Tenant: tenant.id",
        },
        {
            "connection": "local",
            "method": "POST",
            "url": "/run",
            "headers": {"X-Key": "{{ key }}", "X-Topic": "{{ metadata.topic }}"},
            "body": {"q": "{{ input }}"},
            "output": "answer.text",
            "usage": {"input_tokens": "usage.in"},
            "trace_id": "id",
            "spans": "",
            "ok_statuses": ["200-299", "404"],
            "context_headers": {"X-Tenant": "tenant.id"},
        },
    ),
]


@pytest.mark.parametrize(("transport", "fields", "config"), FORMS, ids=[row[0] for row in FORMS])
def test_what_the_form_takes_is_saved_shown_and_edited_without_loss(
    project: Project,
    client: Client,
    provider: str,
    transport: str,
    fields: dict[str, str],
    config: dict[str, Any],
) -> None:
    page = f"{url(project, 'target_new')}?kind=agent&transport={transport}"
    answer = client.post(page, {"name": "Mine", **fields})
    assert answer.status_code == 302, answer.content.decode()
    assert answer.headers["Location"] == url(project, "target", "mine")
    version = SavedTarget.objects.get().versions.get()
    if config:
        assert version.config == config
    html_of(client.get(url(project, "target", "mine")))
    form = client.get(url(project, "target_edit", "mine")).context["form"]
    again = {name: value for name in form.fields if (value := form[name].value()) is not None}
    saved = client.post(url(project, "target_edit", "mine"), again | {"description": "New words"})
    assert saved.status_code == 302, saved.content.decode()
    target = SavedTarget.objects.get()
    assert (target.version, target.description) == (1, "New words"), "the same settings"


@pytest.mark.parametrize(
    ("transport", "fields", "says"),
    [
        ("python", {"name": ""}, "Give the target a name."),
        ("python", {"function": "nobody"}, "nobody"),
        ("recorded", {}, "Say where the outputs are"),
        ("recorded", {"run": "9"}, "no run “9”"),
        ("scorer", {"scorer": '{"use": "levenshtien"}'}, "Did you mean"),
        ("scorer", {"scorer": "{"}, "Scorer specification, line 1, column 2"),
        ("chat", {"model": ""}, "Name the model."),
        ("chat", {"user": "{{ question }}"}, "names nothing that is known here"),
        ("chat", {"parameters": '{"model": "x"}'}, "is set by the target itself"),
        ("chat", {"input_price": ""}, "Give both prices, or none."),
        ("chat", {"response": "text"}, "needs the response format"),
        ("http", {"url": "https://else.where/x"}, "only the path after its address"),
        ("http", {"headers": "no colon"}, "Line 1: write a name, a colon and a value."),
        ("http", {"body": '{"q": "{{ nothing }}"}'}, "names nothing that is known here"),
        ("http", {"ok_statuses": "fine"}, "A status such as 404"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    project: Project,
    client: Client,
    provider: str,
    transport: str,
    fields: dict[str, str],
    says: str,
) -> None:
    good = next(form for name, form, _ in FORMS if name == transport)
    given = {"name": "Mine", **(good if fields else {}), **fields}
    if transport == "recorded":
        given = {"name": "Mine", **fields}
    page = f"{url(project, 'target_new')}?kind=agent&transport={transport}"
    html = html_of(client.post(page, given), 422)
    assert says in html
    assert 'class="field__error"' in html or "notice--bad" in html
    assert not SavedTarget.objects.exists()


@pytest.mark.parametrize(
    ("transport", "field", "text", "says"),
    [
        ("chat", "user", "{{ input.x }}", "Every name in it is known"),
        ("chat", "user", "{{ nothing }}", "names nothing"),
        ("chat", "parameters", '{"a": 1}', "Valid JSON"),
        ("chat", "parameters", "[1]", "JSON object"),
        ("http", "body", '{"a": "{{ nothing }}"}', "names nothing"),
        ("http", "headers", "X-Key: {{ key }}", "Every line has a name and a value"),
        ("http", "headers", "X: {{ keys }}", "Line 1"),
        ("chat", "system", " ", ""),
    ],
)
def test_a_field_is_checked_while_it_is_written(
    project: Project, client: Client, transport: str, field: str, text: str, says: str
) -> None:
    address = f"{url(project, 'target_field')}?transport={transport}&field={field}"
    html = html_of(client.post(address, {field: text}, headers=HTMX))
    assert says in html
    assert "<html" not in html


def test_only_fields_that_are_checked_are_found(project: Project, client: Client) -> None:
    for query in ("transport=chat&field=model", "transport=x&field=user", ""):
        address = f"{url(project, 'target_field')}?{query}"
        assert client.post(address, {"model": "x", "user": "x"}).status_code == 404


def test_versions_are_shown_with_what_they_changed_and_restored(
    project: Project, client: Client, editor: User, saved: SavedTarget
) -> None:
    save(project, editor, target=saved, config={"id": "echo-sync"}, message="In threads")
    html = html_of(client.get(url(project, "target", "my-echo")))
    assert "In threads" in html
    assert "<ins>" in html
    old = html_of(client.get(f"{url(project, 'target', 'my-echo')}?v=1"))
    assert "Restore as v3" in old
    answer = client.post(url(project, "target_restore", "my-echo", 1))
    assert answer.status_code == 302
    saved.refresh_from_db()
    assert saved.version == 3
    assert client.get(f"{url(project, 'target', 'my-echo')}?v=9").status_code == 404


def test_a_target_that_reads_a_run_is_shown_when_that_run_is_gone(
    project: Project, client: Client, editor: User, dataset: Dataset
) -> None:
    run = make_finished_run(dataset, editor, ["2"], {"exact": [1]})
    save(project, editor, name="Reads", transport="recorded", config={"run": run.number})
    run.delete()
    html = html_of(client.get(url(project, "target", "reads")))
    assert "Outputs of run" in html
    assert "Test this target" not in html
    html_of(client.get(url(project, "targets")))


def test_a_target_is_copied_and_deleted(
    project: Project, client: Client, saved: SavedTarget
) -> None:
    answer = client.post(url(project, "target_copy", "my-echo"))
    assert answer.headers["Location"] == url(project, "target_edit", "my-echo-copy")
    assert "Keep target" in html_of(client.get(url(project, "target_delete", "my-echo")))
    client.post(url(project, "target_delete", "my-echo"))
    assert client.get(url(project, "target", "my-echo")).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_test_starts_a_run_and_its_panel_polls_until_it_is_over(
    project: Project, client: Client, saved: SavedTarget, dataset: Dataset
) -> None:
    address = f"{url(project, 'target_test')}?target=my-echo"
    page = client.get(address)
    assert page.context["form"]["input"].value(), "an item of a dataset is there already"
    panel = html_of(client.post(address, {"input": '{"q": 1}'}, headers=HTMX))
    run = Run.objects.get()
    assert (run.purpose, run.target_ref) == ("check", "my-echo")
    polled = url(project, "target_tested", run.uuid)
    assert f'hx-get="{polled}" hx-trigger="every 500ms"' in panel
    work(run.pk)
    done = html_of(client.get(polled, headers=HTMX))
    assert "every 500ms" not in done
    for heading in ("Latency", "Output", "Request", "Response", "Trace"):
        assert heading in done
    again = client.get(f"{address}&run={run.uuid}")
    assert again.context["form"]["input"].value() == '{\n  "q": 1\n}'


def test_without_script_a_test_leads_to_its_own_address(
    project: Project, client: Client, saved: SavedTarget
) -> None:
    address = f"{url(project, 'target_test')}?target=python:echo"
    answer = client.post(address, {"input": "hello"})
    run = Run.objects.get()
    expected = f"{url(project, 'target_test')}?target=python%3Aecho&run={run.uuid}"
    assert answer.headers["Location"] == expected
    assert 'http-equiv="refresh"' in html_of(client.get(expected))


def test_a_test_without_input_calls_nothing(
    project: Project, client: Client, saved: SavedTarget
) -> None:
    address = f"{url(project, 'target_test')}?target=my-echo"
    html = html_of(client.post(address, {"input": " "}, headers=HTMX), 422)
    assert "Give the target an input." in html
    assert not Run.objects.exists()


def test_a_test_of_nothing_is_404(project: Project, client: Client) -> None:
    assert client.get(f"{url(project, 'target_test')}?target=nobody").status_code == 404
    assert client.get(url(project, "target_test")).status_code == 404


def test_outputs_are_uploaded_and_deleted(project: Project, client: Client) -> None:
    fields = {
        "name": "Last week",
        "key_column": "id",
        "key_field": "number",
        "output_column": "answer",
        "read_as": "text",
    }
    bad = SimpleUploadedFile("a.csv", b"id,answer\n1,x\n1,y\n")
    html = html_of(client.post(url(project, "recordings"), {**fields, "file": bad}), 422)
    assert "Line 3: id 1 is on line 2 already." in html
    assert 'value="Last week"' in html
    good = SimpleUploadedFile("a.csv", b"id,answer\n1,x\n")
    assert client.post(url(project, "recordings"), {**fields, "file": good}).status_code == 302
    assert "file:last-week" in html_of(client.get(url(project, "recordings")))
    assert "1 output" in html_of(client.get(url(project, "recording_delete", "last-week")))
    client.post(url(project, "recording_delete", "last-week"))
    assert not Recording.objects.exists()


def test_a_recording_in_use_stays(project: Project, client: Client, editor: User) -> None:
    Recording.objects.create(project=project, slug="kept", name="Kept", rows=1)
    save(project, editor, transport="recorded", config={"recording": "kept"})
    html = html_of(client.post(url(project, "recording_delete", "kept")), 409)
    assert "My echo reads this recording" in html


def test_a_stranger_finds_none_of_it(
    project: Project, saved: SavedTarget, stranger: User, client_for: ClientFor
) -> None:
    client = client_for(stranger)
    for name, *args in [("target", "my-echo"), ("target_edit", "my-echo"), ("recordings",)]:
        assert client.get(url(project, name, *args)).status_code == 404
    elsewhere = Project.objects.get(slug="elsewhere")
    assert client.get(url(elsewhere, "target", "my-echo")).status_code == 404
    address = f"{url(elsewhere, 'target_test')}?target=my-echo"
    assert client.post(address, {"input": "x"}).status_code == 404
