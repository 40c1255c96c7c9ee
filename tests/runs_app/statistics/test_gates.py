"""Gates: what passes, what fails, and what cannot be said."""

from dataclasses import replace

import pytest

from runs_app.statistics.gates import Gate, GateFacts, GateScorer, check_gates, parse_gate
from runs_app.statistics.values import Interval

EXACT = GateScorer(
    name="exact",
    primary=True,
    code="cannot_tell",
    sentence="Cannot tell.",
    higher_is_better=True,
    point=0.01,
    mean_b=0.8,
    ci95_b=Interval(0.7, 0.87),
    regressed=4,
    p=0.3,
    towards_better=Interval(-0.015, 0.02),
)
WORSE = replace(EXACT, code="worse", p=0.01, towards_better=Interval(-0.09, -0.03))
CLOSE = replace(EXACT, name="close", primary=False)


def decide(*gates: str, scorers=(EXACT,), finished=True, must_pass=None):
    facts = GateFacts(finished, tuple(scorers), must_pass or {})
    return check_gates([(text, parse_gate(text)) for text in gates], facts)


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("no-significant-regression", Gate("no-significant-regression")),
        ("threshold:0.9", Gate("threshold", "", 0.9)),
        ("threshold: exact match = .9", Gate("threshold", "exact match", 0.9)),
        ("threshold:a=b=-1", Gate("threshold", "a=b", -1.0)),
        ("non-inferior:2", Gate("non-inferior", "", 2.0)),
        ("max-regressed-items:3", Gate("max-regressed-items", "", 3.0)),
        ("must-pass: 5, #1,5", Gate("must-pass", items=(1, 5))),
    ],
)
def test_a_gate_is_read_from_its_text(text, gate):
    assert parse_gate(text) == gate


@pytest.mark.parametrize(
    "text",
    ["", "hope", "threshold", "threshold:high", "threshold:nan", "non-inferior:-1",
     "non-inferior:101", "max-regressed-items:1.5", "must-pass:", "must-pass:a",
     "no-significant-regression:1", "threshold:1e400"],
)  # fmt: skip
def test_what_is_no_gate_is_refused_with_those_there_are(text):
    with pytest.raises(ValueError, match="no-significant-regression, threshold"):
        parse_gate(text)


def test_a_threshold_is_held_against_the_mean_of_b():
    assert decide("threshold:0.8").exit_code == 0
    failed = decide("threshold:0.81")
    assert (failed.exit_code, failed.reasons[0].state) == (3, "failed")
    assert "0.8 (95% CI 0.7 to 0.87) and misses 0.81" in failed.reasons[0].text
    assert decide("threshold:0.8", scorers=[replace(EXACT, higher_is_better=False)]).passed
    assert decide("threshold:0.8", scorers=[replace(EXACT, mean_b=None)]).exit_code == 4
    assert decide("threshold:faith=0.8").exit_code == 4


def test_a_regression_fails_when_it_is_significant_after_holm():
    rule = "no-significant-regression"
    assert decide(rule).passed
    assert decide(rule, scorers=[WORSE]).exit_code == 3
    # .04 alone is worse; among three tests Holm makes .12 of it.
    slight = replace(WORSE, p=0.04)
    assert decide(rule, scorers=[slight]).exit_code == 3
    assert decide(rule, scorers=[slight, CLOSE, replace(CLOSE, name="third")]).passed
    named = decide(rule, scorers=[EXACT, replace(WORSE, name="close", primary=False)])
    assert named.exit_code == 3
    assert named.reasons[0].text.startswith("close: ")


@pytest.mark.parametrize("code", ["none", "too_few", "check_exclusions"])
def test_a_gate_without_a_verdict_is_inconclusive(code):
    scorer = replace(EXACT, code=code, sentence="Why not.")
    for rule in ("no-significant-regression", "non-inferior:2"):
        found = decide(rule, scorers=[scorer])
        assert (found.exit_code, found.inconclusive) == (4, True)
        assert "Why not." in found.reasons[0].text


def test_no_worse_than_the_margin_needs_the_90_percent_interval():
    assert decide("non-inferior:2").passed
    assert decide("non-inferior:1").exit_code == 4
    assert decide("non-inferior:2", scorers=[WORSE]).exit_code == 3
    # Worse for certain, but by less than what was allowed.
    assert decide("non-inferior:10", scorers=[WORSE]).passed
    assert decide("non-inferior:2", scorers=[replace(EXACT, point=None)]).exit_code == 4


def test_regressed_items_are_counted():
    assert decide("max-regressed-items:4").passed
    assert decide("max-regressed-items:3").exit_code == 3
    unsure = replace(EXACT, code="check_exclusions")
    assert decide("max-regressed-items:4", scorers=[unsure]).exit_code == 4


def test_items_that_must_pass():
    assert decide("must-pass:1,2", must_pass={1: True, 2: True}).passed
    failed = decide("must-pass:1,2", must_pass={1: True, 2: False})
    assert (failed.exit_code, failed.reasons[0].text) == (3, "Must pass, but fails in B: #2.")
    assert decide("must-pass:1,2", must_pass={1: True, 2: None}).exit_code == 4
    assert decide("must-pass:1", scorers=[]).exit_code == 4


def test_one_failed_gate_fails_all_and_an_inconclusive_one_is_second():
    both = decide("threshold:0.9", "threshold:faith=1", "max-regressed-items:9")
    assert (both.exit_code, both.passed, both.inconclusive) == (3, False, False)
    assert [reason.state for reason in both.reasons] == ["failed", "inconclusive", "passed"]
    assert decide("threshold:0.1", "threshold:faith=1").exit_code == 4


def test_a_run_in_progress_and_no_common_scorer_are_inconclusive():
    assert decide("threshold:0.1", finished=False).exit_code == 4
    assert decide("no-significant-regression", scorers=[]).exit_code == 4


def test_no_reason_says_that_there_is_no_regression():
    text = decide("no-significant-regression").reasons[0].text
    assert text == "The scorer is not significantly worse."
