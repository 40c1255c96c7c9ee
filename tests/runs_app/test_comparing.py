"""Two runs compared: the report on pairs, the figures, and the items behind them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from datasets_app.actions import delete_item, update_item
from datasets_app.actions.items import current_item
from datasets_app.items import parse_item
from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from evalhub.kit.errors import NotFound
from runs_app import states, vectors
from runs_app.comparing import GROUPS, compare, find_pair, items_page
from runs_app.models import Result, Run
from tests.factories import make_dataset, make_finished_run, questions

pytestmark = [pytest.mark.db, pytest.mark.django_db]

BROKEN = RuntimeError("broken")


def change_item(dataset: Dataset, number: int, by: User, payload: dict[str, Any]) -> None:
    update_item(
        dataset=dataset,
        number=number,
        revision=current_item(dataset, number).pk,
        content=parse_item(payload),
        by=by,
    )


@pytest.fixture
def fifty(project: Project, owner: User) -> tuple[Run, Run]:
    """36 pass in both, 12 in B only, 2 in A only."""
    dataset = make_dataset(project, owner, questions(50))
    a = [1] * 36 + [0] * 12 + [1] * 2
    b = [1] * 36 + [1] * 12 + [0] * 2
    return (
        make_finished_run(dataset, owner, [f"a{i}" for i in range(50)], {"exact": a}),
        make_finished_run(dataset, owner, [f"b{i}" for i in range(50)], {"exact": b}),
    )


@pytest.fixture
def mixed(project: Project, owner: User) -> tuple[Run, Run]:
    """Twelve items, of which B saw another version: 11 has other content, 12 only new metadata, 1
    is gone.

    near: 2 fell by .5, 3 by .1, 4 rose by .3, 5 rose by .6, 6 as before; 7 failed in A, 8 in both,
    9 not scored in B; 10 stands in B only.
    """
    dataset = make_dataset(project, owner, questions(12))
    items = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    near_a = dict(zip(items, [1, 0.9, 0.5, 0.5, 0.3, 0.7, 0, 0, 0.4, 0, 0.2, 0.6], strict=True))
    outputs_a: list[object] = [f"A says {number}" for number in items]
    outputs_a[6] = outputs_a[7] = BROKEN
    a = make_finished_run(dataset, owner, outputs_a, {"near": list(near_a.values())})
    Result.objects.filter(run=a, item_number=10).delete()
    a.scorers.get().scores.filter(item_number=10).delete()

    delete_item(dataset=dataset, number=1, by=owner)
    change_item(dataset, 11, owner, {"input": "reworded", "expected_output": "answer 11"})
    tagged = {"input": "question 12", "expected_output": "answer 12", "metadata": {"topic": "new"}}
    change_item(dataset, 12, owner, tagged)
    outputs_b: list[object] = [f"B says {number}" for number in items[1:]]
    outputs_b[6] = BROKEN
    near_b = [0.4, 0.4, 0.8, 0.9, 0.7, 0.5, 0, None, 0.1, 0.3, 0.6]
    b = make_finished_run(dataset, owner, outputs_b, {"near": near_b})
    return a, b


def test_a_pass_rate_is_compared_by_tango_and_mid_p_mcnemar(fifty: tuple[Run, Run]) -> None:
    found = compare(*fifty)
    scorer = found.scorers[0]
    assert (scorer.a.mean, scorer.b.mean) == (0.76, 0.96)
    assert scorer.delta == pytest.approx(0.20)
    assert scorer.ci95 is not None
    assert [scorer.ci95.low, scorer.ci95.high] == pytest.approx([0.0611, 0.3447], abs=5e-5)
    assert scorer.p == pytest.approx((2 * (1 + 14 + 91) - 91) / 2**14)  # mid-p: 2 heads of 14
    assert (scorer.improved, scorer.regressed, scorer.unchanged) == (12, 2, 36)
    assert (scorer.primary, scorer.code, scorer.q) == (True, "better", None)
    assert found.headline[0].tone == "good"


def test_the_runs_swapped_mirror_the_comparison(fifty: tuple[Run, Run]) -> None:
    forth, back = compare(*fifty).scorers[0], compare(fifty[1], fifty[0]).scorers[0]
    assert forth.ci95 is not None
    assert back.ci95 is not None
    assert back.delta == pytest.approx(-(forth.delta or 0))
    assert back.ci95 == forth.ci95.mirrored()
    assert (back.code, forth.code) == ("worse", "better")


def test_the_pairing_report_counts_every_way_to_fall_out(mixed: tuple[Run, Run]) -> None:
    found = compare(*mixed)
    assert found.pairing.to_json() == {
        "paired": 9,
        "only_a": 1,
        "only_b": 1,
        "content_changed": 1,
        "errored_a": 2,
        "errored_b": 1,
        "not_scored": 1,
    }
    scorer = found.scorers[0]
    assert (scorer.pairs, scorer.left_out.pairs) == (6, 3)
    # The means of each run are over all that it scored, paired or not.
    assert (scorer.a.n, scorer.b.n) == (9, 9)


def test_errors_counted_as_zero_are_a_second_line(project: Project, owner: User) -> None:
    dataset = make_dataset(project, owner, questions(14))
    outputs: list[object] = ["x"] * 13 + [BROKEN]
    scores = [1, 0] * 7
    a = make_finished_run(dataset, owner, ["x"] * 14, {"exact": [0, 1] * 7})
    b = make_finished_run(dataset, owner, outputs, {"exact": scores})
    scorer = compare(a, b).scorers[0]
    assert scorer.pairs == 13
    assert scorer.errors_as_zero is not None
    assert scorer.errors_as_zero.n == 14
    assert scorer.errors_as_zero.delta == pytest.approx((7 - 7) / 14)
    assert scorer.code == "check_exclusions"


def test_runs_of_two_datasets_meet_by_external_id_and_by_content(
    project: Project, owner: User
) -> None:
    one = make_dataset(
        project,
        owner,
        [
            {"input": "alone"},
            {"input": "same", "external_id": "x"},
            {"input": "old words", "external_id": "y"},
            {"input": "no id"},
        ],
    )
    other = make_dataset(
        project,
        owner,
        [
            {"input": "no id"},
            {"input": "new words", "external_id": "y"},
            {"input": "same", "external_id": "x"},
            {"input": "elsewhere"},
        ],
    )
    a = make_finished_run(one, owner, ["a1", "a2", "a3", "a4"], {"exact": [1, 1, 1, 1]})
    b = make_finished_run(other, owner, ["b1", "b2", "b3", "b4"], {"exact": [0, 1, 1, 1]})
    found = compare(a, b)
    report = found.pairing
    assert (report.paired, report.content_changed, report.only_a, report.only_b) == (2, 1, 1, 1)
    assert not found.same_dataset

    page = items_page(a, b, show="regressed")
    row = page.rows[0]
    assert row.a is not None
    assert row.b is not None
    assert (row.number, row.a.number, row.b.number) == (4, 4, 1)
    assert row.item.input_json == '"no id"'
    # Item 4 of B has nobody in A, where 4 is another item.
    assert find_pair(a, b, 4).a == row.a
    alone = find_pair(a, b, 4, show="only_b")
    assert (alone.a, alone.item.input_json) == (None, '"elsewhere"')


def test_a_run_in_progress_gives_means_and_no_verdict(project: Project, owner: User) -> None:
    dataset = make_dataset(project, owner, questions(20))
    a = make_finished_run(dataset, owner, ["x"] * 20, {"exact": [0] * 20})
    b = make_finished_run(dataset, owner, ["x"] * 15, {"exact": [1] * 15}, status=states.RUNNING)
    found = compare(a, b)
    scorer = found.scorers[0]
    assert (found.finished, scorer.code, scorer.p, scorer.delta) == (False, "none", None, None)
    assert (scorer.a.mean, scorer.b.mean, found.pairing.only_a) == (0.0, 1.0, 5)


def test_scorers_meet_by_name_when_they_give_the_same_kind_of_figure(
    project: Project, owner: User
) -> None:
    dataset = make_dataset(project, owner, questions(3))
    ones, halves = [1, 0, 1], [0.5, 0.25, 0.5]
    a = make_finished_run(
        dataset, owner, ["x"] * 3, {"mine": ones, "other kind": ones, "near": halves, "exact": ones}
    )
    b = make_finished_run(
        dataset,
        owner,
        ["x"] * 3,
        {"exact": ones, "other kind": halves, "near": halves, "new": ones},
        scorers={"near": {"spec": {"use": "levenshtein", "name": "near", "ignore_case": True}}},
    )
    found = compare(a, b)
    assert [scorer.name for scorer in found.scorers] == ["near", "exact"]
    assert [scorer.primary for scorer in found.scorers] == [True, False]
    assert (found.only_a, found.only_b) == (("mine", "other kind"), ("other kind", "new"))
    assert found.settings_differ == ("near",)


def test_runs_that_share_no_scorer_are_compared_without_figures(
    project: Project, owner: User
) -> None:
    dataset = make_dataset(project, owner, questions(3))
    a = make_finished_run(dataset, owner, ["x", BROKEN, "x"], {"mine": [1, None, 1]})
    b = make_finished_run(dataset, owner, ["x"] * 3, {"yours": [1, 0, 1]})
    found = compare(a, b)
    assert (found.scorers, found.headline, found.pairing.errored_a) == ((), (), 1)
    counts = items_page(a, b, show="errors").counts
    assert (counts["errors"], counts["not_scored"], counts["regressed"]) == (1, 2, 0)


def test_different_ranges_leave_no_point_and_no_margin(project: Project, owner: User) -> None:
    dataset = make_dataset(project, owner, questions(12))
    values = [0.1 * i for i in range(1, 12)] + [0.05]
    a = make_finished_run(dataset, owner, ["x"] * 12, {"near": values})
    b = make_finished_run(
        dataset, owner, ["x"] * 12, {"near": values}, scorers={"near": {"high": 5.0}}
    )
    assert compare(a, b).scorers[0].point is None
    assert compare(a, a).scorers[0].point == 0.01


def test_the_json_is_what_programs_read(fifty: tuple[Run, Run]) -> None:
    answer = json.loads(json.dumps(compare(*fifty).to_json(), allow_nan=False))
    assert [run["number"] for run in answer["runs"]] == [1, 2]
    assert answer["runs"][0]["id"] == str(fifty[0].uuid)
    assert answer["runs"][0]["latency_ms"]["p50"] == pytest.approx(124.5)
    assert set(answer["pairing"]) == {
        "paired", "only_a", "only_b", "content_changed", "errored_a", "errored_b", "not_scored",
    }  # fmt: skip
    assert set(answer["scorers"][0]) >= {
        "name", "kind", "primary", "a", "b", "delta", "ci95", "ci_method", "p", "p_method", "q",
        "improved", "regressed", "unchanged", "verdict", "sentence",
    }  # fmt: skip


def test_the_same_comparison_gives_the_same_figures_again(project: Project, owner: User) -> None:
    dataset = make_dataset(project, owner, questions(20))
    a = make_finished_run(dataset, owner, ["x"] * 20, {"near": [0.01 * i for i in range(1, 21)]})
    b = make_finished_run(
        dataset, owner, ["x"] * 20, {"near": [0.3 + 0.02 * (i % 7) for i in range(20)]}
    )
    first = compare(a, b)
    assert first.scorers[0].second_opinion is not None
    assert compare(a, b).to_json() == first.to_json()
    assert compare(a, b).scorers[0].second_opinion == first.scorers[0].second_opinion


def test_comparing_takes_the_same_queries_for_few_and_for_many_items(
    project: Project, owner: User, django_assert_num_queries: Any
) -> None:
    for n in (3, 60):
        dataset = make_dataset(project, owner, questions(n))
        a = make_finished_run(dataset, owner, ["x"] * n, {"exact": [1] * n})
        b = make_finished_run(dataset, owner, ["x"] * n, {"exact": [0] * n})
        # Scorers, results and scores of each run, the scorers once more for what is apart, and
        # the dataset's cluster field.
        with django_assert_num_queries(9):
            compare(a, b)
        with django_assert_num_queries(5):  # all figures are kept
            compare(a, b)
        # The scorers, and then results, items, scores and scorers of a page.
        with django_assert_num_queries(10):
            assert len(items_page(a, b, show="regressed", size=50).rows) == min(n, 50)


def test_regressed_and_improved_come_largest_first(mixed: tuple[Run, Run]) -> None:
    regressed = items_page(*mixed, show="regressed").rows
    assert [row.number for row in regressed] == [2, 3]
    assert [row.change for row in regressed] == pytest.approx([-0.5, -0.1])
    improved = items_page(*mixed, show="improved").rows
    assert [(row.number, row.value_a, row.value_b) for row in improved] == [
        (5, 0.3, 0.9),
        (4, 0.5, 0.8),
    ]


@pytest.mark.parametrize(
    ("show", "numbers"),
    [
        ("unchanged", [6, 12]),
        ("errors", [7, 8]),
        ("not_scored", [9]),
        ("only_a", [1]),
        ("only_b", [10]),
        ("changed", [11]),
    ],
)
def test_every_group_has_its_items(mixed: tuple[Run, Run], show: str, numbers: list[int]) -> None:
    page = items_page(*mixed, show=show)
    assert [row.number for row in page.rows] == numbers
    assert page.total == len(numbers)


def test_the_groups_hold_every_item_once(mixed: tuple[Run, Run]) -> None:
    counts = items_page(*mixed).counts
    assert list(counts) == list(GROUPS)
    assert sum(counts.values()) == 12


def test_a_row_shows_both_sides_as_their_runs_saw_them(mixed: tuple[Run, Run]) -> None:
    row = items_page(*mixed, show="changed").rows[0]
    assert row.a is not None
    assert row.b is not None
    assert row.a.item.input_json == '"question 11"'
    assert row.b.item.input_json == '"reworded"'
    assert (row.a.output_json, row.b.output_json) == ('"A says 11"', '"B says 11"')
    only_b = items_page(*mixed, show="only_b").rows[0]
    assert (only_b.a, only_b.change) == (None, None)


def test_lower_is_better_turns_regressed_and_improved(project: Project, owner: User) -> None:
    dataset = make_dataset(project, owner, questions(2))
    lower = {"edits": {"higher_is_better": False}}
    a = make_finished_run(dataset, owner, ["x"] * 2, {"edits": [0.2, 0.9]}, scorers=lower)
    b = make_finished_run(dataset, owner, ["x"] * 2, {"edits": [0.3, 0.1]}, scorers=lower)
    assert [row.number for row in items_page(a, b, show="regressed").rows] == [1]
    assert [row.number for row in items_page(a, b, show="improved").rows] == [2]


def test_item_pages_go_on_by_offset(fifty: tuple[Run, Run]) -> None:
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = items_page(*fifty, show="improved", size=5, after=after)
        assert (page.first, page.total) == (after, 12)
        assert page.before == (None if after == 0 else after - 5)
        seen += [row.number for row in page.rows]
        after = page.after
    assert seen == list(range(37, 49))


def test_an_offset_beyond_the_end_is_an_empty_page(fifty: tuple[Run, Run]) -> None:
    page = items_page(*fifty, show="improved", after=1_000)
    assert (list(page.rows), page.after, page.total) == ([], None, 12)


def test_items_are_searched_in_the_outputs_of_both_runs(mixed: tuple[Run, Run]) -> None:
    assert [row.number for row in items_page(*mixed, q="a SAYS 3").rows] == [3]
    assert [row.number for row in items_page(*mixed, q="b says 2").rows] == [2]
    assert [row.number for row in items_page(*mixed, show="errors", q="broken").rows] == [7, 8]
    nothing = items_page(*mixed, q="nowhere")
    assert (list(nothing.rows), nothing.total, nothing.counts["regressed"]) == ([], 0, 2)


@pytest.mark.parametrize(
    ("number", "group"),
    [(1, "only_a"), (2, "regressed"), (5, "improved"), (8, "errors"), (10, "only_b")],
)
def test_an_item_is_found_in_its_group(mixed: tuple[Run, Run], number: int, group: str) -> None:
    found = find_pair(*mixed, number, "near")
    assert (found.number, found.group) == (number, group)


def test_what_is_not_there_is_not_found(mixed: tuple[Run, Run]) -> None:
    with pytest.raises(NotFound, match="item #99"):
        find_pair(*mixed, 99)
    with pytest.raises(NotFound, match="share no scorer “faith”"):
        items_page(*mixed, scorer="faith")
    with pytest.raises(NotFound, match="no filter “best”"):
        items_page(*mixed, show="best")


def test_results_that_arrive_later_are_seen_while_a_run_goes_on(
    project: Project, owner: User
) -> None:
    dataset = make_dataset(project, owner, questions(3))
    a = make_finished_run(dataset, owner, ["x"] * 3, {"exact": [1] * 3})
    b = make_finished_run(dataset, owner, ["x"] * 3, {"exact": [0] * 3}, status=states.RUNNING)
    third = Result.objects.get(run=b, item_number=3)
    third.delete()
    assert items_page(a, b).counts["regressed"] == 2
    third.pk = None
    third.save()
    assert items_page(a, b).counts["regressed"] == 3


def test_a_score_whose_result_was_read_too_early_is_passed_over(
    project: Project, owner: User
) -> None:
    dataset = make_dataset(project, owner, questions(3))
    run = make_finished_run(dataset, owner, ["x"] * 3, {"exact": [1, 0, 1]}, status=states.RUNNING)
    Result.objects.filter(run=run, item_number__in=(1, 3)).delete()
    values = vectors.values_of(run, run.scorers.get(), vectors.results_of(run))
    assert values.tolist() == [0.0]
    Result.objects.filter(run=run).delete()
    assert vectors.values_of(run, run.scorers.get(), vectors.results_of(run)).tolist() == []
