"""Markdown that people wrote, as HTML that is safe to show: no HTML of their own, no images."""

from __future__ import annotations

import re

import nh3
from markdown_it import MarkdownIt

TAGS = frozenset(
    {
        *("p", "br", "hr", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code"),
        *("a", "em", "strong", "s", "table", "thead", "tbody", "tr", "th", "td"),
    }
)
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}

_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_HEADING = re.compile(r"(</?h)([12])>")
_GAPS = re.compile(r"\s+")


def to_html(text: str) -> str:
    """The text as HTML. A page has its own headings above, so theirs begin at the third level."""
    rendered = _HEADING.sub(r"\g<1>3>", str(_PARSER.render(text)))
    return nh3.clean(
        rendered,
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )


def first_line(text: str) -> str:
    """What the first paragraph says, without any marks, as HTML with nothing but text in it."""
    paragraph = text.strip().split("\n\n", 1)[0]
    bare: str = nh3.clean(str(_PARSER.render(paragraph)), tags=set())
    return _GAPS.sub(" ", bare).strip()


def is_long(text: str) -> bool:
    """Whether there is more than one paragraph of plain text, so that `first_line` leaves out
    something.
    """
    return "\n" in text.strip() or len(text) > 300
