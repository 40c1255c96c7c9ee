import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.diffing import (
    MAX_CHARACTERS,
    FieldChange,
    Segment,
    changed_fields,
    diff_json,
    diff_sides,
    diff_text,
)
from evalhub.kit.json import ABSENT


def marked(segments: Any) -> str:
    signs = {"same": "{}", "del": "[-{}-]", "ins": "{{+{}+}}"}
    return "".join(signs[segment.op].format(segment.text) for segment in segments)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("", "", ""),
        ("same text", "same text", "same text"),
        ("", "new", "{+new+}"),
        ("old", "", "[-old-]"),
        ("the cat sat", "the dog sat", "the [-cat-]{+dog+} sat"),
        ("the sat", "the cat sat", "the {+cat +}sat"),
        ("one two three.", "four five six.", "[-one two three-]{+four five six+}."),
        ("one two", "one six ", "one [-two-]{+six +}"),
        ("a b ", "a c ", "a [-b-]{+c+} "),
        ("a: 1\nb: 2\n", "a: 3\nb: 4\n", "a: [-1-]{+3+}\nb: [-2-]{+4+}\n"),
        ("größe 1", "größe 2", "größe [-1-]{+2+}"),
        ("12", "123", "[-12-]{+123+}"),
    ],
)
def test_words_are_marked_where_they_change(a: str, b: str, expected: str) -> None:
    diff = diff_text(a, b)
    assert marked(diff.segments) == expected
    assert diff.level == "words"


texts = st.lists(st.sampled_from(["a", "b", "c", " ", "\n", "  ", ".", "é"]), max_size=30)


@given(texts, texts)
def test_both_texts_can_be_put_together_again(a_words: list[str], b_words: list[str]) -> None:
    a, b = "".join(a_words), "".join(b_words)
    diff = diff_text(a, b)
    before, after = diff.sides()
    assert "".join(segment.text for segment in before) == a
    assert "".join(segment.text for segment in after) == b
    assert all(segment.text for segment in diff.segments)
    assert (a == b) == all(segment.op == "same" for segment in diff.segments)
    assert {segment.op for segment in before} <= {"same", "del"}
    assert {segment.op for segment in after} <= {"same", "ins"}


def test_json_is_compared_as_it_is_read_and_order_of_names_is_no_change() -> None:
    diff = diff_json({"b": 1, "a": [1, 2]}, {"a": [1, 3], "b": 1})
    assert marked(diff.segments) == '{\n  "a": [\n    1,\n    [-2-]{+3+}\n  ],\n  "b": 1\n}'
    assert marked(diff_json("plain", "plain text").segments) == "plain{+ text+}"
    assert marked(diff_json(ABSENT, "x").segments) == "{+x+}"
    assert marked(diff_json(None, "null").segments) == "null"


def test_the_two_sides_hold_only_their_own_changes() -> None:
    before, after = diff_sides("the cat", "the dog")
    assert before == [Segment("same", "the "), Segment("del", "cat")]
    assert after == [Segment("same", "the "), Segment("ins", "dog")]


def test_long_texts_are_compared_by_lines_and_longer_ones_not_at_all() -> None:
    line = "word " * 20 + "\n"
    long = diff_text(line * 1_000 + "x\n", line * 1_000 + "y\n")
    assert long.level == "lines"
    assert marked(long.segments) == line * 1_000 + "[-x\n-]{+y\n+}"

    many_lines = diff_text("a\n" * 20_001, "a\n" * 20_000)
    assert many_lines.level == "too large"
    huge = diff_text("a" * (MAX_CHARACTERS + 1), "b")
    assert huge.level == "too large"
    assert [segment.op for segment in huge.segments] == ["del", "ins"]
    equal = diff_text("a" * (MAX_CHARACTERS + 1), "a" * (MAX_CHARACTERS + 1))
    assert [segment.op for segment in equal.segments] == ["same"]


def test_the_largest_unrelated_texts_take_no_more_than_a_moment() -> None:
    rng = random.Random(7)
    a, b = (" ".join(rng.choice("abcdefgh") for _ in range(10_000)) for _ in range(2))
    started = time.perf_counter()
    diff = diff_text(a, b)
    assert time.perf_counter() - started < 3
    assert diff.level == "words"
    assert len(diff.segments) > 2


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}, []),
        ({"a": 1, "b": 2}, {"c": 3, "b": 4}, [("a", 1, ABSENT), ("b", 2, 4), ("c", ABSENT, 3)]),
        ({"a": None}, {}, [("a", None, ABSENT)]),
        ({"a": ABSENT}, {"a": None}, [("a", ABSENT, None)]),
        ({"a": ABSENT}, {}, []),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": [1]}, {"a": [True]}, [("a", [1], [True])]),
        ({"m": {"a.b": {"c": 1}}}, {"m": {"a.b": {"c": 2}}}, [("m.a\\.b.c", 1, 2)]),
        ({"m": {"a": 1}}, {"m": {}}, [("m.a", 1, ABSENT)]),
        ({"m": {"a": 1}}, {"m": [1]}, [("m", {"a": 1}, [1])]),
        ({"tags": ["a", "b"]}, {"tags": ["b", "a"]}, [("tags", ["a", "b"], ["b", "a"])]),
    ],
)
def test_changed_fields_are_named_by_their_path(old: Any, new: Any, expected: Any) -> None:
    # Compared as text: 1 == True would let a wrong value pass.
    got = changed_fields(old, new)
    assert repr(got) == repr([FieldChange(*change) for change in expected])
