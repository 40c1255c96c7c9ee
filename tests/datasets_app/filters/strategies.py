"""Filters and items by chance: values that databases like to mix up."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from datasets_app.filters import And, Compare, Contains, Field, Filter, In, Not, Or, Presence
from evalhub.kit.json import dumps

NAMES = ["a", "b", "a.b", "", 'q"', "\\", "ä", "0", "$", "*", "[0]", "and", "A"]
TEXTS = ["", "a", "A", "ab", "Ä", "ä", "[1]", "1", "1.0", "true", "null", "%", "_", "'", '"', "\\", "\n", "🙂", "a b"]  # fmt: skip
NUMBERS = ["0", "-0.0", "1", "1.0", "1.5", "-1", "1E+2", "100", "0.1", "1e-7", "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551617", "-9223372036854775809", "1e300", "1" + "0" * 320]  # fmt: skip

texts = st.sampled_from(TEXTS)
numbers = st.sampled_from(NUMBERS).map(Decimal)
literals = st.one_of(texts, numbers, st.booleans(), st.none())


def _json_number(number: Decimal) -> Any:
    """As JSON keeps it: an integer however big, else the nearest float."""
    whole = number == number.to_integral_value()
    return int(number) if whole and number.as_tuple().exponent == 0 else float(number)


_sizes = {"max_size": 3}
values = st.recursive(
    st.one_of(
        texts,
        numbers.filter(lambda n: abs(n) < Decimal("1e308") or n.as_tuple().exponent == 0).map(
            _json_number
        ),
        st.booleans(),
        st.none(),
    ),
    lambda inner: (
        st.lists(inner, **_sizes) | st.dictionaries(st.sampled_from(NAMES), inner, **_sizes)
    ),
    max_leaves=6,
)


@dataclass(frozen=True)
class Item:
    input_json: str
    expected_json: str | None
    metadata_json: str
    tags_json: str
    split: str
    external_id: str | None
    source: str
    number: int
    version_from: int


items = st.builds(
    Item,
    input_json=values.map(dumps),
    expected_json=st.none() | values.map(dumps),
    metadata_json=st.dictionaries(st.sampled_from(NAMES), values, max_size=4).map(dumps),
    tags_json=st.lists(texts.filter(bool), max_size=3).map(dumps),
    split=st.sampled_from(["", "test", "Presence", "train"]),
    external_id=st.none() | texts.filter(bool),
    source=st.sampled_from(["", "a.csv", "Ä.csv"]),
    number=st.integers(1, 5),
    version_from=st.integers(1, 3),
)

_parts = st.one_of(st.sampled_from(NAMES), st.integers(0, 2))
json_fields = st.builds(
    Field,
    st.sampled_from(["input", "expected_output", "metadata"]),
    st.lists(_parts, max_size=3).map(tuple),
)
_text_fields = st.sampled_from(["split", "external_id", "source"]).map(Field)
_number_fields = st.sampled_from(["number", "version_from"]).map(Field)
_orders = st.sampled_from(["<", "<=", ">", ">="])
_equals = st.sampled_from(["=", "!="])
_tags = st.just(Field("tags"))
_words = st.one_of(texts, st.sampled_from(["test", "Presence", "tes", ".CSV", "zz"]))


def _few(of: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, min_size=1, max_size=3).map(tuple)


conditions: st.SearchStrategy[Filter] = st.one_of(
    st.builds(Compare, json_fields, _equals, literals),
    st.builds(Compare, json_fields, _orders, texts | numbers),
    st.builds(In, json_fields, _few(literals)),
    st.builds(Contains, json_fields | _text_fields | _tags, _words),
    st.builds(Presence, json_fields, st.sampled_from(["exists", "missing", "null"])),
    st.builds(Compare, _text_fields, _equals | _orders, _words),
    st.builds(In, _text_fields | _tags, _few(_words)),
    st.builds(Presence, _text_fields | _tags, st.sampled_from(["exists", "missing"])),
    st.builds(Compare, _tags, _equals, texts),
    st.builds(
        Compare,
        _number_fields,
        _equals | _orders,
        numbers | st.sampled_from(["2", "2.5", "3"]).map(Decimal),
    ),
)


def _joined(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, inner))


filters: st.SearchStrategy[Filter] = st.recursive(conditions, _joined, max_leaves=4)
