"""The form of an item: writing, and two people at the same item."""

from __future__ import annotations

import json

import pytest

from datasets_app.actions import add_items, delete_item
from datasets_app.actions.items import current_item
from datasets_app.items import parse_item
from datasets_app.models import Dataset
from evalhub.access.models import User
from evalhub.kit import slots
from tests.datasets_app.pages import HTMX, ClientFor, change, form_of, url


@pytest.fixture(autouse=True)
def no_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pages alone: what runs put into them is tested with runs."""
    monkeypatch.setattr(slots, "_providers", {})


def test_an_item_is_written_by_hand_without_script(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    response = client_for(editor).post(
        url("item_new", dataset),
        {
            "input": '{"question": "3 + 3"}',
            "expected_output": "6",
            "metadata": '{"topic": "sum"}',
            "tags": "easy, sums, easy",
            "split": "dev",
            "external_id": "q-4",
            "message": "One more",
        },
    )
    assert response["Location"] == url("item", dataset, 4)
    item = current_item(dataset, 4)
    assert item.input == {"question": "3 + 3"}
    assert item.expected_output == 6
    assert (item.tags, item.split, item.external_id) == (["easy", "sums"], "dev", "q-4")
    assert dataset.versions.get(number=2).message == "One more"


def test_an_empty_expected_output_is_absent_and_null_is_null(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    client.post(url("item_new", dataset), {"input": '"a"', "expected_output": "  "})
    client.post(url("item_new", dataset), {"input": '"b"', "expected_output": "null"})
    assert current_item(dataset, 4).expected_json is None
    assert current_item(dataset, 5).expected_json == "null"


def test_plain_text_is_written_and_edited_as_it_is(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    typed = {"input": " What is left?\r\nSay why. ", "expected_output": "42"}
    client.post(url("item_new", dataset), typed)
    item = current_item(dataset, 4)
    assert (item.input, item.expected_output) == ("What is left?\nSay why.", 42)
    page = client.get(url("item_edit", dataset, 4)).content.decode()
    assert "What is left?\nSay why.</textarea>" in page
    client.post(url("item_edit", dataset, 4), form_of(dataset, 4, expected_output='"42"'))
    assert current_item(dataset, 4).expected_output == "42"
    assert form_of(dataset, 4)["expected_output"] == '"42"', "so that it stays a text"


def test_broken_metadata_is_not_told_to_become_a_text(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    for typed in ('{"a": 1.234,56}', "twelve"):
        answer = client_for(editor).post(
            url("item_new", dataset), {"input": "kept", "metadata": typed}
        )
        page = answer.content.decode()
        assert "Metadata is a JSON object, such as" in page
        assert "quotes: " not in page


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("input", "", "An item needs an input."),
        ("input", "[hello", "put it in quotes: &quot;[hello&quot;"),
        ("metadata", '{\n "a": 1\n "b": 2}', "a comma is missing"),
        ("metadata", "[1]", "Metadata is a JSON object"),
        ("expected_output", '{"a": NaN}', "NaN"),
        ("split", "s" * 61, "at most 60"),
    ],
)
def test_what_is_wrong_with_an_item_is_said_at_the_field_and_nothing_is_lost(
    field: str, text: str, said: str, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    typed = {"input": '"kept"', "message": "my reason"} | {field: text}
    response = client_for(editor).post(url("item_new", dataset), typed)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert "my reason" in response.content.decode()
    dataset.refresh_from_db()
    assert dataset.version == 1


def test_an_external_id_that_is_taken_is_a_conflict(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    response = client_for(editor).post(
        url("item_new", dataset), {"input": '"x"', "external_id": "q-2"}
    )
    assert response.status_code == 409
    dataset.refresh_from_db()
    assert dataset.version == 1


def test_saving_an_edit_makes_one_version_and_keeps_the_state_of_the_list(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    response = client_for(editor).post(
        url("item_edit", dataset, 1) + "?q=1",
        form_of(dataset, 1, expected_output='"two"', message="Words"),
    )
    assert response["Location"] == url("item", dataset, 1) + "?q=1"
    assert current_item(dataset, 1).expected_output == "two"
    dataset.refresh_from_db()
    assert dataset.version == 2


def test_saving_without_a_change_makes_no_version(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    response = client_for(editor).post(
        url("item_edit", dataset, 1), form_of(dataset, 1), follow=True
    )
    assert "Nothing was changed" in response.content.decode()
    dataset.refresh_from_db()
    assert dataset.version == 1


def test_an_edit_keeps_what_nobody_touched(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    add_items(
        dataset=dataset,
        contents=[parse_item({"input": "x", "scorers": [], "source": "file.csv, line 2"})],
        by=editor,
    )
    client_for(editor).post(url("item_edit", dataset, 4), form_of(dataset, 4, input='"y"'))
    item = current_item(dataset, 4)
    assert (item.input, item.scorers_json, item.source) == ("y", "[]", "file.csv, line 2")


def test_the_edit_form_shows_the_item_as_json_that_saves_to_the_same(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    add_items(
        dataset=dataset,
        contents=[parse_item({"input": {"b": 1.0, "a": 12345678901234567890}})],
        by=editor,
    )
    client = client_for(editor)
    form = client.get(url("item_edit", dataset, 4)).context["form"]
    data = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    assert json.loads(data["input"]) == {"b": 1.0, "a": 12345678901234567890}
    client.post(url("item_edit", dataset, 4), data)
    dataset.refresh_from_db()
    assert dataset.version == 2


def test_a_stale_edit_is_refused_with_both_contents_and_can_insist(
    dataset: Dataset, editor: User, owner: User, client_for: ClientFor
) -> None:
    mine = form_of(dataset, 1, expected_output='"mine"')
    change(dataset, 1, owner, expected_output="theirs")
    client = client_for(editor)
    refused = client.post(url("item_edit", dataset, 1), mine)
    text = refused.content.decode()
    assert refused.status_code == 409
    assert "owner saved this item in v2" in text
    assert "<del>2</del><ins>theirs</ins>" in text
    assert "<del>2</del><ins>mine</ins>" in text
    assert "Both of you changed it" in text
    assert current_item(dataset, 1).expected_output == "theirs"
    insist = mine | {"revision": str(refused.context["revision"])}
    assert f'name="revision" value="{insist["revision"]}"' in text
    assert client.post(url("item_edit", dataset, 1), insist).status_code == 302
    assert current_item(dataset, 1).expected_output == "mine"


def test_an_edit_without_a_revision_is_refused(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    data = form_of(dataset, 1, expected_output='"blind"') | {"revision": ""}
    assert client_for(editor).post(url("item_edit", dataset, 1), data).status_code == 409
    assert current_item(dataset, 1).expected_output == "2"


def test_what_was_typed_survives_when_the_item_was_deleted_meanwhile(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    data = form_of(dataset, 1, input='"much work"')
    delete_item(dataset=dataset, number=1, by=editor)
    response = client_for(editor).post(url("item_edit", dataset, 1), data)
    assert response.status_code == 404
    assert "much work" in response.content.decode()


def test_items_cannot_be_saved_while_an_import_is_writing(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    Dataset.objects.update(pending_version=2)
    client = client_for(editor)
    assert "v2 is being written" in client.get(url("detail", dataset)).content.decode()
    response = client.post(url("item_edit", dataset, 1), form_of(dataset, 1, input='"much work"'))
    assert response.status_code == 409
    assert "Wait for it to end" in response.content.decode()
    assert "much work" in response.content.decode()


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("input", '{"a": 1}', "Valid JSON"),
        ("input", "Why?", "Plain text"),
        ("expected_output", "7", "Read as a number. In quotes it is a text."),
        ("input", "{", "field__error"),
        ("metadata", "3", "Metadata is a JSON object"),
        ("metadata", "", ""),
        ("expected_output", "", "None. Scorers that need one"),
        ("expected_output", "null", "Null is a value"),
    ],
)
def test_check_answers_the_lines_below_the_field(
    field: str, text: str, said: str, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    response = client_for(editor).post(url("item_check", dataset), {field: text}, headers=HTMX)
    assert response.status_code == 200
    assert said in response.content.decode()
    assert bool(response.content.strip()) == bool(said)


def test_check_needs_a_field_and_an_editor(
    dataset: Dataset, editor: User, viewer: User, client_for: ClientFor
) -> None:
    assert client_for(editor).post(url("item_check", dataset), {"x": "1"}).status_code == 404
    assert client_for(viewer).post(url("item_check", dataset), {"input": "1"}).status_code == 403
    assert client_for(editor).get(url("item_check", dataset)).status_code == 405
