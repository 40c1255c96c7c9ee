"""The filter language: one small grammar for pages, API, export, runs and bulk actions. Pure.

    metadata.topic in ("percent", "rate") and split = "test" and not tag = "draft"

`parse` gives the filter of a text, `to_text` the text of a filter, and `matches` says what a filter
means: the SQL of `datasets_app.filter_sql` is held to it.
"""

from datasets_app.filters.matching import Filterable, matches
from datasets_app.filters.nodes import (
    And,
    Compare,
    Contains,
    Field,
    Filter,
    FilterError,
    In,
    Literal,
    Not,
    Or,
    Presence,
)
from datasets_app.filters.parsing import parse
from datasets_app.filters.text import field_text, to_text, value_text

__all__ = [
    "And",
    "Compare",
    "Contains",
    "Field",
    "Filter",
    "FilterError",
    "Filterable",
    "In",
    "Literal",
    "Not",
    "Or",
    "Presence",
    "field_text",
    "matches",
    "parse",
    "to_text",
    "value_text",
]
