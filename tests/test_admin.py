"""The admin at /admin/: for superusers alone, every model, no secret, changes through actions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from datasets_app.actions import update_dataset
from datasets_app.actions.duplicate import duplicate_dataset
from datasets_app.models import Dataset, DatasetVersion, ImportJob, ItemRevision
from evalhub.access.actions import create_token, make_sign_in_link
from evalhub.access.models import AuditEntry, Project, User
from runs_app.actions.connections import create_connection
from runs_app.actions.targets import save_target
from tests.factories import make_dataset, make_finished_run

pytestmark = pytest.mark.django_db

KEY = "sk-very-secret-key"
UNREGISTERED = {
    "auth.Permission",
    "contenttypes.ContentType",
    "sessions.Session",  # its key signs somebody in
    "admin.LogEntry",
    "axes.AccessAttemptExpiration",
    "runs_app.Score",  # composite key: it is shown with its result
}


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser(username="root")


@pytest.fixture
def client(client_for: Callable[..., Client], root: User) -> Client:
    return client_for(root)


@pytest.fixture
def secrets(dataset: Dataset, owner: User) -> list[str]:
    """A row of nearly everything; what of it must be on no page."""
    project = dataset.project
    make_finished_run(dataset, owner, ["2", ValueError("no")], {"exact": [1, None]})
    ImportJob.objects.create(dataset=dataset, created_by=owner, filename="a.csv")
    connection = create_connection(
        project=project, name="Provider", base_url="https://api.example", by=owner, key=KEY
    )
    save_target(
        project=project, name="T", kind="agent", transport="python", config={"id": "echo"}, by=owner
    )
    token, token_secret = create_token(project=project, name="ci", by=owner)
    link_secret = make_sign_in_link(user=owner)
    stored = type(connection).objects.filter(pk=connection.pk).values_list("key", flat=True)
    (encrypted,) = stored
    link = owner.sign_in_links.get()
    return [KEY, encrypted, token_secret, token.hash, link_secret, link.hash]


def test_every_model_is_registered() -> None:
    missing = {
        model._meta.label for model in apps.get_models() if not admin.site.is_registered(model)
    }
    assert missing == UNREGISTERED


def test_every_page_answers_and_shows_no_secret(
    client: Client, root: User, secrets: list[str], rf: RequestFactory
) -> None:
    request = rf.get("/admin/")
    request.user = root
    for model, page in admin.site._registry.items():
        opts = model._meta
        base = f"admin:{opts.app_label}_{opts.model_name}"
        addresses = [reverse(f"{base}_changelist")]
        first = model._default_manager.first()
        if first is not None:
            addresses.append(reverse(f"{base}_change", args=[first.pk]))
        if page.has_add_permission(request):
            addresses.append(reverse(f"{base}_add"))
        for address in addresses:
            answer = client.get(address)
            assert answer.status_code == 200, address
            body = answer.content.decode()
            assert [secret for secret in secrets if secret in body] == [], address
            assert "<script>" not in body, address
            assert ' style="' not in body, address


def test_the_plural_of_every_model_is_english() -> None:
    plurals = [str(model._meta.verbose_name_plural) for model in admin.site._registry]
    assert [name for name in plurals if re.search(r"([^aeiou]y|x|s)s$", name)] == []
    assert {"audit entries", "search indexes", "dataset defaults"} <= set(plurals)


def test_only_staff_is_let_in(client_for: Callable[..., Client], owner: User) -> None:
    index = reverse("admin:index")
    asked = Client().get(index, follow=True)
    assert asked.redirect_chain[-1][0].startswith("/sign-in?next=")
    assert client_for(owner).get(index, follow=True).status_code == 404


def test_a_result_shows_its_scores(client: Client, dataset: Dataset, owner: User) -> None:
    run = make_finished_run(dataset, owner, ["2"], {"exact": [1]})
    result = run.results.get()
    page = client.get(reverse("admin:runs_app_result_change", args=[result.pk])).content.decode()
    assert "<td>exact</td><td>scored</td><td>1.000</td>" in page


def imported(
    client: Client, model: str, name: str, content: str, format: int = 0, **fields: Any
) -> Any:
    """Upload, look at the preview, confirm; the preview when there is nothing to confirm."""
    file = SimpleUploadedFile(name, content.encode())
    data = {"import_file": file, "format": str(format), "resource": "0", **fields}
    preview = client.post(reverse(f"admin:datasets_app_{model}_import"), data)
    confirm = preview.context.get("confirm_form")
    if confirm is None:
        return preview
    initial = {name: value for name, value in confirm.initial.items() if value is not None}
    return client.post(reverse(f"admin:datasets_app_{model}_process_import"), initial, follow=True)


CSV = (
    "number,external_id:text,input:json,expected_output:json,metadata:json\r\n"
    '1,a,"""one""",1.0,"{""b"":1,""a"":2}"\r\n'
    "2,'=b,null,,\r\n"
)


def test_an_import_of_items_is_one_version(client: Client, project: Project, owner: User) -> None:
    target = make_dataset(project, owner, [{"input": "old", "external_id": "a"}])
    imported(client, "itemrevision", "items.csv", CSV, dataset=target.pk)
    target.refresh_from_db()
    assert target.version == 2
    version = DatasetVersion.objects.get(dataset=target, number=2)
    assert (version.added, version.changed) == (1, 1)
    assert version.message == "Imported items.csv in the admin"
    first, second = ItemRevision.objects.filter(dataset=target).at(2).order_by("number")
    assert first.metadata_json == '{"b":1,"a":2}'
    assert first.expected_json == "1.0"
    assert (second.external_id, second.input_json, second.expected_json) == ("=b", "null", None)
    imported(client, "itemrevision", "items.csv", CSV, dataset=target.pk)
    target.refresh_from_db()
    assert target.version == 2  # nothing new in it


def test_json_keeps_null_and_absent_apart(client: Client, project: Project, owner: User) -> None:
    target = make_dataset(project, owner, [])
    rows = '[{"input": 1}, {"input": 2, "expected_output": null}]'
    imported(client, "itemrevision", "items.json", rows, 1, dataset=target.pk)
    target.refresh_from_db()
    items = ItemRevision.objects.filter(dataset=target).at(target.version).order_by("number")
    assert [item.expected_json for item in items] == [None, "null"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("question,answer\r\n1,2\r\n", "not the columns of an export"),
        ("input:json\r\n{\r\n", "Not valid JSON"),
        ("input:json,split:text\r\n1," + "x" * 61 + "\r\n", "at most 60 characters"),
    ],
)
def test_a_wrong_row_imports_nothing(
    client: Client, dataset: Dataset, content: str, said: str
) -> None:
    before = dataset.version
    preview = imported(client, "itemrevision", "items.csv", content, dataset=dataset.pk)
    assert said in preview.content.decode()
    dataset.refresh_from_db()
    assert dataset.version == before


def test_an_export_is_the_file_of_the_product(
    client: Client, project: Project, owner: User
) -> None:
    made = make_dataset(project, owner, [{"input": {"b": 1, "a": None}}])
    answer = client.post(
        reverse("admin:datasets_app_itemrevision_export"),
        {"format": "1", "resource": "0", "dataset": made.pk},
    )
    body = json.loads(b"".join(answer.streaming_content))
    assert body[0]["input"] == {"b": 1, "a": None}
    assert client.get(reverse("admin:datasets_app_itemrevision_export")).status_code == 200


def test_datasets_are_imported_through_the_actions(client: Client, dataset: Dataset) -> None:
    content = (
        "project,slug,name,description,tags\r\n"
        f'{dataset.project.slug},{dataset.slug},Renamed,**x**,"a, b"\r\n'
        f"{dataset.project.slug},,Brand new,,\r\n"
    )
    imported(client, "dataset", "datasets.csv", content)
    dataset.refresh_from_db()
    assert (dataset.name, dataset.tags) == ("Renamed", ["a", "b"])
    assert Dataset.objects.get(name="Brand new").slug == "brand-new"
    entries = AuditEntry.objects.filter(actor__username="root").values_list("action", flat=True)
    assert set(entries) == {"dataset.updated", "dataset.created"}
    answer = client.post(
        reverse("admin:datasets_app_dataset_export"), {"format": "0", "resource": "0"}
    )
    assert "Renamed" in answer.content.decode()


def test_a_dataset_is_changed_and_made_through_the_actions(
    client: Client, dataset: Dataset
) -> None:
    change = reverse("admin:datasets_app_dataset_change", args=[dataset.pk])
    client.post(change, {"name": "Renamed", "description": "", "tags": "x, y"})
    dataset.refresh_from_db()
    assert (dataset.name, dataset.tags) == ("Renamed", ["x", "y"])
    given = {"project": dataset.project_id, "name": "By hand", "description": "", "tags": ""}
    client.post(reverse("admin:datasets_app_dataset_add"), given)
    assert Dataset.objects.get(name="By hand").created_by is not None
    refused = client.post(reverse("admin:datasets_app_dataset_add"), given, follow=True)
    assert "already" in refused.content.decode()
    actions = reverse("admin:datasets_app_dataset_changelist")
    client.post(actions, {"action": "archive", "_selected_action": [dataset.pk]})
    dataset.refresh_from_db()
    assert dataset.archived_at is not None


def test_history_cannot_be_edited(client: Client, dataset: Dataset) -> None:
    item = ItemRevision.objects.filter(dataset=dataset).first()
    assert item is not None
    address = reverse("admin:datasets_app_itemrevision_change", args=[item.pk])
    assert client.post(address, {"input_json": "1"}).status_code == 403
    entry = AuditEntry.objects.first()
    assert entry is not None
    gone = reverse("admin:access_auditentry_delete", args=[entry.pk])
    assert client.post(gone, {"post": "yes"}).status_code == 403


def test_lists_take_as_many_queries_for_many_rows_as_for_few(
    client: Client, project: Project, owner: User, django_assert_num_queries: Any
) -> None:
    address = reverse("admin:datasets_app_itemrevision_changelist")
    make_dataset(project, owner, [{"input": 1}])
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    source = make_dataset(project, owner, [{"input": n} for n in range(40)])
    update_dataset(dataset=source, by=owner, name="Many")
    duplicate_dataset(dataset=source, by=owner)
    with django_assert_num_queries(len(few)):
        client.get(address)
