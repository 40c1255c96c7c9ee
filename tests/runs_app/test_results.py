"""Pages of results: filters, search, paging by item number, neighbours and counts."""

from __future__ import annotations

from typing import Any

import pytest

from datasets_app.actions import update_item
from datasets_app.items import parse_item
from evalhub.access.models import Project, User
from evalhub.kit.errors import NotFound
from runs_app import queries, results, states
from runs_app.models import Run, Score
from tests.factories import make_dataset, make_finished_run, questions

pytestmark = [pytest.mark.db, pytest.mark.django_db]

TIMEOUT = TimeoutError("No answer within 60 s.")


@pytest.fixture
def run(project: Project, owner: User) -> Run:
    """Seven items. Exact fails 2, 4 and 6; near fails 2 and 7; 3 is an error, 5 is not scored by
    exact."""
    dataset = make_dataset(project, owner, questions(7))
    return make_finished_run(
        dataset,
        owner,
        ["one", "two", TIMEOUT, "four", 'say "five"', "six", "seven"],
        {
            "exact": [1, 0, None, 0, None, 0, 1],
            "near": [0.9, 0.2, None, 0.5, 0.75, 0.8, 0.49],
        },
    )


def shown(run: Run, **filters: Any) -> list[int]:
    return [row.number for row in queries.results_page(run, **filters).rows]


def test_a_row_has_the_item_as_the_run_saw_it(run: Run, owner: User) -> None:
    row = queries.find_result(run, 2)
    update_item(
        dataset=run.dataset,
        number=2,
        revision=row.item.revision_id,
        content=parse_item({"input": "another question"}),
        by=owner,
    )
    row = queries.find_result(run, 2)
    assert (row.number, row.status, row.output_json) == (2, "ok", '"two"')
    assert row.item.input_json == '"question 2"'
    assert list(row.scores) == ["exact", "near"]
    assert (row.scores["exact"].value, row.scores["exact"].passed) == (0.0, False)


def test_an_error_has_no_output_and_no_scores(run: Run) -> None:
    row = queries.find_result(run, 3)
    assert (row.status, row.output_json, row.scores) == ("error", None, {})
    assert (row.error_type, row.error_message) == ("TimeoutError", "No answer within 60 s.")


def test_a_score_that_is_not_there_is_no_zero_and_no_failure(run: Run) -> None:
    score = queries.find_result(run, 5).scores["exact"]
    assert (score.state, score.value, score.passed) == ("not_scored", None, None)


def test_an_item_without_a_result_is_not_found(run: Run) -> None:
    with pytest.raises(NotFound, match="item #99"):
        queries.find_result(run, 99)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"show": "fail"}, [2, 4, 6, 7]),
        ({"show": "fail", "scorer": "exact"}, [2, 4, 6]),
        ({"show": "fail", "scorer": "near"}, [2, 7]),
        ({"show": "error"}, [3]),
        ({"show": "not_scored"}, [5]),
        ({"show": "not_scored", "scorer": "near"}, []),
        ({"q": "FOUR"}, [4]),
        ({"q": "no answer"}, [3]),
        ({"q": '"five"'}, [5]),
        ({"q": "s", "show": "fail"}, [6, 7]),
        ({"q": "s", "show": "fail", "scorer": "near"}, [7]),
        ({"q": "five", "show": "not_scored"}, [5]),
        ({"q": "four", "show": "error"}, []),
    ],
)
def test_filters_and_search_show_these_items(
    run: Run, filters: dict[str, Any], expected: list[int]
) -> None:
    assert shown(run, **filters) == expected


def test_a_score_at_the_threshold_passes(run: Run) -> None:
    assert queries.find_result(run, 4).scores["near"].passed is True
    assert 4 not in shown(run, show="fail", scorer="near")


def test_lower_is_better_turns_pass_and_fail(project: Project, owner: User) -> None:
    run = make_finished_run(
        make_dataset(project, owner, questions(3)),
        owner,
        ["a", "b", "c"],
        {"edits": [0.1, 0.5, 0.9], "leak": [0, 1, 0]},
        scorers={"edits": {"higher_is_better": False}, "leak": {"higher_is_better": False}},
    )
    assert shown(run, show="fail", scorer="edits") == [3]
    assert shown(run, show="fail", scorer="leak") == [2]
    assert queries.filter_counts(run, scorer="edits").fail == 1
    assert queries.filter_counts(run, scorer="leak").fail == 1


def test_a_scorer_without_a_threshold_fails_nothing(project: Project, owner: User) -> None:
    run = make_finished_run(
        make_dataset(project, owner, questions(2)),
        owner,
        ["a", "b"],
        {"length": [0.1, 0.9]},
        scorers={"length": {"threshold": None}},
    )
    assert shown(run, show="fail") == []
    assert queries.filter_counts(run).fail == 0
    assert queries.filter_counts(run, scorer="length").fail == 0
    assert queries.find_result(run, 1).scores["length"].passed is None


@pytest.mark.parametrize("filters", [{"show": "worst"}, {"show": "fail", "scorer": "none"}])
def test_an_unknown_filter_or_scorer_is_not_found(run: Run, filters: dict[str, str]) -> None:
    with pytest.raises(NotFound):
        queries.results_page(run, **filters)


@pytest.mark.parametrize("filters", [{}, {"show": "fail"}, {"show": "fail", "q": "s"}])
def test_pages_forwards_and_backwards_hold_every_row_once(
    run: Run, filters: dict[str, Any]
) -> None:
    everything = shown(run, **filters)
    forwards: list[int] = []
    page = queries.results_page(run, size=2, **filters)
    assert page.before is None
    while True:
        forwards += [row.number for row in page.rows]
        if page.after is None:
            break
        page = queries.results_page(run, size=2, after=page.after, **filters)
    assert forwards == everything

    backwards = [row.number for row in page.rows]
    while page.before is not None:
        page = queries.results_page(run, size=2, before=page.before, **filters)
        assert page.after is not None
        backwards = [row.number for row in page.rows] + backwards
    assert backwards == everything


def test_the_total_is_known_without_a_filter_only(run: Run) -> None:
    assert queries.results_page(run, size=2).total == 7
    assert queries.results_page(run, show="fail").total is None
    assert queries.results_page(run, q="s").total is None


def test_a_page_takes_the_same_queries_for_two_rows_and_for_seven(
    run: Run, owner: User, project: Project, django_assert_num_queries: Any
) -> None:
    for size in (2, 7):
        read = queries.find_run(owner, project, run.number)
        with django_assert_num_queries(4):
            assert len(queries.results_page(read, size=size).rows) == size


def test_neighbours_follow_the_filter(run: Run) -> None:
    assert queries.result_neighbours(run, 4) == results.Neighbours(3, 5)
    assert queries.result_neighbours(run, 4, show="fail") == results.Neighbours(2, 6)
    assert queries.result_neighbours(run, 1) == results.Neighbours(None, 2)
    assert queries.result_neighbours(run, 7, show="fail") == results.Neighbours(6, None)
    assert queries.result_neighbours(run, 4, q="i") == results.Neighbours(3, 5)


@pytest.mark.parametrize("scorer", ["", "exact", "near"])
def test_counts_are_those_of_the_pages_stored_or_counted(run: Run, scorer: str) -> None:
    stored = queries.filter_counts(run, scorer=scorer)
    run.status, run.summary = states.RUNNING, None
    counted = results.FilterCounts(
        all=7,
        fail=len(shown(run, show="fail", scorer=scorer)),
        error=1,
        not_scored=len(shown(run, show="not_scored", scorer=scorer)),
    )
    assert stored == counted
    live = queries.filter_counts(run, scorer=scorer)
    assert (live.fail, live.not_scored) == (counted.fail, counted.not_scored)


def test_a_large_unfinished_run_does_not_count_its_failures(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "count_done", lambda run: (results.COUNTED_WHILE_ACTIVE + 1, 3))
    run.status, run.summary = states.RUNNING, None
    counts = queries.filter_counts(run)
    assert (counts.fail, counts.error, counts.not_scored) == (None, 3, None)


def test_a_scorer_that_failed_counts_as_not_scored(run: Run) -> None:
    Score.objects.filter(run_scorer__name="near", item_number=6).update(state="error", value=None)
    assert shown(run, show="not_scored") == [5, 6]
    assert shown(run, show="not_scored", scorer="near") == [6]
