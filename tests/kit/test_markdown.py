"""Descriptions are shown as markdown, and nothing in them can do harm."""

from __future__ import annotations

import pytest

from evalhub.kit.markdown import first_line, is_long, to_html


def test_marks_become_html() -> None:
    html = to_html("# Sums\n\nSee **the** [paper](https://example.org/a).\n\n- one\n- two")
    assert "<h3>Sums</h3>" in html
    assert "<strong>the</strong>" in html
    assert 'href="https://example.org/a" rel="noopener noreferrer nofollow"' in html
    assert html.count("<li>") == 2


def test_a_table_is_a_table() -> None:
    assert "<td>1</td>" in to_html("| a |\n|---|\n| 1 |")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://example.org/track.png)",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        '[x](https://e.org "\\" onmouseover=alert(1)")',
        "<a href='javascript:alert(1)'>x</a>",
        "<style>*{display:none}</style>",
        "<svg/onload=alert(1)>",
    ],
)
def test_nothing_in_it_can_do_harm(text: str) -> None:
    html = to_html(text)
    for tag in ("<script", "<img", "<style", "<svg", 'href="javascript', 'href="data', "' on"):
        assert tag not in html
    assert "<" not in first_line(text)


def test_the_first_line_is_text_and_stays_escaped() -> None:
    assert first_line("**A** &  `b < c`\nand more\n\nNext") == "A &amp; b &lt; c and more"


def test_only_more_than_a_paragraph_is_long() -> None:
    assert not is_long("One line.")
    assert is_long("One.\n\nTwo.")
