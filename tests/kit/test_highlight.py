"""JSON for people: nothing of the value becomes markup, and large values stay cheap."""

import re
import time
from html import unescape

import pytest

from evalhub.kit import highlight

HOSTILE = '</pre></span><script>alert(1)</script><img src=x onerror="y">&amp;'


def visible(markup: str) -> str:
    return unescape(re.sub(r'</?(?:span(?: class="[ksd]")?|pre(?: class="code")?)>', "", markup))


@pytest.mark.parametrize("value", [HOSTILE, {HOSTILE: HOSTILE}, [HOSTILE, {"a": [HOSTILE]}]])
def test_no_value_becomes_markup(value: object) -> None:
    markup = highlight.code(value)
    tags = set(re.findall(r"<[^>]*>", markup))
    spans = {f'<span class="{kind}">' for kind in "ksd"}
    assert tags <= {'<pre class="code">', "</pre>", "</span>", *spans}


def test_what_is_shown_is_exactly_the_json() -> None:
    value = {"a": 'quote " and \\ slash', "b": [1, -2.5e3, True, None], "c": {"d": ""}}
    assert visible(highlight.code(value)) == highlight.as_text(value)


def test_keys_strings_and_other_values_are_told_apart() -> None:
    markup = highlight.highlight('{"a": "b", "n": 1}')
    assert '<span class="k">&quot;a&quot;</span>:' in markup
    assert '<span class="s">&quot;b&quot;</span>' in markup
    assert '<span class="d">1</span>' in markup


def test_a_string_is_shown_as_text_and_keeps_its_first_line_break() -> None:
    assert highlight.code("x: 1") == '<pre class="code">x: 1</pre>'
    assert highlight.code("\nx") == '<pre class="code">\n\nx</pre>'


def test_a_megabyte_is_cut_and_says_so() -> None:
    value = {"text": "x" * 1_000_000}
    markup = highlight.code(value)
    assert len(markup) < 25_000
    assert "First 20,000 of 1,000,0" in markup
    assert highlight.is_long(value)
    assert not highlight.is_long({"text": "x"})


@pytest.mark.parametrize("text", ['"' * 20_001, '"\\' * 10_000, "1." * 10_000, '{"a' * 7_000])
def test_odd_text_is_highlighted_in_linear_time(text: str) -> None:
    started = time.perf_counter()
    assert visible(highlight.highlight(text)) == text
    assert time.perf_counter() - started < 1


def test_a_preview_is_one_line_of_at_most_the_limit() -> None:
    assert highlight.one_line([1, {"b": ["x\ny"]}]) == '[1, {"b": ["x\\ny"]}]'
    assert highlight.one_line("  two\n lines ") == "two lines"
    long = highlight.one_line({"a": 1, "b": "x" * 500}, 30)
    assert len(long) == 30
    assert long.endswith("…")


@pytest.mark.parametrize(
    ("value", "preview"),
    [
        ({"question": "How much?"}, "How much?"),
        ({"answer": 70_000}, "70000"),
        (
            {"category": "billing", "urgent": True, "to": {"a": 1}},
            'billing · urgent: true · to: {"a": 1}',
        ),
        ({"subject": "", "body": " a\nb "}, "a b"),
        ({"a": None, "b": [1, "x"]}, 'a: null · b: [1, "x"]'),
        ({}, "{}"),
        (None, "null"),
    ],
)
def test_a_preview_of_an_object_is_what_it_holds(value: object, preview: str) -> None:
    assert highlight.one_line(value) == preview


def test_a_preview_of_a_huge_object_reads_little_of_it() -> None:
    started = time.perf_counter()
    text = highlight.one_line({str(n): {"a": ["x" * 1_000] * 1_000} for n in range(1_000)}, 40)
    assert time.perf_counter() - started < 0.1
    assert len(text) == 40
