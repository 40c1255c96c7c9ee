"""The waterfall of a result: where bars stand, and what a hostile trace may hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.template.loader import render_to_string

from runs_app.views.traces import trace_link, trace_view


def spans(*given: dict[str, Any]) -> str:
    return json.dumps(list(given))


TRY = {"name": "Try 1", "kind": "try", "start_ms": 0, "ms": 200, "depth": 0}
CALL = {"name": "chat", "kind": "model", "start_ms": 50, "ms": 100, "depth": 1, "data": {"n": 1}}


def test_bars_stand_at_their_shares_of_the_whole() -> None:
    view = trace_view(spans(TRY, CALL), "abc", "")
    assert view is not None
    assert [(line.start, line.length) for line in view.lines] == [(0, 1), (0.25, 0.5)]
    assert [line.duration for line in view.lines] == ["200 ms", "100 ms"]
    assert view.axis == ("0", "50 ms", "100 ms", "150 ms", "200 ms")
    assert [words for _, words in view.legend] == ["Try", "Model or HTTP call"]
    assert (view.count, view.total, view.id, view.url) == (2, "200 ms", "abc", "")


def test_a_try_stands_over_what_it_called_although_it_ended_later() -> None:
    scorer = {"name": "exact", "kind": "scorer", "start_ms": 201, "ms": 1, "depth": 0}
    first = CALL | {"start_ms": 0, "name": "at once"}
    view = trace_view(spans(CALL, first, TRY, scorer), "", "")
    assert view is not None
    assert [line.name for line in view.lines] == ["Try 1", "at once", "chat", "exact"]


def test_a_result_without_spans_and_id_has_no_trace() -> None:
    assert trace_view(None, "", "https://x/{trace_id}") is None
    view = trace_view(None, "abc", "")
    assert view is not None
    assert view.lines == ()


def test_a_link_holds_the_id_as_one_part_of_its_path() -> None:
    assert trace_link("https://t.test/{trace_id}?x=1", "a/b?c#d é") == (
        "https://t.test/a%2Fb%3Fc%23d%20%C3%A9?x=1"
    )
    assert trace_link("", "abc") == ""
    assert trace_link("https://t.test/{trace_id}", "") == ""


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "{}",
        "[1, null, []]",
        '[{"name": {"a": 1}, "kind": ["x"], "start_ms": "1", "ms": null, "depth": "deep"}]',
        '[{"start_ms": -5, "ms": -1, "depth": 99}]',
        '[{"ms": true}]',
    ],
)
def test_spans_of_any_form_are_shown_or_left_out(text: str) -> None:
    view = trace_view(text, "id", "")
    assert view is not None
    for line in view.lines:
        assert 0 <= line.start <= 1
        assert 0 <= line.length <= 1
        assert 0 <= line.depth <= 2
    render_to_string("runs/_trace.html", {"trace": view})


def test_what_a_span_says_is_text_and_its_error_is_marked() -> None:
    bad = TRY | {"name": "<script>x</script>", "error": "HTTP 500 <b>", "data": {"a": "<i>"}}
    html = render_to_string("runs/_trace.html", {"trace": trace_view(spans(bad, CALL), "", "")})
    assert "<script>x" not in html
    assert "HTTP 500 &lt;b&gt;" in html
    assert "&lt;i&gt;" in html
    assert html.count("<details") == 2
    assert 'class="text-bad"' in html
