"""Runs with repetitions: every result is read, and the item stays the unit of every figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from evalhub.kit.errors import NotFound
from evalhub.kit.json import dumps
from runs_app import (
    comparing,
    comparing_many,
    joining,
    overview,
    payloads,
    queries,
    results,
    states,
    vectors,
)
from runs_app.engine.summary import summarise
from runs_app.models import Purpose, Run, Score
from runs_app.statistics.intervals import tango, wilson
from tests.factories import make_dataset, make_finished_run, make_scorers, questions

pytestmark = [pytest.mark.db, pytest.mark.django_db]

SLOW = TimeoutError("No answer within 60 s.")


@pytest.fixture
def run(project: Project, owner: User) -> Run:
    """Three items, three times: 1 passes 2 of 3, 2 fails once and errs once, 3 always errs."""
    return make_finished_run(
        make_dataset(project, owner, questions(3)),
        owner,
        ["a", "b", "other", "c", SLOW, "d", SLOW, SLOW, SLOW],
        {"exact": [1, 1, 0, 0, None, None, None, None, None]},
        repetitions=3,
        results={
            "retries": [0, 1, 0, 0, 2, 0, 0, 0, 0],
            "input_tokens": [10, 20, 30, None, None, None, None, None, None],
            "output_tokens": [1, 2, 3, None, None, None, None, None, None],
            "cost_usd": [0.5, 0.25, 0.25, None, None, None, None, None, None],
            "trace_id": [""] * 8 + ["abc"],
            "spans_json": [None] * 8 + [dumps([{"name": "Try 1"}])],
        },
    )


def shown(run: Run, **filters: Any) -> list[tuple[int, int]]:
    return [(row.number, row.repetition) for row in queries.results_page(run, **filters).rows]


def test_a_page_of_two_items_has_every_repetition_of_them(run: Run) -> None:
    page = queries.results_page(run, size=2)
    assert [(row.number, row.repetition) for row in page.rows] == [
        (number, repetition) for number in (1, 2) for repetition in (0, 1, 2)
    ]
    assert (page.after, page.total) == (2, 9)
    assert shown(run, size=2, after=2) == [(3, 0), (3, 1), (3, 2)]
    assert shown(run, size=1, before=3) == [(2, 0), (2, 1), (2, 2)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"show": "fail"}, [(1, 2), (2, 0)]),
        ({"show": "error"}, [(2, 1), (3, 0), (3, 1), (3, 2)]),
        ({"show": "not_scored"}, [(2, 2)]),
        ({"q": "OTHER"}, [(1, 2)]),
        ({"q": "answer", "show": "error"}, [(2, 1), (3, 0), (3, 1), (3, 2)]),
        ({"q": "b", "show": "fail"}, []),
    ],
)
def test_a_filter_holds_the_results_that_match_and_counts_just_those(
    run: Run, filters: dict[str, Any], expected: list[tuple[int, int]]
) -> None:
    assert shown(run, **filters) == expected
    counts = queries.filter_counts(run)
    assert (counts.all, counts.fail, counts.error, counts.not_scored) == (9, 2, 4, 1)
    assert queries.filter_counts(run, scorer="exact").fail == 2
    run.status, run.summary = states.RUNNING, None
    assert queries.filter_counts(run).fail == 2


def test_a_result_is_found_by_its_repetition_and_has_its_spans(run: Run) -> None:
    row = queries.find_result(run, 3, 2)
    assert (row.error_type, row.trace_id, row.spans) == ("TimeoutError", "abc", [{"name": "Try 1"}])
    assert queries.results_page(run).rows[8].spans_json is None
    assert queries.results_page(run, spans=True).rows[8].spans == [{"name": "Try 1"}]
    with pytest.raises(NotFound, match="item #3, repetition 4"):
        queries.find_result(run, 3, 3)


def test_the_api_gives_repetition_tokens_cost_and_spans_when_asked(run: Run) -> None:
    row = queries.find_result(run, 1, 1)
    payload = payloads.result_payload(row)
    assert (payload["repetition"], payload["input_tokens"], payload["cost_usd"]) == (1, 20, 0.25)
    assert payload["trace_id"] is None
    assert "spans" not in payload
    last = payloads.result_payload(queries.find_result(run, 3, 2), spans=True)
    assert last["spans"] == [{"name": "Try 1"}]


def test_the_value_of_an_item_is_the_mean_of_the_repetitions_that_scored(run: Run) -> None:
    found = vectors.results_of(run)
    values = vectors.values_of(run, run.scorers.get(), found)
    assert found.numbers.tolist() == [1, 2, 3]
    assert values[:2].tolist() == [pytest.approx(2 / 3), 0.0]
    assert np.isnan(values[2])
    assert found.errored.tolist() == [False, False, True]


def test_kept_values_are_read_again_after_a_rescore(run: Run) -> None:
    found = vectors.results_of(run)
    vectors.values_of(run, run.scorers.get(), found)
    Score.objects.filter(run_scorer=run.scorers.get(), item_number=1).update(value=0.0)
    run.score_revision += 1
    assert vectors.values_of(run, run.scorers.get(), found)[0] == 0.0


def test_the_mean_and_its_interval_are_over_items(run: Run) -> None:
    found = summarise(run)
    figures = found["scores"]["exact"]
    assert (figures["n"], figures["scored"], figures["passed"]) == (2, 4, 2)
    assert figures["mean"] == pytest.approx(1 / 3)
    # t with one degree of freedom, 12.706 standard errors of 1/3, reaches over both ends.
    assert figures["ci95"] == [0.0, 1.0]
    assert (found["total_items"], found["total_results"], found["failed"]) == (3, 9, 4)
    assert found["distribution"]["exact"] == {"kind": "binary", "passed": 2, "failed": 2}


def test_a_summary_adds_up_tokens_cost_and_retries(run: Run, owner: User) -> None:
    found = summarise(run)
    assert found["tokens"] == {"input": 60, "output": 6}
    assert (found["cost_usd"], found["retries"]) == (1.0, 3)
    assert found["errors"] == {"TimeoutError": 4}
    line = overview.lines([run])[0]
    assert (line.tokens, line.cost_usd) == (66, 1.0)
    assert run.dataset is not None
    bare = summarise(make_finished_run(run.dataset, owner, ["a"], {"exact": [1]}))
    assert (bare["tokens"], bare["cost_usd"], bare["retries"]) == (None, None, 0)


def test_a_summary_of_an_older_version_is_read_with_what_it_lacks(run: Run) -> None:
    assert run.summary is not None
    for name in ("tokens", "cost_usd", "retries"):
        del run.summary[name]
    del run.summary["scores"]["exact"]["scored"]
    found = queries.summary(run)
    assert (found["tokens"], found["cost_usd"], found["retries"]) == (None, None, 0)
    assert found["scores"]["exact"]["scored"] == 2
    assert queries.filter_counts(run, scorer="exact").fail == 0


@pytest.fixture
def twelve(project: Project, owner: User) -> Dataset:
    return make_dataset(project, owner, questions(12))


def test_a_binary_scorer_with_repetitions_is_compared_by_items(
    twelve: Dataset, owner: User
) -> None:
    """5 items x 4 repetitions are 5 observations, not 20 (STATISTICS.md)."""
    once = make_finished_run(twelve, owner, ["x"] * 12, {"exact": [0] * 12})
    twice = make_finished_run(
        twelve, owner, ["x"] * 24, {"exact": [1, 0] * 6 + [0, 0] * 6}, repetitions=2
    )
    found = comparing.compare(once, twice).scorers[0]
    assert (found.kind, found.pairs, found.ci_method) == ("continuous", 12, "t")
    assert found.delta == pytest.approx(0.25)
    assert (found.improved, found.unchanged, found.regressed) == (6, 6, 0)
    assert (found.a.n, found.b.n) == (12, 12)
    assert found.b.mean == pytest.approx(0.25)
    assert found.point == 0.01
    again = make_finished_run(twelve, owner, ["x"] * 12, {"exact": [1] * 12})
    assert comparing.compare(once, again).scorers[0].kind == "binary"


def test_a_compared_item_shows_its_first_good_result_and_its_mean(
    twelve: Dataset, owner: User
) -> None:
    once = make_finished_run(twelve, owner, ["x"] * 12, {"exact": [1] * 12})
    twice = make_finished_run(
        twelve,
        owner,
        [SLOW, "second", "third"] * 12,
        {"exact": [None, 1, 0] * 12},
        repetitions=3,
    )
    row = comparing.items_page(once, twice, show="regressed").rows[0]
    assert row.b is not None
    assert (row.value_a, row.value_b, row.change) == (1.0, 0.5, -0.5)
    assert (row.b.repetition, row.b.output_json) == (1, '"second"')
    shared = joining.shared_scorers(once, twice)[0]
    assert (shared.binary, joining.shared_scorers(once, once)[0].binary) == (False, True)


def test_a_run_with_one_item_of_its_own_is_read_without_a_dataset(
    project: Project, owner: User
) -> None:
    dataset = make_dataset(project, owner, questions(1))
    run = make_finished_run(dataset, owner, ["out"], {"exact": [1]})
    run.purpose, run.dataset = Purpose.PLAYGROUND, None
    run.inline_item = {
        "external_id": None,
        "input_json": '"asked"',
        "expected_json": None,
        "metadata_json": "{}",
        "context_json": None,
    }
    run.results.update(revision_id=0)
    run.save()
    row = queries.find_result(run, 1)
    assert (row.item.input_json, row.scores["exact"].passed) == ('"asked"', True)
    assert results.results_page(run).rows[0].number == 1
    assert summarise(run)["succeeded"] == 1
    assert vectors.results_of(run).numbers.tolist() == [1]
    assert overview.lines([run])[0].dataset == ""
    assert list(queries.runs(owner, project)) == []


def test_a_page_with_repetitions_takes_no_more_queries(
    run: Run, owner: User, project: Project, django_assert_num_queries: Any
) -> None:
    expected: list[tuple[dict[str, Any], int]] = [
        ({}, 4),
        ({"show": "fail"}, 4),
        ({"q": "answer"}, 5),
    ]
    for filters, queries_made in expected:
        read = queries.find_run(owner, project, run.number)
        with django_assert_num_queries(queries_made):
            queries.results_page(read, **filters)


def test_scorers_of_a_rescore_under_way_are_not_among_the_scores(run: Run) -> None:
    waiting = make_scorers(run, {"new": [1, 0]}, {})[0]
    waiting.run = None
    waiting.save()
    Score.objects.create(run_scorer=waiting, item_number=1, state="scored", value=1.0)
    assert list(queries.find_result(run, 1).scores) == ["exact"]


def test_items_that_always_pass_are_no_certainty(project: Project, owner: User) -> None:
    """Twelve items, three times each, all passed: as sure as twelve passes are (Wilson)."""
    dataset = make_dataset(project, owner, questions(12))
    runs = [
        make_finished_run(
            dataset, owner, ["x"] * 36, {"exact": [passed] * 36}, repetitions=3, name=f"{passed}"
        )
        for passed in (0.0, 1.0, 1.0)
    ]
    expected = [wilson(passed, 12).to_json() for passed in (0, 12, 12)]
    for run, interval in zip(runs, expected, strict=True):
        assert summarise(run)["scores"]["exact"]["ci95"] == pytest.approx(interval)
    scorer = comparing.compare(runs[0], runs[1]).scorers[0]
    assert scorer.a.ci95 is not None
    assert scorer.b.ci95 is not None
    assert scorer.a.ci95.to_json() == pytest.approx(expected[0])
    assert scorer.b.ci95.to_json() == pytest.approx(expected[1])
    assert scorer.ci95 is not None
    assert scorer.ci95.to_json() == pytest.approx(tango(12, 0, 12).to_json())
    assert scorer.code == "better"
    many = comparing_many.compare(runs).scorers[0].figures.runs
    found = [line.ci95.to_json() for line in many if line.ci95 is not None]
    assert found == [pytest.approx(each) for each in expected]


def test_equal_scores_without_a_range_have_no_interval(project: Project, owner: User) -> None:
    dataset = make_dataset(project, owner, questions(12))
    bare = {"level": {"low": None, "high": None}}
    run = make_finished_run(dataset, owner, ["x"] * 12, {"level": [3.5] * 12}, scorers=bare)
    assert summarise(run)["scores"]["level"]["ci95"] is None
    assert comparing.compare(run, run).scorers[0].a.ci95 is None
