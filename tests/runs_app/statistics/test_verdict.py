"""The verdict table, row by row and in its order, through the words that a reader sees."""

from dataclasses import replace

import pytest

from runs_app.statistics.difference import Difference
from runs_app.statistics.values import Interval, SecondOpinion, Target
from runs_app.statistics.verdict import BADGES, Evidence, LeftOut, verdict

FOUND = Difference(
    n=200,
    delta=-0.07,
    ci95=Interval(-0.13, -0.014),
    ci90=Interval(-0.12, -0.025),
    ci_method="tango",
    p=0.0166,
    p_method="mcnemar_midp",
    exact_p=0.024,
    changed=True,
    standard_error=0.028,
    correlation=0.6,
    omega2=0.16,
    detectable=0.081,
)
EVIDENCE = Evidence(
    finished=True,
    n=200,
    left_out=LeftOut(0, 200, 0, 0, 0),
    improved=10,
    regressed=24,
    found=FOUND,
    second=None,
    p=0.0166,
    letter="p",
    higher_is_better=True,
    point=0.01,
    margin_points=2.0,
    target=Target(3.0, 1474.7),
)


def with_intervals(ci95: tuple[float, float], ci90: tuple[float, float], **changes) -> Evidence:
    delta = sum(ci95) / 2
    found = replace(FOUND, delta=delta, ci95=Interval(*ci95), ci90=Interval(*ci90))
    return replace(EVIDENCE, found=found, **changes)


def test_an_interval_below_0_is_worse():
    assert verdict(EVIDENCE).code == "worse"
    assert verdict(EVIDENCE).tone == "bad"
    assert verdict(EVIDENCE).sentence == (
        "Worse: −7.0 points (95% CI −13.0 to −1.4, n = 200, p = 0.017). "
        "24 items got worse, 10 better."
    )


def test_an_interval_above_0_is_better():
    evidence = with_intervals((0.014, 0.126), (0.025, 0.12), improved=24, regressed=10)
    assert verdict(evidence).code == "better"
    assert verdict(evidence).tone == "good"
    assert verdict(evidence).sentence == (
        "Better: +7.0 points (95% CI +1.4 to +12.6, n = 200, p = 0.017). "
        "10 items got worse, 24 better."
    )


def test_a_loss_within_the_margin_is_worse_and_says_that_it_is_small():
    loss = verdict(with_intervals((-0.018, -0.002), (-0.016, -0.004)))
    assert loss.code == "worse"
    assert loss.sentence.endswith("The loss is smaller than your margin of 2 points.")
    assert loss.lead == "fell by 1.0 points, smaller than your margin of 2 points"


def test_a_gain_within_the_margin_is_better_and_says_that_it_is_small():
    gain = verdict(with_intervals((0.002, 0.018), (0.004, 0.016)))
    assert gain.code == "better"
    assert gain.sentence.endswith("The gain is smaller than your margin of 2 points.")


def test_a_loss_past_the_margin_says_so_in_the_headline():
    assert verdict(EVIDENCE).lead == "fell by 7.0 points, past your margin of 2 points"
    assert verdict(EVIDENCE).detail == "95% CI 1.4 to 13.0, p = 0.017"


def test_a_90_percent_interval_within_the_margin_is_no_worse():
    no_worse = verdict(with_intervals((-0.013, 0.02), (-0.011, 0.018)))
    assert (no_worse.code, no_worse.tone) == ("no_worse", "none")
    assert no_worse.sentence == "At most 1.1 points worse (margin 2)."


def test_otherwise_it_cannot_tell_and_says_what_it_could_detect():
    evidence = with_intervals((-0.1574, 0.0119), (-0.1436, -0.0024))
    evidence = replace(
        evidence,
        n=100,
        improved=5,
        regressed=12,
        p=0.0963,
        found=replace(evidence.found, detectable=0.1138),
    )
    assert verdict(evidence).code == "cannot_tell"
    assert verdict(evidence).sentence == (
        "Cannot tell: −15.7 to +1.2 points (n = 100, 12 worse, 5 better, p = 0.096). "
        "This comparison can detect about 11 points; 3 points need about 1,470 items."
    )


def test_no_changed_pair_is_no_change_and_says_what_it_cannot_exclude():
    found = replace(FOUND, n=54, delta=0.0, ci95=Interval(-0.0664, 0.0664), changed=False)
    evidence = replace(EVIDENCE, n=54, found=found, improved=0, regressed=0)
    assert verdict(evidence).code == "no_change"
    assert verdict(evidence).sentence == (
        "No item changed. With n = 54 a true change of up to 6.6 points cannot be excluded."
    )


def test_no_change_without_a_range_claims_no_bound():
    found = replace(FOUND, ci95=None, ci90=None, changed=False)
    evidence = replace(EVIDENCE, found=found, point=None)
    assert verdict(evidence).sentence == "No item changed (n = 200)."


def test_more_than_5_percent_left_out_asks_to_check_exclusions():
    left_out = LeftOut(pairs=11, of=211, errored_a=4, errored_b=6, not_scored=2)
    check = verdict(replace(EVIDENCE, left_out=left_out))
    assert check.code == "check_exclusions"
    assert check.sentence == (
        "Check exclusions: 11 of 211 pairs (5.2%) are left out: "
        "4 errored in A, 6 errored in B, 2 not scored."
    )


def test_exactly_5_percent_left_out_is_accepted():
    left_out = LeftOut(pairs=10, of=200, errored_a=0, errored_b=0, not_scored=10)
    assert verdict(replace(EVIDENCE, left_out=left_out)).code == "worse"


@pytest.mark.parametrize(("n", "code"), [(0, "too_few"), (9, "too_few"), (10, "worse")])
def test_below_10_pairs_there_are_too_few_items(n, code):
    assert verdict(replace(EVIDENCE, n=n)).code == code


def test_too_few_items_gives_the_counts_and_why_pairs_are_missing():
    few = replace(
        EVIDENCE,
        n=6,
        improved=1,
        regressed=2,
        found=None,
        left_out=LeftOut(pairs=1, of=7, errored_a=1, errored_b=0, not_scored=0),
    )
    assert verdict(few).sentence == (
        "Too few items: 6 pairs, a verdict needs 10. 2 items got worse, 1 better. "
        "1 of 7 pairs (14.3%) is left out: 1 errored in A."
    )


def test_one_pair_says_nothing_of_better_and_worse():
    one = replace(EVIDENCE, n=1, found=None, left_out=LeftOut(0, 1, 0, 0, 0))
    assert verdict(one).sentence == "Too few items: 1 pair, a verdict needs 10."


def test_a_run_in_progress_has_no_verdict_whatever_the_figures():
    unfinished = verdict(replace(EVIDENCE, finished=False, n=3, found=None))
    assert (unfinished.code, unfinished.badge) == ("none", "No verdict")
    assert unfinished.sentence == "A run is still in progress: means only."


def test_the_rows_are_tried_in_the_order_of_the_table():
    unchanged = replace(FOUND, changed=False)
    many_left_out = LeftOut(50, 100, 50, 0, 0)
    everything = replace(EVIDENCE, finished=False, n=5, left_out=many_left_out, found=unchanged)
    assert verdict(everything).code == "none"
    assert verdict(replace(everything, finished=True)).code == "too_few"
    assert verdict(replace(everything, finished=True, n=50)).code == "check_exclusions"
    rest = replace(everything, finished=True, n=50, left_out=LeftOut(0, 50, 0, 0, 0))
    assert verdict(rest).code == "no_change"


def test_with_lower_is_better_a_rise_is_worse_and_the_figures_stay_b_minus_a():
    evidence = with_intervals((0.014, 0.126), (0.025, 0.12), higher_is_better=False)
    worse = verdict(evidence)
    assert worse.code == "worse"
    assert worse.sentence.startswith("Worse: +7.0 points (95% CI +1.4 to +12.6,")
    assert worse.sentence.endswith("Lower is better.")
    assert worse.lead.startswith("rose by 7.0 points (lower is better)")


def test_with_lower_is_better_a_fall_is_better():
    assert verdict(replace(EVIDENCE, higher_is_better=False)).code == "better"


def test_with_lower_is_better_the_margin_is_on_the_other_side():
    evidence = with_intervals((-0.2, 0.013), (-0.18, 0.011), higher_is_better=False)
    assert verdict(evidence).sentence == "At most 1.1 points worse (margin 2)."


def test_without_a_range_there_is_no_margin_verdict_and_no_points():
    evidence = with_intervals((-0.013, 0.02), (-0.011, 0.018), point=None, target=None)
    unsure = verdict(evidence)
    assert unsure.code == "cannot_tell"
    assert unsure.sentence.startswith("Cannot tell: −0.013 to +0.02 (n = 200,")
    assert "point" not in unsure.sentence


def test_a_scorer_of_a_family_shows_q():
    evidence = replace(EVIDENCE, p=0.0332, letter="q")
    assert "n = 200, q = 0.033)" in verdict(evidence).sentence


@pytest.mark.parametrize(("n", "small"), [(10, True), (29, True), (30, False)])
def test_10_to_29_pairs_are_called_a_small_sample(n, small):
    assert verdict(replace(EVIDENCE, n=n)).sentence.endswith("Small sample.") is small


SECOND = SecondOpinion("fewer than 50 pairs", 0.02, Interval(-0.12, -0.01), Interval(-0.11, -0.02))


@pytest.mark.parametrize(
    "doubt",
    [{"sign_flip_p": 0.062}, {"bca95": Interval(-0.12, 0.003)}],
    ids=["sign-flip", "bca"],
)
def test_a_second_opinion_must_agree_and_the_sentence_says_when_it_does_not(doubt):
    assert verdict(replace(EVIDENCE, second=SECOND)).code == "worse"
    unsure = verdict(replace(EVIDENCE, second=replace(SECOND, **doubt)))
    assert unsure.code == "cannot_tell"
    assert "The t interval excludes 0, but the check for such samples does not agree" in (
        unsure.sentence
    )


def test_no_worse_needs_both_90_percent_intervals_within_the_margin():
    second = SecondOpinion("skewed", 0.6, Interval(-0.03, 0.02), Interval(-0.024, 0.018))
    evidence = with_intervals((-0.013, 0.02), (-0.011, 0.018), second=second)
    assert verdict(evidence).code == "cannot_tell"
    second = replace(second, bca90=Interval(-0.0152, 0.018))
    assert verdict(replace(evidence, second=second)).sentence == (
        "At most 1.5 points worse (margin 2)."
    )


def test_no_sentence_says_no_regression():
    for evidence in (EVIDENCE, with_intervals((-0.1, 0.1), (-0.09, 0.09))):
        assert "regression" not in verdict(evidence).sentence


def test_every_verdict_has_its_badge():
    assert list(BADGES.values()) == [
        "Better",
        "Worse",
        "No worse",
        "No change",
        "Cannot tell",
        "Check exclusions",
        "Too few items",
        "No verdict",
    ]
