import copy
import json
import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalhub.kit.json import (
    ABSENT,
    JsonError,
    PathError,
    canonical,
    content_hash,
    dumps,
    escape_key,
    get_path,
    loads,
    pretty,
)


def _short(value: object) -> str | None:
    return ascii(value)[:30] if isinstance(value, str | bytes) else None


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**390), 10**390)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text("ab.\\", max_size=4), children)
    ),
    max_leaves=20,
)


@given(json_values)
def test_every_value_survives_a_round_trip_exactly(value: Any) -> None:
    for text in (dumps(value), canonical(value), pretty(value), json.dumps(value)):
        again = loads(text)
        assert again == value
        assert canonical(again) == canonical(value)


@pytest.mark.parametrize(
    ("text", "line", "column", "problem"),
    [
        ('{\n "a": 1,\n "b": 2\n  "c": 3}', 4, 3, "a comma is missing"),
        ("[1 2]", 1, 4, "a comma is missing"),
        ("", 1, 1, "there is no text"),
        (" \n ", 1, 1, "there is no text"),
        ('{"a": 1', 1, 8, "the text ends too early; 1 bracket is still open"),
        ('[{"a":', 1, 7, "the text ends too early; 2 brackets are still open"),
        ('{"a" 1}', 1, 6, "a colon is missing after the name"),
        ('{"a": 1,}', 1, 8, "a comma too many"),
        ("[1,\n2,\n]", 2, 2, "a comma too many"),
        ("[1}", 1, 3, "“]” is expected here, not “}”"),
        ('{"a": 1]', 1, 8, "“}” is expected here, not “]”"),
        ("{'a': 1}", 1, 2, "strings need double quotes, not single ones"),
        ("{a: 1}", 1, 2, "a name in double quotes is expected, not “a”"),
        ("[True]", 1, 2, "“True” is not JSON; write true"),
        ("[None]", 1, 2, "“None” is not JSON; write null"),
        ("hello there", 1, 1, "a value is expected, not “hello”"),
        ("[,1]", 1, 2, "a value is expected, not “,”"),
        ("[1 x]", 1, 4, "a comma or a closing bracket is expected, not “x”"),
        ('["abc', 1, 2, "the string that starts here is never closed"),
        ('["a\nb"]', 1, 4, "a line break inside a string; write \\n"),
        ('["a\tb"]', 1, 4, "a tab inside a string; write \\t"),
        ('["a\0b"]', 1, 4, "the control character U+0000 inside a string"),
        ('["\\q"]', 1, 3, "“\\q” is no escape; write \\\\ for a backslash"),
        ('["\\u12g4"]', 1, 4, "\\u needs four hexadecimal digits"),
        ('{"a": 1} extra', 1, 10, "“extra” follows after the end of the value"),
        ("01", 1, 2, "“1” follows after the end of the value"),
        ("[1, NaN]", 1, 5, "NaN is not a JSON number"),
        ('["NaN", -Infinity]', 1, 9, "-Infinity is not a JSON number"),
        (
            '{"e": "1e999",\n"f": 1e999}',
            2,
            6,
            "a number too large to be kept (above about 1.8e308)",
        ),
        ("-1e999", 1, 1, "a number too large to be kept (above about 1.8e308)"),
        ("[" + "9" * 401 + "]", 1, 2, "an integer of 401 digits; at most 400 are allowed"),
        ("-" + "9" * 5000, 1, 1, "an integer of 5,000 digits; at most 400 are allowed"),
        ("[" * 101 + "]" * 101, 1, 101, "nested more than 100 levels deep"),
        ("[" * 2000 + "]" * 2000, 1, 101, "nested more than 100 levels deep"),
        ('{"a":' * 100_000, 1, 501, "nested more than 100 levels deep"),
        ('["a\\u0000b"]', 1, 4, "a NUL character (\\u0000), which cannot be stored"),
        ('{"\\\\\\u0000": 1}', 1, 5, "a NUL character (\\u0000), which cannot be stored"),
        ('["\\ud83d"]', 1, 3, "half of a surrogate pair, which is no character"),
        ('["\\uDE00 x"]', 1, 3, "half of a surrogate pair, which is no character"),
        (
            '["\\ud83d\\ude00 \\ud83d \\ude00"]',
            1,
            16,
            "half of a surrogate pair, which is no character",
        ),
        ('["\\ud83d", "\\ude00"]', 1, 3, "half of a surrogate pair, which is no character"),
        ('["\ud83d"]', 1, 3, "half of a surrogate pair, which is no character"),
    ],
    ids=_short,
)
def test_a_refused_text_gets_its_place_and_plain_words(
    text: str, line: int, column: int, problem: str
) -> None:
    with pytest.raises(JsonError) as caught:
        loads(text)
    assert caught.value.message == f"Line {line:,}, column {column:,}: {problem}"
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value) == caught.value.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9" * 400, 10**400 - 1),
        ("-" + "9" * 400, 1 - 10**400),
        ("9007199254740993", 9007199254740993),
        ("1.7e308", 1.7e308),
        ("1e-999", 0.0),
        ("-0", 0),
        ('"\\\\u0000"', "\\u0000"),
        ('"\\\\ud83d"', "\\ud83d"),
        ('"\\ud83d\\uDE00"', "😀"),
        ('"{[{["', "{[{["),
        ("[" * 100 + "]" * 100, None),
        ("[" + "[]," * 500 + "[]]", [[]] * 501),
        ("\ufeff[1]", [1]),
        (b"\xef\xbb\xbf[1]", [1]),
        ('"é"'.encode(), "é"),
        ('{"b": 1, "a": 2, "b": 3}', {"b": 3, "a": 2}),
    ],
    ids=_short,
)
def test_what_only_looks_dangerous_is_accepted(text: str | bytes, value: Any) -> None:
    assert value is None or loads(text) == value
    loads(text)


def test_a_message_names_the_text_that_is_wrong() -> None:
    with pytest.raises(JsonError, match=r"^Metadata, line 1, column 2: a value is expected"):
        loads("[x]", what="Metadata")


def test_bytes_that_are_not_utf_8_are_refused_at_their_place() -> None:
    with pytest.raises(JsonError) as caught:
        loads(b'\xef\xbb\xbf[1,\n"\xc3\xa9\xff"]')
    assert caught.value.message == "Line 2, column 3: byte 0xFF is not UTF-8 text"


@given(st.text('[]{}",:0123456789eE+-.\\utrfanls \n\ud83d'))
def test_any_text_is_read_or_refused_as_a_json_error(text: str) -> None:
    try:
        loads(text)
    except JsonError as error:
        assert error.line is not None
        assert error.column is not None
        assert 1 <= error.line <= text.count("\n") + 1


def test_compact_json_keeps_order_and_characters() -> None:
    assert dumps({"b": [1, "é"], "a": None}) == '{"b":[1,"é"],"a":null}'
    assert canonical({"b": [1, "é"], "a": None}) == '{"a":null,"b":[1,"é"]}'
    assert pretty({"b": [1]}) == '{\n  "b": [\n    1\n  ]\n}'
    assert pretty({"b": 1, "a": 2}, sort_names=True) == '{\n  "a": 2,\n  "b": 1\n}'


def _cycle() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


def _deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: math.nan, "JSON cannot hold NaN or Infinity"),
        (lambda: {"a": [math.inf]}, "JSON cannot hold NaN or Infinity"),
        (_cycle, "it contains itself"),
        (_deep, "it is nested too deep"),
        (object, "Object of type object is not JSON serializable"),
        (lambda: {(1, 2): 3}, "keys must be"),
        (lambda: 10**5000, "an integer is too long"),
    ],
)
@pytest.mark.parametrize("write", [dumps, canonical, pretty])
def test_a_value_that_json_cannot_hold_is_refused(write: Any, make: Any, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        write(make())
    assert message in caught.value.message
    assert caught.value.line is None


def test_the_content_hash_ignores_order_but_nothing_else() -> None:
    base = content_hash({"a": 1, "b": 2}, "x", {"c": 3})
    assert len(base) == 32
    assert int(base, 16) >= 0
    assert content_hash({"b": 2, "a": 1}, "x", {"c": 3}) == base
    others = [
        content_hash({"a": 1, "b": 2}, "x", None),
        content_hash({"a": 1, "b": 2}, "x", {}),
        content_hash({"a": 1, "b": 2}, None, {"c": 3}),
        content_hash({"a": 1, "b": 2}, ABSENT, {"c": 3}),
        content_hash({"a": 1, "b": 2}, "", {"c": 3}),
        content_hash("x", {"a": 1, "b": 2}, {"c": 3}),
        content_hash({"a": True, "b": 2}, "x", {"c": 3}),
        base,
    ]
    assert len(set(others)) == len(others)
    assert content_hash("x", "y", ABSENT) == content_hash("x", "y", None)


def test_the_content_hash_never_changes_between_releases() -> None:
    assert content_hash("q", "a", None) == "2d729a409e2fabba1106554bfcfc2ecc"


def test_absent_is_one_falsy_object() -> None:
    assert not ABSENT
    assert repr(ABSENT) == "ABSENT"
    assert copy.deepcopy(ABSENT) is ABSENT
    assert pickle.loads(pickle.dumps(ABSENT)) is ABSENT
    assert (ABSENT == None) is False  # noqa: E711 (equality is what is tested)


ITEM = {
    "input": "2+2",
    "metadata": {"175b_verification": {"solution": "4"}, "a.b": {"c\\d": 1}, "": 2},
    "messages": [{"content": "hi"}, {"content": "ho"}],
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("input", "2+2"),
        ("metadata.175b_verification.solution", "4"),
        ("messages.1.content", "ho"),
        ("metadata.a\\.b.c\\\\d", 1),
    ],
)
def test_a_path_leads_to_its_value(path: str, value: Any) -> None:
    assert get_path(ITEM, path) == value


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_escaped_names_make_a_path_whatever_they_hold(names: list[str]) -> None:
    value: Any = "found"
    for name in reversed(names):
        value = {name: value}
    assert get_path(value, ".".join(map(escape_key, names))) == "found"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("inptu", "There is no “inptu”. There is input, metadata, messages."),
        ("metadata.x", "“metadata” has no “x”. It has 175b_verification, a.b, ."),
        ("messages.2", "“messages” has 2 elements, so no index 2."),
        ("messages.-1", "“messages” is a list, and “-1” is no index."),
        ("messages." + "9" * 5000, "“messages” has 2 elements, so no index " + "9" * 5000 + "."),
        ("input.0", "“input” is no object or list: no “0” in it."),
        ("messages..content", "“messages..content” is not a path: a part of it is empty."),
        ("", "“” is not a path: a part of it is empty."),
    ],
    ids=_short,
)
def test_a_path_that_leads_nowhere_says_where_it_ends(path: str, message: str) -> None:
    with pytest.raises(PathError) as caught:
        get_path(ITEM, path)
    assert str(caught.value) == message
    assert isinstance(caught.value, KeyError)
