"""From text to filters and back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_app.filters import (
    And,
    Compare,
    Contains,
    Field,
    Filter,
    FilterError,
    In,
    Not,
    Or,
    Presence,
    parse,
    to_text,
)
from tests.datasets_app.filters.strategies import filters

TOPIC = Field("metadata", ("topic",))


@given(filters)
@settings(max_examples=300, deadline=None)
def test_the_text_of_a_filter_parses_to_the_same_filter(filter: Filter) -> None:
    assert parse(to_text(filter)) == filter


@given(st.text(alphabet='ab."\\()[]<>=!,0123 metadata split notandorin', max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_filter_or_a_named_error_inside_it(text: str) -> None:
    try:
        parse(text)
    except FilterError as error:
        assert 0 <= error.position <= len(text)
        assert error.detail.endswith((".", "?"))


@pytest.mark.parametrize(
    ("text", "filter"),
    [
        (
            'metadata.topic in ("percent","rate") and split = "test"',
            And((In(TOPIC, ("percent", "rate")), Compare(Field("split"), "=", "test"))),
        ),
        ("metadata.n >= -1.5e3", Compare(Field("metadata", ("n",)), ">=", Decimal("-1.5e3"))),
        ('metadata."a.b"[3].c = null', Compare(Field("metadata", ("a.b", 3, "c")), "=", None)),
        ('NOT tag = "x"', Not(Compare(Field("tags"), "=", "x"))),
        ('tag not in ("x")', Not(In(Field("tags"), ("x",)))),
        ("has expected_output", Presence(Field("expected_output"), "exists")),
        ("metadata.topic is not missing", Not(Presence(TOPIC, "missing"))),
        ("metadata.not is null", Presence(Field("metadata", ("not",)), "null")),
        ('input contains "refund"', Contains(Field("input"), "refund")),
        (
            'split = "a" or split = "b" and changed > 4',
            Or(
                (
                    Compare(Field("split"), "=", "a"),
                    And(
                        (
                            Compare(Field("split"), "=", "b"),
                            Compare(Field("version_from"), ">", Decimal(4)),
                        )
                    ),
                )
            ),
        ),
    ],
)
def test_what_is_written_is_what_is_meant(text: str, filter: Filter) -> None:
    assert parse(text) == filter


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", 0, "a field is expected"),
        ('metadat.topic = "x"', 0, "Did you mean “metadata”?"),
        ('topic = "x"', 0, "Did you mean “metadata.topic”?"),
        ('expected = "x"', 0, "Did you mean “expected_output”?"),
        ("metadata.n == 1", 11, "Did you mean “=”?"),
        ('metadata.topic like "x"', 15, "Did you mean “contains”?"),
        ("metadata.topic = rate", 17, 'Did you mean "rate"?'),
        ("metadata.topic = 'rate'", 17, "a value is expected"),
        ('metadata.topic = "rate', 17, "no closing double quote"),
        ('split = "a" adn tag = "b"', 12, "Did you mean “and”?"),
        ('(split = "a"', 12, "“)” is expected"),
        ('split in ("a" "b")', 14, "“,” with another value"),
        ("split in ()", 10, "a value is expected"),
        ("metadata.0 = 1", 9, "[0]"),
        ("metadata[x] = 1", 8, "index"),
        ("metadata.topic > true", 17, "a number or a text"),
        ("split = 1", 8, "compared with a text"),
        ('number = "1"', 9, "compared with a number"),
        ("number is missing", 7, "Every item has"),
        ("split is null", 6, "is missing"),
        ('tag > "a"', 4, "no order"),
        ('split.a = "b"', 0, "nothing comes below"),
        ("metadata.topic is", 17, "After “is” comes"),
        ("metadata.n = 1e999", 13, "too large"),
        ("metadata.n = 1x", 14, "quotes"),
        ('metadata.topic = "\\u0000"', 17, "NUL"),
        ('metadata.topic = "a" or', 23, "a field is expected"),
    ],
)
def test_an_error_says_where_and_what_to_write(text: str, position: int, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert says in caught.value.detail
    assert caught.value.position == position


@pytest.mark.parametrize(
    "text",
    [
        "(" * 30 + 'split = "a"' + ")" * 30,
        "not " * 30 + 'split = "a"',
        f"split in ({', '.join(['1'] * 500)})".replace("1", '"1"'),
        "metadata" + ".a" * 13 + " = 1",
        'split = "' + "a" * 4_000 + '"',
        "(" * 3_999,
    ],
)
def test_length_depth_and_number_of_values_are_bounded(text: str) -> None:
    with pytest.raises(FilterError):
        parse(text)
