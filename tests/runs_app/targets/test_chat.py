"""Chat targets against a server on loopback."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from evalhub.kit.errors import Invalid
from runs_app.targets.base import TargetFailure
from runs_app.targets.trace import Trace
from tests.runs_app.targets.calls import KEY, call, chat, failure, item
from tests.servers.mischief import reply
from tests.servers.provider import Provider

CALLS = [
    {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q": "x"}'}},
    {"id": "c2", "type": "function", "function": {"name": "stop", "arguments": "not JSON"}},
]
PRICES = {"input_per_million": 500_000, "output_per_million": 1_000_000}


def says(content: Any, **more: Any) -> Provider:
    return Provider(always=reply({"role": "assistant", "content": content} | more))


def test_system_and_user_messages_are_made_from_the_item() -> None:
    with Provider() as provider:
        target = chat(
            f"{provider.url}/v1/",
            system="You know {{ metadata.topic }}.",
            user="{{ context.who }} asks: {{ input.q }}",
            parameters={"temperature": 0, "max_tokens": 9},
        )
        given = item({"q": 'Why "so"?'}, {"topic": "sums"}, {"who": "Ann"})
        assert call(target, given) == 'Ann asks: Why "so"?'
        assert provider.bodies == [
            {
                "model": "m",
                "messages": [
                    {"role": "system", "content": "You know sums."},
                    {"role": "user", "content": 'Ann asks: Why "so"?'},
                ],
                "temperature": 0,
                "max_tokens": 9,
            }
        ]
        request = provider.requests[0]
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("given", "content"),
    [("Grüße\n", "Grüße\n"), ({"a": 1}, '{"a":1}'), ([1, 2], "[1,2]"), (5, "5"), (None, "null")],
)
def test_by_default_the_input_is_the_message(given: Any, content: str) -> None:
    with Provider() as provider:
        assert call(chat(provider.url), item(given)) == content
        assert provider.bodies[0]["messages"] == [{"role": "user", "content": content}]


@pytest.mark.parametrize("wrapped", [False, True])
def test_messages_of_the_input_are_passed_through(wrapped: bool) -> None:
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Bye", "name": "ann"},
    ]
    system = {"role": "system", "content": "Be brief."}
    with Provider() as provider:
        given = item({"messages": messages, "other": 1} if wrapped else messages)
        assert call(chat(provider.url, system="Be brief."), given) == "Bye"
        call(chat(provider.url, system="Be brief."), item([system, *messages]))
        call(chat(provider.url, system="Be long."), item([system, *messages]))
        sent = [body["messages"] for body in provider.bodies]
    assert sent == [[system, *messages]] * 3


def test_with_a_template_of_ones_own_messages_are_text() -> None:
    with Provider() as provider:
        given = item([{"role": "user", "content": "Hi"}])
        assert call(chat(provider.url, user="> {{ input }}"), given) == (
            '> [{"role":"user","content":"Hi"}]'
        )


def test_tokens_and_cost_are_noted_with_a_span() -> None:
    trace = Trace()
    with says("4") as provider:
        call(chat(provider.url, prices=PRICES), trace=trace)
    assert (trace.input_tokens, trace.output_tokens, trace.cost_usd) == (5, 3, 5.5)
    span = trace.spans[0]
    assert (span["name"], span["kind"], span["depth"]) == ("chat m", "model", 1)
    assert span["data"] == {
        "model": "m",
        "status": 200,
        "input_tokens": 5,
        "output_tokens": 3,
        "finish_reason": "stop",
    }


def test_without_a_price_there_is_no_cost() -> None:
    trace = Trace()
    with says("4") as provider:
        target = chat(provider.url)
        call(target, trace=trace)
    assert (trace.cost_usd, target.priced, target.estimate(item()).cost_usd) == (None, False, None)


def test_an_estimate_is_above_what_a_call_uses() -> None:
    target = chat(
        "http://127.0.0.1:1", prices=PRICES, parameters={"max_tokens": 10}, system="é" * 100
    )
    short, long = target.estimate(item()), target.estimate(item("語" * 1_000))
    assert short.tokens >= 50 + 10
    assert long.tokens - short.tokens == pytest.approx(1_500, abs=5)
    assert long.cost_usd == pytest.approx((long.tokens + 10) / 2)
    assert chat("http://127.0.0.1:1").estimate(item()).tokens > 4_096


def test_tool_calls_are_kept_with_a_span_each() -> None:
    trace = Trace()
    with says(None, tool_calls=CALLS) as provider:
        output = call(chat(provider.url), trace=trace)
    assert output == {
        "content": None,
        "tool_calls": [
            {"name": "find", "arguments": {"q": "x"}, "id": "c1"},
            {"name": "stop", "arguments": "not JSON", "id": "c2"},
        ],
    }
    assert [(span["kind"], span["name"], span["depth"]) for span in trace.spans] == [
        ("model", "chat m", 1),
        ("tool", "find", 2),
        ("tool", "stop", 2),
    ]


def test_a_json_response_is_asked_for_and_becomes_a_value() -> None:
    schema = {"type": "object"}
    with says('{"n": 12345678901234567890123, "x": 1.0}') as provider:
        plain = chat(provider.url, response={"format": "json"})
        strict = chat(provider.url, response={"format": "json", "schema": schema})
        assert call(plain) == call(strict) == {"n": 12345678901234567890123, "x": 1.0}
        asked = [body["response_format"] for body in provider.bodies]
    assert asked == [
        {"type": "json_object"},
        {
            "type": "json_schema",
            "json_schema": {"name": "output", "schema": schema, "strict": True},
        },
    ]


@pytest.mark.parametrize("content", ["Sure! {}", "NaN", '{"a": 1', '"\\ud800"', '"\\u0000"', ""])
def test_a_json_response_that_is_none_is_an_error(content: str) -> None:
    with says(content) as provider:
        error = failure(chat(provider.url, response={"format": "json"}))
    assert error.type == "invalid_output"
    assert "although JSON was asked for" in error.message


def test_text_that_no_database_takes_is_an_error() -> None:
    with says("a\x00b") as provider:
        assert failure(chat(provider.url)).type == "invalid_output"


def test_half_a_surrogate_pair_is_an_error() -> None:
    with Provider(always=reply({"content": "\ud800"})) as provider:
        assert failure(chat(provider.url)).type == "bad_json"


def test_a_reply_that_was_cut_off_is_an_output() -> None:
    trace = Trace()
    cut = reply({"role": "assistant", "content": "The answ"}, "length")
    with Provider(always=cut) as provider:
        assert call(chat(provider.url), trace=trace) == "The answ"
    assert trace.spans[0]["data"]["finish_reason"] == "length"


def test_text_in_parts_is_joined() -> None:
    with says([{"type": "text", "text": "a"}, {"type": "image"}, {"text": "b"}]) as provider:
        assert call(chat(provider.url)) == "ab"


def test_the_kind_decides_what_a_reply_means() -> None:
    with says('{"status": "failed", "error": "no tool"}') as provider:
        target = chat(provider.url, kind="workflow", response={"format": "json"})
        assert failure(target).type == "failed"
    with says("0.5") as provider:
        assert call(chat(provider.url, kind="scorer", response={"format": "json"})) == 0.5
        assert failure(chat(provider.url, kind="scorer")).type == "invalid_output"


def test_a_failed_call_keeps_its_tokens_and_its_span() -> None:
    trace = Trace()
    with Provider(script=["filtered"]) as provider:
        error = failure(chat(provider.url), trace=trace)
    assert error.type == "content_filter"
    assert trace.input_tokens == 5
    assert trace.spans[0]["error"] == error.message


def test_a_call_that_is_given_up_leaves_a_span() -> None:
    trace = Trace()
    with Provider(always="stall") as provider, pytest.raises(TimeoutError):
        call(chat(provider.url), trace=trace, timeout_s=0.1)
    assert trace.spans[0]["error"] == "No answer yet when the call was given up."


def test_request_and_response_are_kept_when_asked_for_without_the_key() -> None:
    trace = Trace(capture=True)
    with says(f"You sent {KEY}.") as provider:
        assert call(chat(provider.url), trace=trace) == "You sent [key]."
    data = trace.spans[0]["data"]
    assert data["request"]["headers"]["Authorization"] == "Bearer [key]"
    assert json.loads(data["request"]["body"])["messages"][0]["content"] == "1 + 1"
    assert "You sent [key]." in data["response"]
    assert KEY not in json.dumps(trace.spans)


def test_without_a_key_none_is_sent() -> None:
    with Provider() as provider:
        call(chat(provider.url, key=None))
        assert "authorization" not in provider.requests[0].headers


def test_a_key_with_a_line_break_is_refused_before_any_call() -> None:
    with pytest.raises(Invalid, match="cannot be sent"):
        chat("http://127.0.0.1:1", key="sk-1\r\nX-Evil: 1")


def test_many_calls_share_connections_and_get_their_own_answers() -> None:
    async def all_at_once(target: Any) -> list[str]:
        calls = [target.call(item(f"q{n}"), Trace()) for n in range(200)]
        outputs = await asyncio.gather(*calls)
        await target.close()
        return list(outputs)

    with Provider(latency_s=0.05) as provider:
        outputs = asyncio.run(all_at_once(chat(provider.url)))
        assert [json.loads(output) for output in outputs] == [f"q{n}" for n in range(200)]
        assert provider.most_in_flight > 50


def test_a_template_that_names_a_missing_field_calls_nobody() -> None:
    with Provider() as provider:
        with pytest.raises(TargetFailure, match="the input has no “question”"):
            call(chat(provider.url, user="{{ input.question }}"), item({"a": 1}))
        assert provider.count == 0
