"""Two people at one item, undo, history, copies, purge, and what is checked of an item."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from datasets_app.actions import create_dataset, delete_item
from datasets_app.actions.items import current_item
from datasets_app.models import Dataset, DatasetVersion
from evalhub.access.models import User
from evalhub.kit import slots
from tests.datasets_app.pages import HTMX, ClientFor, change, form_of, url


@pytest.fixture(autouse=True)
def no_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pages alone: what runs put into them is tested with runs."""
    monkeypatch.setattr(slots, "_providers", {})


# Two people at one item


def test_only_what_they_changed_is_taken_from_them_unless_said_otherwise(
    dataset: Dataset, editor: User, owner: User, client_for: ClientFor
) -> None:
    mine = form_of(dataset, 1, expected_output='"mine"')
    change(dataset, 1, owner, metadata={"topic": "theirs"})
    client = client_for(editor)
    refused = client.post(url("item_edit", dataset, 1), mine)
    text = refused.content.decode()
    assert 'name="pick_metadata" value="theirs" checked' in text
    assert 'name="pick_expected_output" value="mine" checked' in text
    assert "pick_input" not in text
    again = _resent(refused, {"pick_metadata": "theirs", "pick_expected_output": "mine"})
    assert client.post(url("item_edit", dataset, 1), again).status_code == 302
    item = current_item(dataset, 1)
    assert (item.expected_output, item.metadata) == ("mine", {"topic": "theirs"})
    assert item.version_from == 3


def test_keep_mine_keeps_all_of_mine_whatever_is_picked(
    dataset: Dataset, editor: User, owner: User, client_for: ClientFor
) -> None:
    mine = form_of(dataset, 1, expected_output='"mine"')
    change(dataset, 1, owner, metadata={"topic": "theirs"})
    client = client_for(editor)
    refused = client.post(url("item_edit", dataset, 1), mine)
    again = _resent(refused, {"pick_metadata": "theirs", "keep": "mine"})
    client.post(url("item_edit", dataset, 1), again)
    item = current_item(dataset, 1)
    assert (item.expected_output, item.metadata) == ("mine", {"topic": "sum"})


def test_scorers_are_one_choice_of_two_controls(
    dataset: Dataset, editor: User, owner: User, client_for: ClientFor
) -> None:
    mine = form_of(dataset, 1, input='"mine"')
    change(dataset, 1, owner, scorers=["exact_match", "contains"])
    client = client_for(editor)
    refused = client.post(url("item_edit", dataset, 1), mine)
    client.post(url("item_edit", dataset, 1), _resent(refused, {"pick_scorers": "theirs"}))
    item = current_item(dataset, 1)
    assert (item.input, item.scorers_json) == ("mine", '["exact_match","contains"]')


def _resent(refused: Any, picks: dict[str, str]) -> dict[str, str]:
    """The page of a refused edit sent as it came, with some choices."""
    form = refused.context["form"]
    typed = {name: form[name].value() or "" for name in form.fields}
    return typed | {"revision": str(refused.context["revision"])} | picks


# Undo, history, copies, purge


def test_a_deletion_is_undone_by_the_button_of_its_toast(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    revision = str(current_item(dataset, 2).pk)
    listed = client.post(url("item_delete", dataset, 2), {"revision": revision}, follow=True)
    (undo,) = re.findall(r'<form method="post" action="([^"]+/restore/[^"]+)">', _text(listed))
    back = client.post(undo.replace("&amp;", "&"), follow=True)
    assert "Item 0002 is restored in v3." in _text(back)
    assert current_item(dataset, 2).external_id == "q-2"
    late = client.post(undo.replace("&amp;", "&"), follow=True)
    assert "changed in v3 meanwhile, so nothing was restored" in _text(late)


def test_the_history_of_an_item_has_every_change_and_brings_each_back(
    dataset: Dataset, editor: User, viewer: User, client_for: ClientFor
) -> None:
    first = current_item(dataset, 1)
    change(dataset, 1, editor, expected_output="two")
    page = _text(client_for(editor).get(url("item_history", dataset, 1)))
    assert "<del>2</del><ins>two</ins>" in page
    assert f'name="revision" value="{first.pk}"' in page
    assert "Restore<" not in _text(client_for(viewer).get(url("item_history", dataset, 1)))
    sent = {"revision": first.pk, "current": current_item(dataset, 1).pk}
    client_for(editor).post(url("item_restore", dataset, 1), sent)
    assert current_item(dataset, 1).expected_output == "2"


def test_a_deleted_item_has_its_history_still(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    delete_item(dataset=dataset, number=1, by=editor)
    page = client_for(editor).get(url("item_history", dataset, 1))
    assert page.status_code == 200
    assert "This item is deleted." in _text(page)
    assert client_for(editor).get(url("item_history", dataset, 9)).status_code == 404


def test_an_old_state_offers_to_come_back(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    change(dataset, 1, editor, expected_output="two")
    assert "Restore this as v3" in _text(client_for(editor).get(url("item", dataset, 1) + "?v=1"))
    assert "Restore this" not in _text(client_for(editor).get(url("item", dataset, 1)))


def test_a_duplicate_begins_as_a_filled_form_without_the_external_id(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    form = client.get(url("item_new", dataset) + "?copy=2").context["form"]
    assert "2 + 2" in form["input"].value()
    assert form["external_id"].value() == ""
    typed = {name: form[name].value() or "" for name in form.fields}
    client.post(url("item_new", dataset) + "?copy=2", typed)
    assert current_item(dataset, 4).content_hash == current_item(dataset, 2).content_hash


def test_an_item_is_copied_to_another_dataset_of_the_project(
    dataset: Dataset, editor: User, stranger: User, client_for: ClientFor
) -> None:
    other = create_dataset(project=dataset.project, name="Other", by=editor)
    create_dataset(project=stranger.memberships.get().project, name="Theirs", by=stranger)
    client = client_for(editor)
    assert '<option value="other">' in _text(client.get(url("item_copy", dataset, 2)))
    done = client.post(url("item_copy", dataset, 2), {"to": "other"})
    assert done["Location"] == url("item", other, 1)
    assert client.post(url("item_copy", dataset, 2), {"to": "theirs"}).status_code == 404


def test_a_taken_external_id_leads_to_the_item_that_has_it(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    edit = client.post(url("item_edit", dataset, 1), form_of(dataset, 1, external_id="q-2"))
    new = client.post(url("item_new", dataset), {"input": '"x"', "external_id": "q-2"})
    for refused in (edit, new):
        assert refused.status_code == 409
        assert f'<a href="{url("item", dataset, 2)}">item 0002</a>' in _text(refused)


def test_a_purge_asks_for_the_number_and_is_told_everywhere(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    change(dataset, 1, editor, expected_output="two")
    client = client_for(editor)
    address = url("item_purge", dataset, 1)
    assert "all 2 revisions" in _text(client.get(address))
    wrong = client.post(address, {"number": "2"})
    assert (wrong.status_code, "Type 0001 to purge it." in _text(wrong)) == (422, True)
    assert current_item(dataset, 1).input == "1 + 1"
    client.post(address, {"number": "0001"})
    for page in (
        url("item_history", dataset, 1),
        url("item", dataset, 1),
        url("item", dataset, 1) + "?v=1",
        url("detail", dataset),
    ):
        text = _text(client.get(page))
        assert "Purged" in text
        assert "1 + 1" not in text


# Schemas and scorers


def test_a_broken_schema_is_told_at_the_field_with_a_pointer(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    schema = {"type": "object", "properties": {"level": {"type": "integer"}}}
    DatasetVersion.objects.update(schemas={"metadata": json.dumps(schema)})
    client = client_for(editor)
    bad = '{"level": "high"}'
    refused = client.post(url("item_edit", dataset, 1), form_of(dataset, 1, metadata=bad))
    assert refused.status_code == 422
    assert "/metadata/level" in str(refused.context["form"].errors["metadata"])
    checked = _text(client.post(url("item_check", dataset), {"metadata": bad}, headers=HTMX))
    assert "<code>/metadata/level</code>" in checked
    good = client.post(url("item_check", dataset), {"metadata": '{"level": 2}'}, headers=HTMX)
    assert "Matches the schema" in _text(good)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ({"scorers": "", "scorer_list": "contains"}, None),
        ({"scorers": "none"}, "[]"),
        ({"scorers": "own", "scorer_list": "contains, regex,contains"}, '["contains","regex"]'),
        ({"scorers": "own", "scorer_list": '[{"use": "regex"}]'}, '[{"use":"regex"}]'),
    ],
)
def test_an_item_inherits_its_scorers_has_none_or_its_own(
    typed: dict[str, str],
    stored: str | None,
    dataset: Dataset,
    editor: User,
    client_for: ClientFor,
) -> None:
    client = client_for(editor)
    client.post(url("item_edit", dataset, 1), form_of(dataset, 1, input='"x"', **typed))
    assert current_item(dataset, 1).scorers_json == stored
    before = dataset.versions.count()
    client.post(url("item_edit", dataset, 1), form_of(dataset, 1))
    assert dataset.versions.count() == before


def test_own_scorers_need_a_name(dataset: Dataset, editor: User, client_for: ClientFor) -> None:
    typed = form_of(dataset, 1, scorers="own", scorer_list=" , ")
    refused = client_for(editor).post(url("item_edit", dataset, 1), typed)
    assert (refused.status_code, "Name at least one" in _text(refused)) == (422, True)


def test_the_splits_of_the_dataset_are_suggested(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    change(dataset, 1, editor, split="dev")
    assert '<option value="dev">' in _text(client_for(editor).get(url("item_new", dataset)))


def _text(response: Any) -> str:
    text: str = response.content.decode()
    return text
