"""Registered functions: what they are given, and what becomes of what they give back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

import evalhub
from evalhub.kit.plugins import RegisteredTarget, call_kwargs
from runs_app.targets.base import ItemCall, TargetFailure
from runs_app.targets.python import PythonTarget
from runs_app.targets.trace import Trace

ITEM = ItemCall(7, "seven", '{"q": 1}', '{"topic": "sum"}', '{"tenant": "a"}', repetition=2)


def registered(func: Callable[..., Any], kind: Any = "agent") -> RegisteredTarget:
    return RegisteredTarget(
        id="under-test",
        name="Under test",
        kind=kind,
        description="",
        version="",
        func=func,
        is_async=asyncio.iscoroutinefunction(func),
        module=__name__,
        project=None,
        keywords=call_kwargs(func),
    )


def call(func: Callable[..., Any], kind: str = "agent", *, trace: Trace | None = None) -> Any:
    """The output of one call."""

    async def one() -> str:
        target = PythonTarget(registered(func, kind))
        try:
            return await target.call(ITEM, trace or Trace())
        finally:
            await target.close()

    return json.loads(asyncio.run(one()))


def test_a_function_gets_the_input_and_by_keyword_the_item_and_the_context() -> None:
    def target(input: Any, *, item: Any, context: Any) -> Any:
        return [input, dict(item), context]

    about = {
        "number": 7,
        "external_id": "seven",
        "metadata": {"topic": "sum"},
        "repetition": 2,
    }
    assert call(target) == [{"q": 1}, about, {"tenant": "a"}]


def test_an_item_without_context_gives_none() -> None:
    def target(input: Any, context: Any = "default") -> Any:
        return context

    item = ItemCall(1, None, '"x"', "{}", None)
    assert asyncio.run(PythonTarget(registered(target)).call(item, Trace())) == "null"


def test_the_item_cannot_be_changed() -> None:
    def target(input: Any, item: Any) -> Any:
        item["number"] = 8

    with pytest.raises(TypeError):
        call(target)


async def answers_in_full(input: Any) -> evalhub.Output:
    return evalhub.Output(
        {"answer": 4},
        trace_id="abc-1",
        spans=[
            {"name": "gpt", "kind": "model", "start_ms": 1, "ms": 20.5, "data": {"model": "gpt"}},
            {"name": "search", "kind": "tool", "start_ms": 3, "ms": 5, "depth": 1, "error": "404"},
        ],
        input_tokens=12,
        output_tokens=3,
        cost_usd=0.002,
    )


def test_an_output_brings_its_usage_trace_id_and_spans() -> None:
    trace = Trace()
    assert call(answers_in_full, trace=trace) == {"answer": 4}
    assert (trace.input_tokens, trace.output_tokens, trace.cost_usd) == (12, 3, 0.002)
    assert trace.trace_id == "abc-1"
    model, tool = trace.spans
    assert (model["name"], model["kind"], model["depth"], model["ms"]) == ("gpt", "model", 1, 20.5)
    assert model["data"] == {"model": "gpt"}
    assert (tool["depth"], tool["error"]) == (2, "404")
    assert tool["start_ms"] == pytest.approx(model["start_ms"] + 2)


def test_the_usage_of_two_tries_adds_up() -> None:
    trace = Trace()
    call(answers_in_full, trace=trace)
    call(answers_in_full, trace=trace)
    assert (trace.input_tokens, trace.cost_usd) == (24, 0.004)


@pytest.mark.parametrize(
    "spans", ["no list", [3], [{"ms": 3}], [{"name": "x", "ms": float("nan")}], [{"name": "x"}]]
)
def test_spans_that_cannot_be_read_are_named_and_hurt_nothing(spans: Any) -> None:
    trace = Trace()
    assert call(lambda input: evalhub.Output("fine", spans=spans), trace=trace) == "fine"
    (note,) = trace.spans
    assert "could not be read" in note["name"]
    assert note["error"]


def test_of_too_many_spans_and_details_the_first_are_kept() -> None:
    trace = Trace()
    spans = [{"name": "n" * 500, "ms": 1, "data": {"text": "x" * 9_000}}] * 300
    call(lambda input: evalhub.Output("fine", spans=spans), trace=trace)
    assert len(trace.spans) == 201
    assert trace.spans[-1]["name"] == "100 more spans, left out"
    assert len(trace.spans[0]["name"]) == 200
    assert "left_out" in trace.spans[0]["data"]


@pytest.mark.parametrize("usage", [-1, 1.5, True, "3", 10**30])
def test_a_count_of_tokens_that_is_none_is_passed_over(usage: Any) -> None:
    trace = Trace()
    assert call(lambda input: evalhub.Output("x", input_tokens=usage), trace=trace) == "x"
    assert trace.input_tokens is None


@pytest.mark.parametrize("id", ["", "x" * 65, "a\nb", 5, None])
def test_a_trace_id_that_is_none_leaves_ours(id: Any) -> None:
    trace = Trace()
    call(lambda input: evalhub.Output("x", trace_id=id), trace=trace)
    assert trace.trace_id == trace.own_id


def test_a_processor_that_raises_blocked_has_blocked() -> None:
    def guard(input: Any) -> Any:
        raise evalhub.Blocked("personal data")

    assert call(guard, "processor") == {"blocked": True, "reason": "personal data"}
    with pytest.raises(TargetFailure) as caught:
        call(guard, "agent")
    assert (caught.value.type, caught.value.message) == (
        "blocked",
        "The target blocked: personal data",
    )


def test_messages_of_a_processor_and_the_status_of_a_workflow_are_read_by_their_kind() -> None:
    messages = [{"role": "user", "content": "hello"}]
    assert call(lambda input: messages, "processor") == {"blocked": False, "messages": messages}
    assert call(lambda input: {"status": "success", "result": 3}, "workflow") == 3
    with pytest.raises(TargetFailure) as caught:
        call(lambda input: {"status": "suspended"}, "workflow")
    assert caught.value.type == "suspended"


def test_an_output_object_is_read_by_its_kind_too() -> None:
    assert call(lambda input: evalhub.Output({"score": 0.5}), "scorer") == 0.5


@pytest.mark.parametrize("value", [float("nan"), {1}, b"x", "\ud800", "a\x00b", object()])
def test_what_is_no_json_is_an_invalid_output(value: Any) -> None:
    with pytest.raises(TargetFailure) as caught:
        call(lambda input: value)
    assert caught.value.type == "invalid_output"
    assert "not JSON" in caught.value.message


def test_a_check_keeps_what_went_in_and_what_came_out() -> None:
    trace = Trace(capture=True)

    def target(input: Any, item: Any) -> Any:
        return {"status": "ok", "result": 1}

    assert call(target, "workflow", trace=trace) == 1
    (span,) = trace.spans
    assert span["data"]["request"]["item"]["number"] == 7
    assert span["data"]["response"] == {"status": "ok", "result": 1}
    json.dumps(span)
