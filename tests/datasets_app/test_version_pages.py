"""The pages of versions, their differences, and the schema."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets_app import queries, version_diff
from datasets_app.actions import delete_item
from datasets_app.actions.history import restore_version, update_version
from datasets_app.actions.item_schemas import set_schemas
from datasets_app.actions.versions import stored_schemas
from datasets_app.models import Dataset, DatasetJob
from evalhub.access.models import User
from tests.datasets_app.pages import HTMX, ClientFor, change, many, url

pytestmark = pytest.mark.django_db

SCHEMA = '{"type": "string"}'


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    sent: list[tuple[Any, ...]] = []
    for module in ("evalhub.kit.dispatch", "datasets_app.leased_job"):
        monkeypatch.setattr(f"{module}.wake_now", lambda *args: sent.append(args))
    return sent


def test_the_list_tells_what_each_version_came_from(
    client_for: ClientFor, dataset: Dataset, owner: User
) -> None:
    change(dataset, 1, owner, input="other", message="A better question")
    update_version(dataset=dataset, number=1, by=owner, label="first")
    restore_version(dataset=dataset, number=1, by=owner)
    set_schemas(dataset=dataset, schemas={"metadata": {"type": "object"}}, by=owner)
    page = client_for(owner).get(url("versions", dataset))
    rows = [(row["version"].number, row["origin"].kind) for row in page.context["rows"]]
    assert rows == [(4, "schema"), (3, "restore"), (2, "edit"), (1, "edit")]
    for text in ("A better question", "Restored v1", '<span class="tag">first</span>'):
        assert text in page.text


def test_the_list_takes_as_many_queries_for_many_versions_as_for_few(
    client_for: ClientFor, dataset: Dataset, owner: User
) -> None:
    client, address = client_for(owner), url("versions", dataset)
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(address)
    for number in range(30):
        change(dataset, 1, owner, input=number)
    with CaptureQueriesContext(connection) as more:
        client.get(address)
    assert len(more) == len(few)


def test_two_ticked_versions_are_compared_and_one_with_the_one_before(
    client_for: ClientFor, dataset: Dataset, owner: User
) -> None:
    client, address = client_for(owner), url("diff", dataset)
    for picked, going in (
        ("v=3&v=1", "?from=1&to=3"),
        ("v=3", "?from=2&to=3"),
        ("v=1", "?from=0&to=1"),
    ):
        assert client.get(f"{address}?{picked}").url == address + going


def test_a_diff_shows_each_kind_and_an_item_opens_field_by_field(
    client_for: ClientFor, dataset: Dataset, owner: User
) -> None:
    change(dataset, 2, owner, input={"question": "3 + 3"}, metadata={"<b>": 1}, external_id="q-2")
    delete_item(dataset=dataset, number=3, by=owner)
    many(dataset, 1, owner)
    client, address = client_for(owner), url("diff", dataset) + "?from=1&to=4"
    page = client.get(address)
    rows = [
        (row["change"].number, row["change"].kind, row["names"]) for row in page.context["rows"]
    ]
    assert rows == [
        (2, "changed", ["input.question", "metadata.<b>"]),
        (3, "removed", []),
        (4, "added", []),
    ]
    assert "metadata.&lt;b&gt;" in page.text
    kept = client.get(f"{address}&kind=added").context["rows"]
    assert [row["change"].number for row in kept] == [4]
    one = client.get(url("diff_item", dataset, 2) + "?from=1&to=4")
    assert "<del>2</del><ins>3</ins> + <del>2</del><ins>3</ins>" in one.text
    part = client.get(
        url("diff_item", dataset, 2) + "?from=1&to=4", headers=HTMX | {"HX-Target": "change-2"}
    )
    assert "<html" not in part.text
    assert "<ins>3</ins>" in part.text
    assert client.get(url("diff_item", dataset, 1) + "?from=1&to=4").status_code == 404
    assert client.get(url("diff", dataset) + "?from=1&to=9").status_code == 404
    assert client.get(url("diff", dataset) + "?from=0&to=1").context["counts"].added == 3


def test_a_diff_says_how_far_it_looked_when_it_found_nothing_yet(
    client_for: ClientFor, dataset: Dataset, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("x", "1 + 1"):
        change(dataset, 1, owner, input=value)
    change(dataset, 3, owner, input="x")
    monkeypatch.setattr(version_diff, "LOOKED_AT", 1)
    monkeypatch.setattr(version_diff, "PAGE_SIZE", 1)
    page = client_for(owner).get(url("diff", dataset) + "?from=1&to=4&kind=added")
    assert "No item was added" in page.text or "Look further" in page.text


def test_a_restore_says_what_it_changes_and_then_does_it(
    client_for: ClientFor, dataset: Dataset, owner: User
) -> None:
    change(dataset, 2, owner, input="other")
    delete_item(dataset=dataset, number=3, by=owner)
    many(dataset, 1, owner)
    client, address = client_for(owner), url("version_restore", dataset, 1)
    asked = client.get(address)
    assert "1 item comes back, 1 changes and 1 leaves" in asked.text
    dataset.refresh_from_db()
    assert dataset.version == 4
    done = client.post(address, {"message": "Back to the start"})
    assert done.url == url("detail", dataset)
    dataset.refresh_from_db()
    version = queries.versions(dataset).get(number=5)
    assert (version.message, version.added, version.changed, version.removed) == (
        "Back to the start",
        1,
        1,
        1,
    )
    assert client.post(url("version_restore", dataset, 5)).status_code == 409


def test_a_restore_that_breaks_the_schema_shows_where(
    client_for: ClientFor, dataset: Dataset, owner: User
) -> None:
    change(dataset, 2, owner, input="text")
    set_schemas(dataset=dataset, schemas={"input": {"type": "string"}}, by=owner)
    page = client_for(owner).post(url("version_restore", dataset, 1))
    assert page.status_code == 422
    assert "Item 0002, input" in page.text


def test_a_large_restore_has_a_page_with_its_progress(
    client_for: ClientFor, dataset: Dataset, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(dataset, 2, owner, input="other")
    monkeypatch.setattr("datasets_app.actions.history.INLINE_ITEMS", 0)
    client = client_for(owner)
    done = client.post(url("version_restore", dataset, 1))
    job = DatasetJob.objects.get()
    assert done.url == url("job", dataset, job.uuid)
    assert "Restoring v1" in client.get(done.url).text
    assert client.post(url("job_cancel", dataset, job.uuid)).url == done.url
    assert "Cancelled. Nothing was changed." in client.get(done.url).text


def test_a_label_is_set_in_a_dialog_and_a_taken_one_is_told(
    client_for: ClientFor, dataset: Dataset, owner: User
) -> None:
    many(dataset, 1, owner)
    client = client_for(owner)
    client.post(url("version_edit", dataset, 1), {"label": "gold", "message": "m"})
    assert queries.versions(dataset).get(number=1).label == "gold"
    refused = client.post(url("version_edit", dataset, 2), {"label": "gold"})
    assert refused.status_code == 409
    assert "v1 has the label “gold”" in refused.text


def test_an_old_version_says_so_on_every_page_and_leads_back(
    client_for: ClientFor, dataset: Dataset, owner: User
) -> None:
    set_schemas(dataset=dataset, schemas={"metadata": {"maxProperties": 3}}, by=owner)
    change(dataset, 1, owner, input="new")
    set_schemas(dataset=dataset, schemas={}, by=owner)
    client = client_for(owner)
    for name, args in (("detail", ()), ("item", (1,)), ("schema", ())):
        page = client.get(url(name, dataset, *args) + "?v=2").text
        assert "You are reading v2, not the latest version." in page
        assert f"{url('diff', dataset)}?from=2&amp;to=4" in page
        assert url(name if name == "schema" else "detail", dataset) in page
    assert "maxProperties" in client.get(url("schema", dataset) + "?v=2").text
    assert "maxProperties" not in client.get(url("schema", dataset)).text
    assert "Save as" not in client.get(url("schema", dataset) + "?v=2").text


def test_a_schema_is_checked_formatted_and_inferred_without_saving(
    client_for: ClientFor, dataset: Dataset, owner: User
) -> None:
    client, address = client_for(owner), url("schema", dataset)
    formatted = client.post(address, {"do": "format", "input": '{"type":["string","object"]}'})
    assert formatted.context["form"]["input"].value().startswith('{\n  "type"')
    inferred = client.post(address, {"do": "infer"})
    assert "Inferred from 3 items" in inferred.text
    assert '"question"' in inferred.context["form"]["input"].value()
    assert (
        "Every schema is valid"
        in client.post(
            address, {"do": "check", "input": "{\"type\": 'x'}".replace("'x'", '"null"')}
        ).text
    )
    wrong = client.post(address, {"do": "check", "metadata": '{"type": "dict"}'})
    assert wrong.status_code == 422
    assert "“dict” is not a type" in wrong.text
    dataset.refresh_from_db()
    assert dataset.version == 1


def test_a_schema_that_items_break_is_refused_with_kinds_and_a_file(
    client_for: ClientFor, dataset: Dataset, owner: User
) -> None:
    client, address = client_for(owner), url("schema", dataset)
    page = client.post(address, {"do": "save", "input": SCHEMA})
    assert page.status_code == 422
    assert "1 of 3 items does not match. The schema was not changed." in page.text
    assert f'<a href="{url("item", dataset, 2)}">Item 0002</a>, input' in page.text
    assert page.context["kinds"] == [("wrong type", 1)]
    file = client.get(url("job_problems", dataset, DatasetJob.objects.get().uuid))
    assert b"2,q-2,/input,wrong type" in b"".join(file.streaming_content)
    change(dataset, 2, owner, input="2 + 2")
    assert client.post(address, {"do": "save", "input": SCHEMA}).status_code == 302
    assert stored_schemas(dataset.pk, 3) == {"input": SCHEMA}


def test_a_viewer_reads_versions_and_schemas_and_changes_nothing(
    client_for: ClientFor, dataset: Dataset, owner: User, viewer: User
) -> None:
    many(dataset, 1, owner)
    client = client_for(viewer)
    for name, args in (("versions", ()), ("diff", ()), ("schema", ())):
        assert client.get(url(name, dataset, *args)).status_code == 200
    assert client.post(url("schema", dataset), {"do": "save", "input": SCHEMA}).status_code == 403
    for name in ("version_edit", "version_restore"):
        assert client.get(url(name, dataset, 1)).status_code == 403
