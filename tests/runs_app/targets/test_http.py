"""HTTP targets against a server on loopback."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from evalhub.kit.errors import Invalid
from runs_app.connections import Reach
from runs_app.targets.http import HttpTarget, check_config
from runs_app.targets.trace import Trace
from tests.runs_app.targets.calls import KEY, call, failure, http, item
from tests.servers.mischief import raw
from tests.servers.provider import Provider


def answers(value: Any, **options: Any) -> Provider:
    return Provider(always=raw(json.dumps(value).encode(), **options))


def test_without_a_template_the_input_is_posted() -> None:
    with answers({"ok": True}) as provider:
        assert call(http(f"{provider.url}/run?v=1"), item({"a": [1]})) == {"ok": True}
        request = provider.requests[0]
    assert (request.method, request.path) == ("POST", "/run?v=1")
    assert json.loads(request.body) == {"input": {"a": [1]}}
    assert request.headers["content-type"] == "application/json"
    assert "authorization" not in request.headers


def test_body_headers_and_context_are_filled_from_the_item() -> None:
    with answers(1) as provider:
        target = http(
            "/run",
            base_url=f"{provider.url}/api/",
            method="PUT",
            headers={"X-Api-Key": "{{ key }}", "X-Item": "{{ item.number }}", "accept": "text/x"},
            body={"q": "{{ input }}", "m": "Topic: {{ metadata.topic }}", "c": "{{ context }}"},
            context_headers={"X-Tenant": "tenant.id", "X-None": "nobody"},
        )
        call(target, item("Why?", {"topic": "sums"}, {"tenant": {"id": 42}}))
        request = provider.requests[0]
    assert (request.method, request.path) == ("PUT", "/api/run")
    assert json.loads(request.body) == {
        "q": "Why?",
        "m": "Topic: sums",
        "c": {"tenant": {"id": 42}},
    }
    headers = request.headers
    assert (headers["x-api-key"], headers["x-item"], headers["x-tenant"]) == (KEY, "7", "42")
    assert headers["accept"] == "text/x"
    assert "x-none" not in headers
    assert "authorization" not in headers


def test_a_connection_whose_key_no_header_names_sends_it_as_a_bearer_token() -> None:
    with answers(1) as provider:
        call(http("", base_url=f"{provider.url}/run"))
        call(http("", base_url=provider.url, headers={"authorization": "Basic eDp5"}))
        first, second = provider.requests
    assert (first.path, first.headers["authorization"]) == ("/run", f"Bearer {KEY}")
    assert second.headers["authorization"] == "Basic eDp5"


def test_get_has_no_body() -> None:
    with answers("hello") as provider:
        assert call(http(provider.url, method="get")) == "hello"
        request = provider.requests[0]
    assert (request.method, request.body) == ("GET", b"")


def test_every_call_carries_a_traceparent_of_its_result() -> None:
    trace = Trace()
    with answers(1) as provider:
        target = http(provider.url)
        call(target, trace=trace)
        sent = provider.requests[0].headers["traceparent"]
    assert re.fullmatch(rf"00-{trace.trace_id}-[0-9a-f]{{16}}-01", sent)


def test_output_tokens_cost_trace_and_spans_are_read_out_of_the_answer() -> None:
    answer = {
        "data": [{"text": "4"}],
        "usage": {"in": 5, "out": 3, "usd": 0.25},
        "trace": "abc-123",
        "spans": [
            {"name": "think", "start_ms": 1, "ms": 2, "kind": "model"},
            {"name": "weird", "start_ms": 0, "ms": 1, "kind": "try", "data": {"a": 1}},
            {"no": "name"},
        ],
    }
    trace = Trace()
    with answers(answer) as provider:
        target = http(
            provider.url,
            output="data.0.text",
            usage={
                "input_tokens": "usage.in",
                "output_tokens": "usage.out",
                "cost_usd": "usage.usd",
            },
            trace_id="trace",
            spans="spans",
        )
        assert call(target, trace=trace) == "4"
    assert (trace.input_tokens, trace.output_tokens, trace.cost_usd) == (5, 3, 0.25)
    assert trace.trace_id == "abc-123"
    kinds = {span["name"]: (span["kind"], span["depth"]) for span in trace.spans}
    assert kinds["think"] == ("model", 2)
    assert kinds["weird"] == ("step", 2)
    assert kinds[f"POST {provider.url}"] == ("http", 1)


@pytest.mark.parametrize("value", ["many", -1, None, True, 1e400, [5], 10**30])
def test_usage_that_is_no_count_is_passed_over(value: Any) -> None:
    trace = Trace()
    body = json.dumps({"output": 1, "n": value}).replace("Infinity", '"Infinity"').encode()
    with Provider(always=raw(body)) as provider:
        target = http(provider.url, output="output", usage={"input_tokens": "n", "cost_usd": "n"})
        assert call(target, trace=trace) == 1
    assert trace.input_tokens is None


def test_an_answer_without_the_output_says_what_it_has() -> None:
    with answers({"result": {"answer": 4}}) as provider:
        found = failure(http(provider.url, output="result.text"))
    assert found.type == "no_output"
    assert "result.text" in found.message
    assert "It has answer" in found.message


def test_statuses_that_count_as_success_are_a_choice() -> None:
    with answers({"found": False}, status=404) as provider:
        assert call(http(provider.url, ok_statuses=["200-299", "404"])) == {"found": False}
        assert failure(http(provider.url)).type == "not_found"
    with answers({"error": "teapot"}, status=418) as provider:
        found = failure(http(provider.url))
    assert (found.type, found.transient) == ("bad_status", False)
    assert "teapot" in found.message


def test_plain_text_is_an_output_but_a_web_page_is_not() -> None:
    with Provider(always=raw("Grüße".encode("latin-1"), "text/plain; charset=latin-1")) as provider:
        assert call(http(provider.url)) == "Grüße"
        assert failure(http(provider.url, output="a")).type == "not_json"
    with Provider(always=raw(b"\xff", "text/plain")) as provider:
        assert failure(http(provider.url)).type == "invalid_output"
    with Provider(always="html") as provider:
        assert failure(http(provider.url)).type == "not_json"


@pytest.mark.parametrize(
    "body", [b"NaN", b"1e999", b'"\\u0000"', b'"\\ud800"', b"[" * 200 + b"]" * 200, b"{", b"\xff"]
)
def test_json_that_cannot_be_stored_is_an_error(body: bytes) -> None:
    with Provider(always=raw(body)) as provider:
        assert failure(http(provider.url)).type == "bad_json"


def test_an_empty_answer_is_an_error() -> None:
    with Provider(always=raw(b"", status=204)) as provider:
        assert failure(http(provider.url)).type == "empty_reply"


def test_numbers_come_back_exactly() -> None:
    with Provider(always=raw(b'{"n": 123456789012345678901234567890, "x": 1.0}')) as provider:
        assert call(http(provider.url)) == {"n": 123456789012345678901234567890, "x": 1.0}


def test_a_processor_is_sent_its_messages_and_may_block() -> None:
    messages = [{"role": "user", "content": "Hi"}]
    with answers({"blocked": True, "reason": "rude"}) as provider:
        target = http(provider.url, kind="processor")
        assert call(target, item(messages)) == {"blocked": True, "reason": "rude"}
        call(target, item({"messages": messages}))
        bodies = provider.bodies
    assert bodies == [{"messages": messages}] * 2


def test_a_workflow_that_is_suspended_is_an_error() -> None:
    with answers({"status": "suspended"}) as provider:
        assert failure(http(provider.url, kind="workflow")).type == "suspended"


def test_a_value_cannot_smuggle_a_header() -> None:
    with answers(1) as provider:
        for given in ("a\r\nX-Evil: 1", "a\nb", "a\x7fb"):
            target = http(provider.url, headers={"X-Input": "{{ input }}"})
            found = failure(target, item(given))
            assert found.type == "template"
            assert "The header X-Input would hold a line break" in found.message
            found = failure(
                http(provider.url, context_headers={"X-C": "c"}), item(context={"c": given})
            )
            assert found.type == "template"
        assert provider.count == 0


def test_a_header_too_long_is_an_error() -> None:
    target = http("http://127.0.0.1:1", headers={"X-Input": "{{ input }}"})
    assert "at most 8,000" in failure(target, item("x" * 9_000)).message


def test_an_echoed_key_is_stored_nowhere() -> None:
    trace = Trace(capture=True)
    with answers({"headers": {"authorization": f"Bearer {KEY}"}}) as provider:
        target = http("/echo", base_url=provider.url)
        assert call(target, trace=trace) == {"headers": {"authorization": "Bearer [key]"}}
    assert KEY not in json.dumps(trace.spans)


def test_a_target_that_is_not_there_is_an_error() -> None:
    with Provider() as provider:
        url = provider.url
    found = failure(http(url))
    assert (found.type, found.transient) == ("connect", True)
    assert "nothing listens there" in found.message


def test_a_stored_address_that_leads_elsewhere_never_gets_the_key() -> None:
    config = check_config({"url": "https://elsewhere.example/run"}) | {"connection": "provider"}
    with pytest.raises(Invalid, match="a path after the connection's"):
        HttpTarget(config, Reach(1, "Provider", "https://api.example.com", KEY), "agent")
