"""Which items a run takes: the rules, what they come to, and what is refused."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets_app import item_pages, public
from datasets_app.models import Dataset, ItemRevision
from datasets_app.public import DatasetRow
from evalhub.access.models import Project, User
from evalhub.kit.errors import Invalid
from runs_app.selection import Selection, choose, draw, expect, parse
from tests.factories import make_dataset, make_finished_run, make_project, questions


# --- the rules ------------------------------------------------------------------------------------
def test_nothing_given_is_all_items() -> None:
    assert parse(None) == parse({}) == Selection()
    assert Selection().as_dict() == {}


@pytest.mark.parametrize(
    ("given", "pointers"),
    [
        ({"colour": 1}, ["/selection/colour"]),
        ({"split": 5}, ["/selection/split"]),
        ({"split": "x" * 61}, ["/selection/split"]),
        ({"limit": 0}, ["/selection/limit"]),
        ({"limit": True}, ["/selection/limit"]),
        ({"limit": "5"}, ["/selection/limit"]),
        ({"sample": 1.5}, ["/selection/sample"]),
        ({"sample": 10**7}, ["/selection/sample"]),
        ({"sample": 5, "seed": -1}, ["/selection/seed"]),
        ({"sample": 5, "seed": 2**31}, ["/selection/seed"]),
        ({"seed": 5}, ["/selection/seed"]),
        ({"failed_of": "#3"}, ["/selection/failed_of"]),
        ({"limit": -1, "failed_of": 0}, ["/selection/limit", "/selection/failed_of"]),
        ([1], ["/selection"]),
    ],
)
def test_a_selection_that_cannot_be_points_at_every_fault(given: Any, pointers: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        parse(given)
    assert [error.pointer for error in caught.value.errors] == pointers


def test_a_sample_depends_on_its_seed_alone() -> None:
    numbers = list(range(10, 1010))
    drawn = draw(numbers, 20, seed=7)
    assert drawn == draw(numbers, 20, seed=7) == sorted(set(drawn))
    assert len(drawn) == 20
    assert drawn != draw(numbers, 20, seed=8)
    assert draw(numbers, 5000, seed=7) == numbers


# --- what it comes to -----------------------------------------------------------------------------
@pytest.fixture
def numbers(project: Project, owner: User) -> Dataset:
    """Ten items; those with an even number are in the split "even"."""
    made = make_dataset(project, owner, questions(10), name="Numbers")
    for item in ItemRevision.objects.filter(dataset=made):
        item.split = "" if item.number % 2 else "even"
        item.save()
    return made


def row(dataset: Dataset, owner: User) -> DatasetRow:
    return public.find_dataset(owner, dataset.project, dataset.slug)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "total", "listed"),
    [
        ({}, 10, None),
        ({"limit": 3}, 3, None),
        ({"limit": 30}, 10, None),
        ({"split": "even"}, 5, None),
        ({"split": "even", "limit": 2}, 2, None),
        ({"split": "even", "sample": 9, "seed": 1}, 5, [2, 4, 6, 8, 10]),
    ],
)
def test_items_are_listed_only_where_their_order_cannot_be_read(
    numbers: Dataset, owner: User, given: dict[str, Any], total: int, listed: list[int] | None
) -> None:
    chosen = choose(numbers.project, row(numbers, owner), 1, parse(given))
    assert (chosen.total, chosen.numbers) == (total, listed)


@pytest.mark.django_db
def test_a_sample_without_a_seed_gets_one_that_draws_it_again(
    numbers: Dataset, owner: User
) -> None:
    first = choose(numbers.project, row(numbers, owner), 1, parse({"sample": 4}))
    assert first.numbers is not None
    assert len(first.numbers) == 4
    again = parse(first.selection.as_dict())
    assert again.seed is not None
    assert choose(numbers.project, row(numbers, owner), 1, again) == first
    limited = choose(numbers.project, row(numbers, owner), 1, parse(again.as_dict() | {"limit": 2}))
    assert limited.numbers == first.numbers[:2]


@pytest.mark.django_db
def test_the_errors_of_another_run_are_taken_where_they_still_exist(
    numbers: Dataset, owner: User
) -> None:
    outputs = [ValueError("no") if place % 3 == 0 else "x" for place in range(1, 11)]
    run = make_finished_run(numbers, owner, outputs, {"exact": [1] * 10})
    ItemRevision.objects.filter(dataset=numbers, number=9).update(deleted=True)
    chosen = choose(numbers.project, row(numbers, owner), 1, parse({"failed_of": run.number}))
    assert chosen.numbers == [3, 6]
    even = parse({"failed_of": run.number, "split": "even", "limit": 5})
    assert choose(numbers.project, row(numbers, owner), 1, even).numbers == [6]


@pytest.mark.django_db
def test_a_selection_without_an_item_is_refused_at_the_part_that_leaves_none(
    numbers: Dataset, owner: User
) -> None:
    fine = make_finished_run(numbers, owner, ["x"], {})
    odd = make_finished_run(numbers, owner, [ValueError("no")], {})
    other = make_dataset(numbers.project, owner, questions(2), name="Other")
    elsewhere = make_finished_run(other, owner, [ValueError("no")], {})
    foreign = make_finished_run(
        make_dataset(make_project(owner), owner, questions(1)), owner, [ValueError("no")], {}
    )
    cases = (
        ({"split": "odd"}, "split", "has no items"),
        ({"failed_of": fine.number}, "failed_of", "has no errors"),
        ({"failed_of": 99}, "failed_of", "There is no run 99"),
        ({"failed_of": odd.number, "split": "even"}, "failed_of", "None of the errors"),
        ({"failed_of": elsewhere.number}, "failed_of", "another dataset"),
    )
    assert foreign.number == fine.number  # a number means the run of the project at hand
    for given, part, said in cases:
        with pytest.raises(Invalid) as caught:
            choose(numbers.project, row(numbers, owner), 1, parse(given))
        (error,) = caught.value.errors
        assert (error.pointer, said in error.detail) == (f"/selection/{part}", True), error


@pytest.mark.django_db
def test_splits_are_counted_at_a_version(numbers: Dataset) -> None:
    assert public.splits(numbers.pk, 1) == {"even": 5}


# --- what is expected -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"split": "even"},
        {"split": "even", "limit": 2},
        {"sample": 4, "seed": 1},
        {"sample": 40, "limit": 7, "seed": 1},
        {"where": 'split = "even"'},
        {"where": 'not split = "even"', "sample": 3, "seed": 1},
        {"where": 'split = "even"', "limit": 50},
    ],
)
def test_what_is_expected_is_what_will_be_chosen(
    numbers: Dataset, project: Project, owner: User, given: dict[str, Any]
) -> None:
    of = row(numbers, owner)
    chosen = choose(project, of, 1, parse(given))
    assert expect(project, of, 1, parse(given)) == (chosen.total, True)


def test_a_filter_is_counted_only_so_far(
    numbers: Dataset, project: Project, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public, "count", partial(item_pages.count, limit=3))
    of, where = row(numbers, owner), 'split = "even"'
    assert expect(project, of, 1, parse({"where": where})) == (3, False)
    assert expect(project, of, 1, parse({"where": where, "limit": 2})) == (2, True)
    assert expect(project, of, 1, parse({"where": where, "sample": 3})) == (3, True)
    assert expect(project, of, 1, parse({"where": where, "sample": 9})) == (3, False)
    with pytest.raises(Invalid, match="has no item that matches the filter"):
        expect(project, of, 1, parse({"where": 'split = "odd"'}))


def test_all_items_of_a_version_are_not_counted_anew(
    numbers: Dataset, project: Project, owner: User
) -> None:
    of = row(numbers, owner)
    with CaptureQueriesContext(connection) as asked:
        assert expect(project, of, 1, parse({"limit": 3})) == (3, True)
    assert not [query for query in asked.captured_queries if "itemrevision" in query["sql"]]
