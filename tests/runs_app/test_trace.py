"""Spans, and how they are kept small."""

from __future__ import annotations

import json

from runs_app.targets.trace import MAX_BYTES, MAX_SPANS, Trace, spans_json


def test_tokens_and_cost_add_up_over_calls_and_stay_unknown_without_any() -> None:
    trace = Trace()
    assert (trace.input_tokens, trace.cost_usd) == (None, None)
    trace.use(10, 2, 0.5)
    trace.use(5, None, 0.25)
    assert (trace.input_tokens, trace.output_tokens, trace.cost_usd) == (15, 2, 0.75)


def test_the_traceparent_is_one_of_w3c_with_a_new_parent_each_time() -> None:
    trace = Trace()
    version, trace_id, parent, flags = trace.traceparent().split("-")
    assert (version, trace_id, flags, len(parent)) == ("00", trace.trace_id, "01", 16)
    assert trace.traceparent() != trace.traceparent()


def test_the_traceparent_keeps_our_id_when_the_target_has_told_its_own() -> None:
    trace = Trace()
    trace.trace_id = "theirs"
    assert trace.traceparent().split("-")[1] == trace.own_id


def test_no_span_is_nothing_at_all() -> None:
    assert spans_json([]) is None


def test_spans_come_back_as_they_were() -> None:
    trace = Trace()
    trace.add("model call", "model", 1.5, ms=20, data={"model": "m", "tokens": 3})
    trace.add("try 1", "try", 0, ms=25, depth=0, error="timeout")
    assert json.loads(spans_json(trace.spans) or "") == [
        {
            "name": "model call",
            "kind": "model",
            "start_ms": 1.5,
            "ms": 20,
            "depth": 1,
            "data": {"model": "m", "tokens": 3},
        },
        {"name": "try 1", "kind": "try", "start_ms": 0, "ms": 25, "depth": 0, "error": "timeout"},
    ]


def test_large_details_go_before_any_span_does() -> None:
    trace = Trace()
    trace.add("huge", "tool", 0, data={"text": "x" * MAX_BYTES})
    trace.add("small", "tool", 0, data={"text": "y"})
    kept = json.loads(spans_json(trace.spans) or "")
    assert [(span["name"], "data" in span) for span in kept] == [("huge", False), ("small", True)]


def test_too_many_spans_leave_a_note_in_the_middle_and_keep_both_ends() -> None:
    trace = Trace()
    for n in range(5000):
        trace.add(f"tool {n}", "tool", n, ms=1)
    text = spans_json(trace.spans) or ""
    kept = json.loads(text)
    assert len(text.encode()) <= MAX_BYTES
    assert len(kept) <= MAX_SPANS
    assert kept[0]["name"] == "tool 0"
    assert kept[-1]["name"] == "tool 4999"
    notes = [span["name"] for span in kept if "left out" in span["name"]]
    assert notes == [f"{5000 - len(kept) + 1} more spans, left out"]


def test_texts_that_no_database_takes_are_made_harmless() -> None:
    trace = Trace()
    trace.add("half a pair \ud800", "tool", 0, data={"set": {1}, "big": 10**400, "n": float("nan")})
    text = spans_json(trace.spans) or ""
    text.encode()
    assert json.loads(text)[0]["data"]["set"] == "{1}"
