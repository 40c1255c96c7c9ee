"""A run of the items that pass a filter."""

from __future__ import annotations

import pytest

from datasets_app import public
from evalhub.access.models import Project, User
from evalhub.kit.errors import Invalid
from runs_app.selection import choose, parse
from runs_app.views.heads import selection_words
from tests.factories import make_dataset

pytestmark = pytest.mark.django_db


def rows(project: Project, owner: User) -> public.DatasetRow:
    payloads = [
        {"input": n, "metadata": {"level": n % 3}, "split": "test" if n % 2 else "train"}
        for n in range(1, 13)
    ]
    dataset = make_dataset(project, owner, payloads)
    return public.find_dataset(owner, project, dataset.slug)


def test_a_filter_lists_its_items_before_a_sample_is_drawn(project: Project, owner: User) -> None:
    dataset = rows(project, owner)
    chosen = choose(project, dataset, 1, parse({"where": "metadata.level = 1"}))
    assert chosen.numbers == [1, 4, 7, 10]
    assert chosen.selection.as_dict() == {"where": "metadata.level = 1"}
    both = parse({"where": "metadata.level = 1", "split": "test", "limit": 1})
    assert choose(project, dataset, 1, both).numbers == [1]
    drawn = choose(project, dataset, 1, parse({"where": "metadata.level = 1", "sample": 2}))
    assert set(drawn.numbers or ()) < {1, 4, 7, 10}
    assert drawn.selection.where == "metadata.level = 1"


def test_a_filter_that_cannot_be_or_finds_nothing_is_refused(project: Project, owner: User) -> None:
    with pytest.raises(Invalid, match="Did you mean") as caught:
        parse({"where": "level = 1"})
    assert [error.pointer for error in caught.value.errors] == ["/selection/where"]
    dataset = rows(project, owner)
    with pytest.raises(Invalid, match="no item that matches the filter") as caught:
        choose(project, dataset, 1, parse({"where": "metadata.level = 9"}))
    assert [error.pointer for error in caught.value.errors] == ["/selection/where"]


def test_a_run_says_its_filter() -> None:
    assert selection_words({"split": "test", "where": "number < 5"}) == (
        "Split test, where number < 5"
    )
