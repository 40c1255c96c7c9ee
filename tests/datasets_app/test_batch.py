"""A batch of different changes, and what a selection and an action may say."""

from __future__ import annotations

from typing import Any

import pytest

from datasets_app.actions.batch import ItemRemoval, ItemUpdate, batch_items
from datasets_app.actions.items import current_item
from datasets_app.actions.versions import content_of
from datasets_app.bulk.action import parse_action
from datasets_app.items import parse_item
from datasets_app.models import Dataset, ItemRevision
from datasets_app.selection import parse_selection
from evalhub.access.models import User
from evalhub.kit.errors import Conflict, Invalid, NotFound, StaleRevision
from tests.datasets_app.jobs import items
from tests.datasets_app.pages import change

pytestmark = [pytest.mark.db, pytest.mark.django_db]


def update(dataset: Dataset, number: int, **fields: Any) -> ItemUpdate:
    return ItemUpdate(number, current_item(dataset, number).pk, parse_item(fields))


def test_a_batch_adds_updates_and_deletes_as_one_version(tickets: Dataset, owner: User) -> None:
    done = batch_items(
        dataset=tickets,
        add=[parse_item({"input": "new", "external_id": "id-3"}), parse_item({"input": "other"})],
        update=[
            update(tickets, 1, input="q1", external_id="id-2"),
            update(tickets, 5, input="q5", external_id="id-5", split="train"),
        ],
        delete=[ItemRemoval(2), ItemRemoval(3, current_item(tickets, 3).pk)],
        by=owner,
        message="Tidy",
    )
    assert (done.version, done.numbers) == (2, [21, 22])
    assert (done.added, done.changed, done.removed) == (2, 1, 2)
    now = {one.number: one for one in items(tickets)}
    assert len(now) == 20
    assert (now[1].external_id, now[21].external_id, now[5].version_from) == ("id-2", "id-3", 1)
    same = parse_item({"input": "other", "external_id": None})
    known = content_of(now[21])
    again = batch_items(dataset=tickets, add=[known, same], by=owner)
    assert again.numbers == [21, 23]
    nothing = batch_items(dataset=tickets, add=[known], by=owner)
    assert (nothing.version, nothing.numbers) == (None, [21])


def test_a_batch_with_one_fault_changes_nothing(tickets: Dataset, owner: User) -> None:
    old = ItemUpdate(4, current_item(tickets, 4).pk, parse_item({"input": "mine"}))
    change(tickets, 4, owner, input="theirs", external_id="id-4")
    new = parse_item({"input": "n"})
    before = ItemRevision.objects.count()
    with pytest.raises(StaleRevision, match="Item #4 was changed in v2 after it was read"):
        batch_items(dataset=tickets, add=[new], update=[old], by=owner)
    with pytest.raises(NotFound, match="There is no item #77") as missing:
        batch_items(dataset=tickets, add=[new], delete=[ItemRemoval(77)], by=owner)
    assert missing.value.errors[0].pointer == "/delete/0/number"
    with pytest.raises(Invalid, match="Item #5 is named more than once"):
        batch_items(dataset=tickets, delete=[ItemRemoval(5), ItemRemoval(5)], by=owner)
    taken = parse_item({"input": "n", "external_id": "id-9"})
    with pytest.raises(Conflict, match="“id-9” is that of item #9") as conflict:
        batch_items(dataset=tickets, add=[new, taken], by=owner)
    assert conflict.value.errors[0].pointer == "/add/1/external_id"
    twice = parse_item({"input": "n", "external_id": "x"})
    with pytest.raises(Conflict, match="“x” is that of /add/0"):
        batch_items(dataset=tickets, add=[twice, twice], by=owner)
    assert ItemRevision.objects.count() == before


# What a body may say


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({}, "/selection"),
        ([], "/selection"),
        ({"numbers": []}, "/selection"),
        ({"numbers": ["1"]}, "/selection/numbers"),
        ({"numbers": [0]}, "/selection/numbers"),
        ({"numbers": [2**31]}, "/selection/numbers"),
        ({"numbers": [1], "all": True}, "/selection/numbers"),
        ({"numbers": [1], "except": [2]}, "/selection/except"),
        ({"where": 3}, "/selection/where"),
        ({"all": 1}, "/selection/all"),
        ({"version": True, "all": True}, "/selection/version"),
        ({"filter": ""}, "/selection/filter"),
    ],
)
def test_a_selection_that_says_nothing_clear_is_refused(given: object, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_selection(given, 1, pointer="/selection")
    assert refused.value.errors[0].pointer == pointer


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ("delete", ""),
        ({"type": "explode"}, "/type"),
        ({"type": "delete", "split": "x"}, "/split"),
        ({"type": "set_split"}, "/split"),
        ({"type": "set_split", "split": "x" * 61}, "/split"),
        ({"type": "add_tags", "tags": "x"}, "/tags"),
        ({"type": "remove_tags", "tags": [" "]}, "/tags"),
        ({"type": "copy_to"}, "/dataset"),
        ({"type": "copy_to", "dataset": "a", "new_dataset": "b"}, "/dataset"),
        ({"type": "copy_to", "dataset": "a", "on_conflict": "win"}, "/on_conflict"),
        ({"type": "move_to", "dataset": "a", "on_conflict": "skip"}, "/on_conflict"),
    ],
)
def test_an_action_that_says_nothing_clear_is_refused(given: object, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_action(given)
    assert refused.value.errors[0].pointer == pointer
