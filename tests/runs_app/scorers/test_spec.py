import json
from typing import Any

import pytest

from runs_app.scorers import SpecError, build, catalogue, parse_spec


def test_a_name_alone_is_a_scorer_with_its_defaults() -> None:
    spec = parse_spec("exact_match")
    assert (spec.use, spec.name, spec.kind) == ("exact_match", "exact_match", "binary")
    assert spec.params == {"extract": None, "ignore_case": False, "ignore_space": False}
    assert (spec.higher_is_better, spec.threshold, spec.low, spec.high) == (True, None, 0.0, 1.0)


def test_a_json_object_gives_name_and_parameters() -> None:
    text = '{"use": "numeric_match", "name": "answer", "extract": "A:\\\\s*(.+)"}'
    spec = parse_spec(text)
    assert spec.name == "answer"
    assert spec.params == {"extract": "A:\\s*(.+)", "tolerance": 0}
    assert parse_spec(json.loads(text)) == spec


def test_the_threshold_of_a_continuous_scorer_can_be_set_or_taken_away() -> None:
    assert parse_spec("levenshtein").threshold == 0.8
    assert parse_spec({"use": "levenshtein", "threshold": 0.5}).threshold == 0.5
    assert parse_spec({"use": "levenshtein", "threshold": None}).threshold is None
    assert parse_spec("levenshtein").kind == "continuous"


@pytest.mark.parametrize(
    "spec",
    [
        "exact_match",
        "json_match",
        {"use": "levenshtein", "name": "near", "threshold": None},
        {"use": "regex", "pattern": "a+", "extract": "(b)"},
        {"use": "json_match", "ignore": ["id"], "tolerance": 0.25},
        {"use": "exact_match", "margin": 0},
        {"use": "levenshtein", "margin": 12.5},
    ],
)
def test_a_stored_spec_reads_back_as_itself(spec: Any) -> None:
    parsed = parse_spec(spec)
    assert parse_spec(json.loads(json.dumps(parsed.as_dict()))) == parsed


@pytest.mark.parametrize(
    ("spec", "pointer", "message"),
    [
        ("exat_match", "/use", "There is no scorer 'exat_match'. Did you mean 'exact_match'?"),
        ("Levenstein", "/use", "There is no scorer 'Levenstein'. Did you mean 'levenshtein'?"),
        (
            "quality",
            "/use",
            "There is no scorer 'quality'. Built-in scorers: exact_match, contains, regex, numeric",
        ),
        ("", "/use", "A scorer needs “use”"),
        ({}, "/use", "A scorer needs “use”"),
        ({"use": 3}, "/use", "“use” is the name of a built-in scorer"),
        (["exact_match"], "", "A scorer is a name or a JSON object."),
        ('{"use": "regex"', "", "Scorer, line 1, column 16: the text ends too early"),
        (
            {"use": "exact_match", "ignorecase": True},
            "/ignorecase",
            "exact_match has no parameter 'ignorecase'. Did you mean 'ignore_case'?",
        ),
        (
            {"use": "json_match", "extract": "a"},
            "/extract",
            "json_match has no parameter 'extract'.",
        ),
        ({"use": "exact_match", "threshold": 0.5}, "/threshold", "has no parameter 'threshold'."),
        ({"use": "exact_match", "ignore_case": 1}, "/ignore_case", "is true or false."),
        ({"use": "exact_match", "extract": 5}, "/extract", "“extract” is a regular expression."),
        ({"use": "exact_match", "name": " "}, "/name", "is a text that is not empty."),
        ({"use": "exact_match", "name": None}, "/name", "is a text that is not empty."),
        ({"use": "exact_match", "name": "a\nb"}, "/name", "all on one line."),
        ({"use": "exact_match", "name": "x" * 101}, "/name", "at most 100 characters"),
        ({"use": "numeric_match", "tolerance": -1}, "/tolerance", "a number from 0 upwards."),
        ({"use": "numeric_match", "tolerance": "1"}, "/tolerance", "is a number."),
        ({"use": "numeric_match", "tolerance": True}, "/tolerance", "is a number."),
        ({"use": "numeric_match", "tolerance": None}, "/tolerance", "is a number."),
        ({"use": "numeric_match", "tolerance": float("nan")}, "/tolerance", "from 0 upwards."),
        ({"use": "levenshtein", "threshold": 1.5}, "/threshold", "a number from 0 to 1."),
        ({"use": "json_match", "ignore": "id"}, "/ignore", "is a list of names."),
        ({"use": "json_match", "ignore": [1]}, "/ignore", "is a list of names."),
        ({"use": "contains", "margin": -1}, "/margin", "a number of points from 0 to 100."),
        ({"use": "contains", "margin": 101}, "/margin", "a number of points from 0 to 100."),
        ({"use": "contains", "margin": "2"}, "/margin", "a number of points from 0 to 100."),
        ({"use": "contains", "margin": True}, "/margin", "a number of points from 0 to 100."),
        ({"use": "contains", "margin": float("nan")}, "/margin", "a number of points from 0"),
        ({"use": "regex"}, "/pattern", "regex: “pattern” is missing."),
        ({"use": "regex", "pattern": ""}, "/pattern", "regex: “pattern” is missing."),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_bad_spec_is_refused_with_its_place_and_cure(
    spec: Any, pointer: str, message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(spec)
    assert message in caught.value.message
    assert caught.value.pointer == pointer
    assert str(caught.value) == caught.value.message


@pytest.mark.parametrize(
    ("pattern", "position", "problem"),
    [
        ("a(b", 2, "a “(” is never closed"),
        ("(a)(b[)]", 4, "a “(” is never closed"),
        (r"\(a)", 4, "this “)” closes nothing"),
        ("a[b", 2, "a “[” is never closed"),
        ("a**", 2, "“**” repeats a repetition"),
        ("*a", 1, "“*” has nothing to repeat"),
        ("x(?<=y)z", 2, "“(?<=” is not supported; there is no looking ahead or behind"),
        ("x(?!y)z", 2, "“(?!” is not supported; there is no looking ahead or behind"),
        (r"(a)\1", 4, r"“\1” is not supported"),
        ("a{2000}", 2, "“{2000}” repeats too often; at most 1,000 is possible"),
        ("[z-a]", 2, "“z-a” is no range of characters"),
        ("ab\ud800", 3, "half of a surrogate pair"),
    ],
    ids=lambda value: ascii(value)[:40],
)
@pytest.mark.parametrize(("use", "param"), [("exact_match", "extract"), ("regex", "pattern")])
def test_a_bad_regular_expression_names_scorer_parameter_and_character(
    use: str, param: str, pattern: str, position: int, problem: str, capfd: Any
) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec({"use": use, param: pattern})
    assert caught.value.message == (
        f"{use}: the regular expression in “{param}” is wrong at character {position}: {problem}."
    )
    assert caught.value.pointer == f"/{param}"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "pattern", ["((a{100}){100}){100}", "((([ab]?){30}){30})c{999}d{999}e{999}"]
)
def test_a_regular_expression_that_compiles_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(SpecError, match="regular expression in “extract” is"):
        parse_spec({"use": "exact_match", "extract": pattern})


def test_the_catalogue_offers_what_parse_spec_accepts() -> None:
    offered = catalogue()
    assert [builtin.use for builtin in offered] == [
        "exact_match",
        "contains",
        "regex",
        "numeric_match",
        "levenshtein",
        "json_match",
    ]
    for builtin in offered:
        given = {param.name: param.default for param in builtin.params}
        if builtin.use == "regex":
            given["pattern"] = "x"
        assert build(parse_spec({"use": builtin.use, **given})).spec.use == builtin.use
        assert builtin.label
        assert builtin.description.endswith(".")
        assert all(param.label and param.help.endswith(".") for param in builtin.params)
        takes_extract = "extract" in {param.name for param in builtin.params}
        assert takes_extract == (builtin.use != "json_match")
