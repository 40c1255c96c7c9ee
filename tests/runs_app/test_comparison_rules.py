"""The rules of a comparison: families of tests, exclusions, directions, JSON, the top box."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from runs_app.comparison import (
    Pairing,
    ScorerInput,
    compare_scorers,
    headline,
)

PAIRING = Pairing(
    paired=200, only_a=3, only_b=1, content_changed=2, errored_a=0, errored_b=0, not_scored=0
)


def passes(both: int, only_a: int, only_b: int, neither: int, **changes) -> ScorerInput:
    cells = [both, only_a, only_b, neither]
    a = np.repeat([1.0, 1.0, 0.0, 0.0], cells)
    return scorer("binary", a, np.repeat([1.0, 0.0, 1.0, 0.0], cells), **changes)


def scorer(kind: str, a, b, **changes) -> ScorerInput:
    plain = ScorerInput(
        name="Exact match",
        kind=kind,
        higher_is_better=True,
        low=0.0,
        high=1.0,
        primary=True,
        margin_points=2.0,
        tie_tolerance=0.0,
        a_all=a,
        b_all=b,
        a=a,
        b=b,
        not_scored=0,
        excluded=0,
    )
    return replace(plain, **changes)


def compare(*inputs: ScorerInput, pairing=PAIRING, finished=True):
    return compare_scorers(inputs, pairing, finished, seed=17)


def test_the_worked_example_reads_as_documented():
    (found,) = compare(passes(100, 24, 10, 66))
    assert found.sentence == (
        "Worse: −7.0 points (95% CI −13.0 to −1.4, n = 200, p = 0.017). "
        "24 items got worse, 10 better."
    )
    assert (found.code, found.badge) == ("worse", "Worse")
    assert (found.both_pass, found.both_fail) == (100, 66)


def test_the_worked_example_without_a_verdict_reads_as_documented():
    (found,) = compare(passes(80, 12, 5, 3))
    assert found.sentence == (
        "Cannot tell: −15.7 to +1.2 points (n = 100, 12 worse, 5 better, p = 0.096). "
        "This comparison can detect about 11 points; 3 points need about 1,470 items."
    )


def test_the_worked_example_without_a_change_reads_as_documented():
    (found,) = compare(passes(54, 0, 0, 0))
    assert found.sentence == (
        "No item changed. With n = 54 a true change of up to 6.6 points cannot be excluded."
    )


def test_json_has_the_documented_keys_and_plain_numbers():
    (found,) = compare(passes(100, 24, 10, 66))
    data = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert list(data)[:16] == [
        "name",
        "kind",
        "primary",
        "a",
        "b",
        "delta",
        "ci95",
        "ci_method",
        "p",
        "p_method",
        "q",
        "improved",
        "regressed",
        "unchanged",
        "verdict",
        "sentence",
    ]
    assert list(data)[16:] == [
        "margin",
        "point",
        "pairs",
        "left_out",
        "both_pass",
        "both_fail",
        "ci90",
        "standard_error",
        "exact_p",
        "correlation",
        "detectable",
        "required",
        "second_opinion",
        "errors_as_zero",
        "clusters",
        "repetitions",
    ]
    assert data["a"]["n"] == 200
    assert data["a"]["mean"] == 0.62
    assert data["a"]["ci95"] == pytest.approx([0.5510, 0.6845], abs=6e-4)
    assert (data["delta"], data["ci_method"], data["p_method"]) == (-0.07, "tango", "mcnemar_midp")
    assert (data["improved"], data["regressed"], data["unchanged"]) == (10, 24, 166)
    assert (data["q"], data["verdict"]) == (None, "worse")


def test_pairing_json_has_the_documented_keys():
    assert PAIRING.to_json() == {
        "paired": 200,
        "only_a": 3,
        "only_b": 1,
        "content_changed": 2,
        "errored_a": 0,
        "errored_b": 0,
        "not_scored": 0,
    }


def test_each_run_has_the_mean_of_all_its_scores_and_delta_only_the_pairs():
    extra = passes(5, 3, 4, 5, a_all=np.array([1.0] * 9 + [0.0]))
    (found,) = compare(extra)
    assert (found.a.n, found.a.mean) == (10, 0.9)
    assert found.delta == 1 / 17


def test_a_run_without_scores_has_no_mean():
    nothing = np.array([])
    for kind in ("binary", "continuous"):
        (found,) = compare(scorer(kind, nothing, nothing))
        assert found.to_json()["a"] == {"n": 0, "mean": None, "ci95": None}
        assert found.code == "too_few"


def test_swapping_the_runs_turns_the_verdict_and_mirrors_the_interval():
    (there,), (back,) = compare(passes(100, 24, 10, 66)), compare(passes(100, 10, 24, 66))
    assert (there.code, back.code) == ("worse", "better")
    assert there.ci95 == back.ci95.mirrored()
    assert (there.improved, there.regressed) == (back.regressed, back.improved)


def test_with_lower_is_better_signs_turn_but_delta_stays_b_minus_a():
    (found,) = compare(passes(100, 24, 10, 66, higher_is_better=False))
    assert (found.code, found.delta) == ("better", -0.07)
    assert (found.improved, found.regressed) == (24, 10)


def test_the_primary_scorer_keeps_its_p_and_the_others_share_a_family():
    primary = passes(100, 24, 10, 66)
    second = passes(100, 24, 10, 66, primary=False, name="Contains")
    third = passes(100, 30, 10, 60, primary=False, name="Regex")
    found = compare(primary, second, third)
    assert found[0].q is None
    assert found[1].p == found[0].p
    assert found[1].q == found[1].p
    assert found[2].q == pytest.approx(2 * found[2].p)
    assert "p = 0.017" in found[0].sentence
    assert "q = 0.017" in found[1].sentence


def test_scorers_with_too_few_pairs_are_no_part_of_the_family():
    few = passes(3, 1, 0, 2, primary=False, name="Few")
    other = passes(100, 24, 10, 66, primary=False, name="Other")
    found = compare(few, other)
    assert (found[0].p, found[0].q) == (None, None)
    assert found[1].q == found[1].p


def test_errors_and_missing_scores_beyond_5_percent_ask_for_a_check():
    errors = replace(PAIRING, errored_a=5, errored_b=4, not_scored=3)
    (found,) = compare(passes(100, 24, 10, 66, excluded=8, not_scored=3), pairing=errors)
    assert found.code == "check_exclusions"
    assert found.sentence == (
        "Check exclusions: 11 of 211 pairs (5.2%) are left out: "
        "5 errored in A, 4 errored in B, 3 not scored."
    )
    assert found.delta == -0.07


def test_items_in_one_run_only_or_changed_are_no_exclusions():
    many = replace(PAIRING, only_a=500, only_b=500, content_changed=500)
    (found,) = compare(passes(100, 24, 10, 66), pairing=many)
    assert found.code == "worse"


def test_an_unfinished_run_gives_means_only():
    (found,) = compare(passes(100, 24, 10, 66), finished=False)
    data = found.to_json()
    assert data["a"]["mean"] == 0.62
    assert [data[key] for key in ("delta", "ci95", "ci_method", "p", "p_method", "q")] == [None] * 6
    assert found.code == "none"


def test_below_10_pairs_there_are_counts_but_no_difference():
    (found,) = compare(passes(3, 2, 1, 3))
    data = found.to_json()
    assert (data["improved"], data["regressed"], data["unchanged"]) == (1, 2, 6)
    assert [data[key] for key in ("delta", "ci95", "p")] == [None] * 3
    assert found.code == "too_few"


def test_errors_count_as_0_in_the_second_line():
    zero_a, zero_b = np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.0, 0.0])
    (found,) = compare(passes(100, 24, 10, 66, excluded=3, zero_a=zero_a, zero_b=zero_b))
    zero = found.errors_as_zero
    assert (zero.n, zero.delta) == (203, -16 / 203)
    assert (zero.improved, zero.regressed, zero.unchanged) == (10, 26, 167)
    assert zero.ci95.low < zero.delta < zero.ci95.high


def test_errors_are_not_rewarded_where_lower_is_better():
    zeros = np.zeros(3)
    (found,) = compare(
        passes(100, 24, 10, 66, excluded=3, zero_a=zeros, zero_b=zeros, higher_is_better=False)
    )
    assert found.errors_as_zero is None


def test_without_errors_there_is_no_second_line():
    assert compare(passes(100, 24, 10, 66))[0].errors_as_zero is None


def continuous(n: int, shift: float, noise: float = 0.1, seed: int = 1, **changes) -> ScorerInput:
    generator = np.random.default_rng(seed)
    a = generator.random(n)
    return scorer("continuous", a, a + generator.normal(shift, noise, n), **changes)


def test_a_small_continuous_sample_is_checked_a_second_time():
    (found,) = compare(continuous(20, 0.15))
    assert found.code == "better"
    assert found.second_opinion.sign_flip_p < 0.05
    assert (found.ci_method, found.p_method) == ("t", "paired_t")
    assert len(found.notes) == 2
    assert "Small sample" in found.notes[0]
    assert "fewer than 50 pairs" in found.notes[1]


def test_a_change_that_only_t_sees_is_no_better_and_the_sentence_says_so():
    a, b = np.zeros(12), np.array([0.0] * 7 + [0.02, 0.02, 0.03, 0.04, 0.05])
    ranged, free = compare(
        scorer("continuous", a, b), scorer("continuous", a, b, low=None, high=None, primary=False)
    )
    assert ranged.ci95.low > 0
    assert ranged.second_opinion.sign_flip_p == 2 / 2**5
    assert (ranged.code, free.code) == ("no_worse", "cannot_tell")
    assert ranged.sentence.startswith("At most 0.0 points worse (margin 2).")
    for found in (ranged, free):
        assert "does not agree: sign-flip p = 0.062" in found.sentence


def test_equal_differences_get_the_sign_flip_p_because_t_would_claim_0():
    a = np.linspace(0.1, 0.5, 10)
    assert np.unique(a + 0.23 - a).size > 1, "rounding must be part of this case"
    (found,) = compare(scorer("continuous", a, a + 0.23))
    assert (found.p, found.p_method) == (2 / 2**10, "sign_flip")
    assert found.code == "better"


def test_a_binary_scorer_gets_no_second_opinion():
    assert compare(passes(10, 2, 1, 7))[0].second_opinion is None


def test_points_are_hundredths_of_the_range():
    (found,) = compare(continuous(400, -0.5, 0.1, low=0.0, high=10.0))
    assert found.sentence.startswith("Worse: −5.1 points (95% CI −5.2 to −5.0, n = 400, p < 0.001)")
    assert found.delta == pytest.approx(-0.505, abs=0.005)


def test_without_a_range_figures_are_in_the_scorers_own_unit():
    (found,) = compare(continuous(400, -0.5, 0.1, low=None, high=None))
    assert found.sentence.startswith("Worse: −0.5")
    assert "points" not in found.sentence


def test_float32_values_give_the_figures_of_float64():
    plain = continuous(400, 0.02)
    packed = replace(plain, a=plain.a.astype(np.float32), b=plain.b.astype(np.float32))
    (full,), (half,) = compare(plain), compare(packed)
    assert half.delta == pytest.approx(full.delta, rel=1e-5)
    assert isinstance(half.delta, float)


def test_the_inputs_are_left_as_they_were():
    given = continuous(60, 0.0)
    a, b = given.a.copy(), given.b.copy()
    compare(given)
    assert (given.a == a).all()
    assert (given.b == b).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"a": np.ones(3)}, "aligned"),
        ({"zero_a": np.ones(3)}, "aligned"),
        ({"a": np.full(200, np.nan)}, "finite"),
        ({"b_all": np.array([0.5])}, "0 or 1"),
    ],
)
def test_values_that_are_no_pairs_of_scores_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        compare(replace(passes(100, 24, 10, 66), **changes))


def test_the_headline_puts_the_primary_first_then_what_asks_for_attention():
    lines = headline(
        compare(
            passes(100, 10, 10, 80, name="Primary"),
            passes(100, 10, 24, 66, name="Up", primary=False),
            passes(100, 24, 10, 66, name="Down", primary=False),
            passes(100, 40, 10, 50, name="Far down", primary=False),
            passes(200, 0, 0, 0, name="Same", primary=False),
        )
    )
    assert [(line.tone, line.text.split(" ")[0]) for line in lines] == [
        ("none", "Primary"),
        ("bad", "Far"),
        ("bad", "Down"),
    ]
    assert lines[1].text == "Far down fell by 15.0 points, past your margin of 2 points"
    assert lines[1].detail.startswith("95% CI 8.4 to 21.9, q < 0.001")


def test_the_headline_of_unfinished_runs_is_one_line():
    (line,) = headline(
        compare(passes(10, 2, 1, 7), passes(10, 2, 1, 7, primary=False), finished=False)
    )
    assert (line.tone, line.text) == ("none", "No verdict yet: a run is still in progress")


def test_no_scorer_gives_no_headline():
    assert headline([]) == []


def test_importing_the_rules_loads_neither_numpy_nor_scipy_nor_django():
    script = (
        "import sys, runs_app.comparison\n"
        "print(sorted({'numpy', 'scipy', 'django'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_comparing_never_loads_scipy_stats():
    script = (
        "import sys, numpy as np\n"
        "from runs_app.comparison import *\n"
        "a, b = np.zeros(20), np.tile([0.1, 0.4], 10)\n"
        "for kind, end in (('continuous', b), ('binary', (b > 0.2) * 1.0)):\n"
        "    one = ScorerInput('s', kind, True, 0, 1, True, 2, 0, a, end, a, end, 0, 0)\n"
        "    compare_scorers([one], Pairing(20, 0, 0, 0, 0, 0, 0), True, 1)\n"
        "print('scipy.special' in sys.modules, 'scipy.stats' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True False"


@pytest.mark.parametrize("kind", ["binary", "continuous"])
def test_a_million_pairs_are_compared_without_a_loop_over_them(kind):
    generator = np.random.default_rng(1)
    a, b = generator.random(1_000_000), generator.random(1_000_000)
    if kind == "binary":
        a, b = (a > 0.5).astype(float), (b > 0.5).astype(float)
    (found,) = compare(scorer(kind, a, b))
    assert found.improved + found.regressed + found.unchanged == 1_000_000
    assert found.ci95.low < found.delta < found.ci95.high
