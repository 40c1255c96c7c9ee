import time
from typing import Any

import pytest

from evalhub.kit.json import ABSENT
from runs_app.scorers import ScoreOutcome, build, catalogue, parse_spec
from runs_app.scorers.base import Scorer, ScoringLimitError

ITEM = {"number": 1, "external_id": None, "metadata": {}}
MEGABYTE = 1_000_000


def score(spec: Any, output: Any, expected: Any = ABSENT) -> ScoreOutcome:
    return build(parse_spec(spec)).score(output, expected, item=ITEM)


EXACT = {"use": "exact_match"}
LOOSE = {"use": "exact_match", "ignore_case": True, "ignore_space": True}
CONTAINS = {"use": "contains"}
NUMBER = {"use": "numeric_match"}
ANSWER = {"use": "numeric_match", "extract": "A:\\s*(.+)"}
JSON = {"use": "json_match"}


@pytest.mark.parametrize(
    ("spec", "output", "expected", "value", "reason"),
    [
        (EXACT, "4", "4", 1, "Equal to the expected output."),
        (EXACT, "4", "3", 0, "Differs from character 1: expected “3”, got “4”."),
        (EXACT, "abX" + "y" * 50, "abZ", 0, f"Differs from character 3: expected “Z”, got “X{'y' * 19}…”."),
        (EXACT, "ab", "ab\n", 0, "Differs from character 3: expected “\\n”, got the end."),
        (EXACT, "ab ", "ab", 0, "Differs from character 3: expected the end, got “ ”."),
        (EXACT, "", "x", 0, "Differs from character 1: expected “x”, got the end."),
        (EXACT, "", "", 1, "Equal to the expected output."),
        (EXACT, "A", "a", 0, "Differs from character 1: expected “a”, got “A”."),
        (EXACT, {"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}', 1, "Equal to the expected output."),
        (EXACT, 5, "5", 1, "Equal to the expected output."),
        (EXACT, None, None, 1, "Equal to the expected output."),
        (LOOSE, "  Straße\n\tOK ", "STRASSE ok", 1, "Equal to the expected output."),
        (LOOSE, "a b", "ab", 0, "Differs from character 2: expected “b”, got “ b”."),
        (CONTAINS, "the cat sat", "cat", 1, "The output contains what is expected."),
        (CONTAINS, "the cat sat", "Cat", 0, "The output does not contain “Cat”."),
        (CONTAINS | {"ignore_case": True}, "the cat sat", "Cat", 1, "The output contains what is expected."),
        (CONTAINS, "the cat sat", ["sat", "the"], 1, "The output contains what is expected."),
        (CONTAINS, "the cat sat", ["sat", "dog", "hen"], 0, "The output lacks 2 of the 3 texts expected, first “dog”."),
        (CONTAINS, {"ok": True}, "true", 1, "The output contains what is expected."),
        ({"use": "regex", "pattern": "c.t"}, "the cat", ABSENT, 1, "The pattern matches the output."),
        ({"use": "regex", "pattern": "^c.t"}, "the cat", "x", 0, "The pattern matches nowhere in the output."),
        ({"use": "regex", "pattern": "(?i)C.T"}, "the cat", ABSENT, 1, "The pattern matches the output."),
        ({"use": "regex", "pattern": "^é$", "extract": "=(.*)"}, "x=é", ABSENT, 1, "The pattern matches the output."),
        (NUMBER, " 1,234.50 ", "1234.5", 1, "Equal to the expected number."),
        (NUMBER, "$1,234", 1234, 1, "Equal to the expected number."),
        (NUMBER, "$ -5.", "-5", 1, "Equal to the expected number."),
        (NUMBER, "0.1", 0.1, 1, "Equal to the expected number."),
        (NUMBER, 0.30000000000000004, "0.3", 0, "Expected 0.3, got 0.30000000000000004."),
        (NUMBER, "26", "18", 0, "Expected 18, got 26."),
        (NUMBER, "-26", "18", 0, "Expected 18, got −26."),
        (NUMBER, "1e3", "1000", 1, "Equal to the expected number."),
        (NUMBER, "9007199254740993", "9007199254740992", 0, "Expected 9007199254740992, got 9007199254740993."),
        (NUMBER | {"tolerance": 0.01}, "1.01", "1.00", 1, "Within 0.01 of the expected number."),
        (NUMBER | {"tolerance": 0.01}, "1.0100001", "1", 0, "Expected 1 ± 0.01, got 1.0100001."),
        (NUMBER | {"tolerance": 1}, "1" + "0" * 380 + ".5", "1" + "0" * 380, 1, "Within 1 of the expected number."),
        (NUMBER, "18 eggs", "18", 0, "no answer found"),
        (NUMBER, "3,4", "34", 0, "no answer found"),
        (NUMBER, "1,23", "123", 0, "no answer found"),
        (NUMBER, "1_000", "1000", 0, "no answer found"),
        (NUMBER, "1 000", "1000", 0, "no answer found"),
        (NUMBER, "NaN", "1", 0, "no answer found"),
        (NUMBER, "Infinity", "1", 0, "no answer found"),
        (NUMBER, "١٢", "12", 0, "no answer found"),
        (NUMBER, "1e9999", "1", 0, "no answer found"),
        (NUMBER, "9" * 401, "1", 0, "no answer found"),
        (NUMBER, True, "1", 0, "no answer found"),
        (NUMBER, "", "1", 0, "no answer found"),
        (ANSWER, "work\nA: 3\nmore\nA: $1,234", "so\nA: 1234", 1, "Equal to the expected number."),
        (ANSWER, "A: 18\nA: 18 eggs", "A: 18", 0, "no answer found"),
        (ANSWER, "I do not know", "A: 18", 0, "no answer found"),
        (ANSWER, "A: 18", "18", 1, "Equal to the expected number."),
        (ANSWER, "A: 18", 18, 1, "Equal to the expected number."),
        (EXACT | {"extract": "\\d+"}, "12 and 345", "so 345", 1, "Equal to the expected output."),
        (EXACT | {"extract": "\\d+"}, "none", "5", 0, "no answer found"),
        (EXACT | {"extract": "=(é*)|#"}, "=é #", "é", 0, "no answer found"),
        (EXACT | {"extract": "é*$"}, "aéé", "béé", 1, "Equal to the expected output."),
        (EXACT | {"extract": "\\d*"}, "12 eggs", "13 eggs", 0, "Differs from character 2: expected “3”, got “2”."),
        (EXACT | {"extract": "\\d*"}, "no eggs", "13 eggs", 0, "no answer found"),
        (EXACT | {"extract": "A:(.*)"}, "A:", "A:", 1, "Equal to the expected output."),
        (CONTAINS | {"extract": "\\[(.*)\\]"}, "x [a, b]", ["b", "[a]"], 1, "The output contains what is expected."),
        ({"use": "levenshtein"}, "kitten", "sitting", 1 - 3 / 7, "3 edits over 7 characters."),
        ({"use": "levenshtein"}, "a", "", 0, "1 edit over 1 character."),
        ({"use": "levenshtein"}, "", "", 1, "Equal to the expected output."),
        ({"use": "levenshtein", "extract": "(\\w+)!"}, "oh well! done!", "done", 1, "Equal to the expected output."),
        ({"use": "levenshtein", "extract": "(\\w+)!"}, "oh", "done", 0, "no answer found"),
        (JSON, {"a": 1, "b": [1, 2]}, {"b": [1.0, 2], "a": 1}, 1, "Equal to the expected output."),
        (JSON, '{"a": 1}', {"a": 1}, 1, "Equal to the expected output."),
        (JSON, {"a": 1}, ' {"a": 1}', 1, "Equal to the expected output."),
        (JSON, "refund", "refund", 1, "Equal to the expected output."),
        (JSON, "refund", "repair", 0, "Differs: expected “repair”, got “refund”."),
        (JSON, '"refund"', "refund", 1, "Equal to the expected output."),
        (JSON, "{a: 1}", {"a": 1}, 0, "The output is not JSON. Line 1, column 2: a name in double quotes is expected, not “a”."),
        (JSON, {"items": [{"price": 4}]}, {"items": [{"price": 3}]}, 0, "Differs at /items/0/price: expected 3, got 4."),
        (JSON, {"z": 1, "a": 1}, {"z": 2, "a": 2}, 0, "Differs at /a: expected 2, got 1."),
        (JSON, {"a": True}, {"a": 1}, 0, "Differs at /a: expected 1, got true."),
        (JSON, {"a": None}, {"a": 0}, 0, "Differs at /a: expected 0, got null."),
        (JSON, {"a": "1"}, {"a": 1}, 0, "Differs at /a: expected 1, got “1”."),
        (JSON, {"a": {}}, {"a": []}, 0, "Differs at /a: expected a list, got an object."),
        (JSON, {}, {"a/b~c": 1}, 0, "The output lacks /a~1b~0c."),
        (JSON, {"x": 1}, {}, 0, "The output has /x, which is not expected."),
        (JSON, [1], [1, 2, 3], 0, "The output lacks /1."),
        (JSON, [1, 2], [1], 0, "The output has /1, which is not expected."),
        (JSON, None, None, 1, "Equal to the expected output."),
        (JSON, "", {}, 0, "The output is not JSON. Line 1, column 1: there is no text."),
        (JSON | {"ignore": ["id"]}, {"id": 1, "b": [{"id": 2}]}, {"b": [{}]}, 1, "Equal to the expected output."),
        (JSON | {"tolerance": 0.01}, {"a": 1.01}, {"a": 1}, 1, "Equal to the expected output."),
        (JSON | {"tolerance": 0.01}, {"a": 1.02}, {"a": 1}, 0, "Differs at /a: expected 1, got 1.02."),
        (JSON | {"tolerance": 0.01}, 10**399, 1.5, 0, f"Differs: expected 1.5, got 1{'0' * 39}…."),
        (JSON, 9007199254740993, 9007199254740992.0, 0, "Differs: expected 9007199254740992.0, got 9007199254740993."),
    ],
    ids=lambda value: ascii(value)[:30],
)  # fmt: skip
def test_scores_and_reasons(
    spec: Any, output: Any, expected: Any, value: float, reason: str
) -> None:
    outcome = score(spec, output, expected)
    assert outcome.state == "scored"
    assert outcome.value == pytest.approx(value, abs=1e-12)
    assert outcome.reason == reason


@pytest.mark.parametrize(
    ("spec", "expected", "reason"),
    [
        (NUMBER, "twelve", "The expected output is no number."),
        (NUMBER, None, "The expected output is no number."),
        (ANSWER, "A: 12 eggs", "The expected output is no number."),
        (CONTAINS, "", "The expected output is empty, and every output contains that."),
        (CONTAINS, [], "The expected output is empty, and every output contains that."),
        *(
            ({"use": use}, ABSENT, "The item has no expected output.")
            for use in ("exact_match", "contains", "numeric_match", "levenshtein", "json_match")
        ),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_what_does_not_apply_is_not_scored(spec: Any, expected: Any, reason: str) -> None:
    for output in ("12", "", {"a": 1}):
        assert score(spec, output, expected) == ScoreOutcome("not_scored", None, reason)


@pytest.mark.parametrize("builtin", catalogue(), ids=lambda builtin: builtin.use)
@pytest.mark.parametrize(
    "output",
    ["\ud800", float("nan"), object(), {1: {2, 3}}],
    ids=["half a pair", "nan", "object", "set in an object"],
)
def test_no_output_makes_a_scorer_raise(builtin: Any, output: Any) -> None:
    given = {"pattern": "x"} if builtin.use == "regex" else {}
    scorer = build(parse_spec({"use": builtin.use, **given}))
    for expected in ("1", 1, {"a": 1}, ["x"], object()):
        outcome = scorer.score(output, expected, item=ITEM)
        assert (outcome.value is None) == (outcome.state != "scored")


def test_an_exception_of_a_scorer_becomes_an_error_with_its_reason() -> None:
    def judge(output: Any, expected: Any) -> ScoreOutcome:
        if output == "limit":
            raise ScoringLimitError("Too long.")
        raise ZeroDivisionError("x" * 1000)

    scorer = Scorer(parse_spec("exact_match"), judge, needs_expected=False)
    assert scorer.score("limit", 1, item=ITEM) == ScoreOutcome("error", None, "Too long.")
    outcome = scorer.score("other", 1, item=ITEM)
    assert (outcome.state, outcome.value) == ("error", None)
    assert outcome.reason.startswith("The scorer failed: ZeroDivisionError: xxx")
    assert len(outcome.reason) == 300


def test_levenshtein_refuses_texts_that_would_take_too_long() -> None:
    long = score("levenshtein", "x" * 20_001, "y")
    assert long.state == "error"
    assert long.reason == "The output has 20,001 characters; at most 20,000 are compared."
    other = score("levenshtein", "y", "x" * 20_001)
    assert other.reason.startswith("The expected output has 20,001")
    assert score("levenshtein", "x" * 20_000, "y" * 20_000).value == 0


@pytest.mark.parametrize("builtin", catalogue(), ids=lambda builtin: builtin.use)
@pytest.mark.parametrize("unit", ["a", "9", "[", "🙂", "A: 1\n", " "])
def test_an_output_of_a_megabyte_is_scored_or_refused_in_time(builtin: Any, unit: str) -> None:
    given: dict[str, Any] = {"pattern": "A: 2"} if builtin.use == "regex" else {}
    if builtin.use != "json_match":
        given["extract"] = "A:\\s*(.+)|[9a]+$"
    output = unit * (MEGABYTE // len(unit))
    started = time.perf_counter()
    score({"use": builtin.use, **given}, output, output[:-1] + "x")
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|aa)+$",
        "(a|a)*b",
        "(.*)*x",
        "(?:a?){50}a{50}b",
        "([a-zA-Z]+)*!",
        "(.*?,){11}P",
        "a.*b|a",  # each of a million matches looks for its b to the very end
        "(a|b)*a(a|b){500}c",  # more states than the automaton can keep
        "((([ab]?){30}){30})c",
        "",
        "\\C",
    ],
)
def test_evil_patterns_stay_within_seconds(pattern: str) -> None:
    output = "ab" * 10 + "a" * (MEGABYTE // 2) + "🙂"
    started = time.perf_counter()
    for spec in (
        {"use": "exact_match", "extract": pattern},
        {"use": "regex", "pattern": pattern or "a"},
    ):
        outcome = score(spec, output, "a")
        assert outcome.state in ("scored", "error")
        assert outcome.reason
    assert time.perf_counter() - started < 10


def test_a_search_beyond_the_limits_is_an_error_that_says_so() -> None:
    slow = score({"use": "exact_match", "extract": "a.*b|a"}, "a" * MEGABYTE, "a")
    assert slow == ScoreOutcome(
        "error", None, "Searching 1,000,000 characters took longer than 1 s."
    )
    large = score({"use": "regex", "pattern": "(a|b)*a(a|b){900}c"}, "ab" * MEGABYTE)
    assert large.state == "error"
    assert large.reason.startswith("The text has 2,000,000 bytes; this regular expression can")
