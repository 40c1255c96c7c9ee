"""Everything that a server can do wrong ends as a typed error that says what to do."""

from __future__ import annotations

import json
import resource
import time

import pytest

from runs_app.targets.replies import reset_s, retry_after_s
from runs_app.targets.trace import Trace
from tests.runs_app.targets.calls import KEY, call, chat, failure, http
from tests.servers.mischief import error, raw
from tests.servers.provider import Provider


@pytest.mark.parametrize(
    ("what", "type", "transient", "message"),
    [
        ("400", "bad_request", False, "Unknown parameter: 'temprature'. Check the parameters"),
        ("401", "unauthorized", False, "refused the key (status 401): Incorrect API key provided. Check the key"),
        ("404", "not_found", False, "The model `nope` does not exist. Check the address and the model"),
        ("408", "server_timeout", True, "status 408"),
        ("500", "server_error", True, "The server had an error."),
        ("html", "not_json", False, "a web page (“Bad gateway”) instead of JSON. Check the address"),
        ("wrong_type", "not_json", False, "Content-Type application/octet-stream, not with JSON"),
        ("truncated", "bad_json", True, "no complete JSON"),
        ("binary", "bad_json", True, "no complete JSON"),
        ("reset", "connection_lost", True, "was lost before"),
        ("reset_halfway", "connection_lost", True, "was lost before"),
        ("redirect_loop", "redirect", False, "redirects are not followed"),
        ("huge", "too_large", False, "larger than 8 MB"),
        ("huge_chunked", "too_large", False, "larger than 8 MB"),
        ("gzip_bomb", "too_large", False, "larger than 8 MB"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("transport", ["chat", "http"])
def test_each_fault_is_a_typed_error_in_words(
    transport: str, what: str, type: str, transient: bool, message: str
) -> None:
    began = time.monotonic()
    trace = Trace(capture=True)
    with Provider(always=what) as provider:
        target = chat(provider.url) if transport == "chat" else http("/run", base_url=provider.url)
        found = failure(target, trace=trace)
    assert (found.type, found.transient, found.throttled) == (type, transient, False)
    assert message in found.message
    assert trace.spans[-1]["error"] == found.message
    assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    ("what", "type", "message"),
    [
        ("error_200", "provider_error", "an error in place of a reply: No capacity."),
        ("no_choices", "empty_reply", "no reply (choices[0].message); it has: choices."),
        ("null_content", "empty_reply", "The reply has no content (finish_reason stop)."),
        ("filtered", "content_filter", "content filter held the reply back"),
    ],
)
def test_an_answer_without_a_reply_is_an_error(what: str, type: str, message: str) -> None:
    with Provider(always=what) as provider:
        found = failure(chat(provider.url))
    assert found.type == type
    assert message in found.message


@pytest.mark.parametrize("body", [b"[]", b"null", b"3", b'"text"', b"{}", b'{"choices": {}}',
    b'{"choices": [null]}', b'{"choices": [{"message": 1}]}', b'{"error": null}',
    b'{"choices": [{"message": {"content": {}}}]}', b'{"usage": [], "choices": [{}]}'])  # fmt: skip
def test_json_of_any_other_shape_is_an_error(body: bytes) -> None:
    with Provider(always=raw(body)) as provider:
        assert failure(chat(provider.url)).type in ("empty_reply", "provider_error")


@pytest.mark.parametrize("what", ["stall", "drip"])
def test_an_answer_that_never_ends_is_left_to_the_clock_and_leaves_no_connection(what: str) -> None:
    with Provider(always=what) as provider, pytest.raises(TimeoutError):
        call(chat(provider.url), timeout_s=0.2)


@pytest.mark.parametrize("status", [429, 503, 529])
def test_too_many_calls_cost_seats_and_say_how_long_to_wait(status: int) -> None:
    with Provider(always=error(status, "Slow down", Retry_After="7")) as provider:
        found = failure(chat(provider.url))
    assert found.type == ("rate_limited" if status == 429 else "overloaded")
    assert (found.throttled, found.transient, found.retry_after_s) == (True, True, 7.0)
    assert "Slow down." in found.message


def test_an_account_that_is_used_up_is_not_tried_again() -> None:
    body = b'{"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}'
    with Provider(always=raw(body, status=429)) as provider:
        found = failure(chat(provider.url))
    assert (found.type, found.transient) == ("quota_exceeded", False)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": "plain text"}', "plain text"),
        (b'{"detail": [{"msg": "field required", "loc": ["body"]}]}', "field required"),
        (b'[{"error": {"message": "from a list"}}]', "from a list"),
        (b'{"message": "at the top"}', "at the top"),
        (b"not JSON\r\n\x00 at all", "not JSON at all"),
        (b"<html><title>Oops</title></html>", "Oops"),
        (b"\xff\xfe", "\ufffd"),
        (b"", "(status 400)."),
        (b'{"error": {"message": "' + b"x" * 5_000 + b'"}}', "x" * 500 + "…"),
    ],
)
def test_what_the_server_says_is_in_the_message(body: bytes, said: str) -> None:
    with Provider(always=raw(body, status=400)) as provider:
        found = failure(chat(provider.url))
    assert said in found.message
    assert len(found.message) < 700


@pytest.mark.parametrize("padding", ["", "x" * 480, "x" * 495])
@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
@pytest.mark.parametrize("form", ["json", "text", "html"])
def test_a_key_that_a_server_repeats_is_in_no_message_and_no_span(
    padding: str, status: int, form: str
) -> None:
    said = f"{padding} your key {KEY} is bad"
    body, content_type = {
        "json": (json.dumps({"error": {"message": said}}), "application/json"),
        "text": (said, "text/plain"),
        "html": (f"<html><title>{said}</title>", "text/html"),
    }[form]
    for capture in (False, True):
        trace = Trace(capture=capture)
        with Provider(always=raw(body.encode(), content_type, status)) as provider:
            found = failure(chat(provider.url), trace=trace)
        told = found.message + json.dumps(trace.spans)
        assert KEY[:14] not in told


def test_a_gigabyte_leaves_memory_flat() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Provider(always="huge_chunked") as provider:
        for _ in range(3):
            failure(chat(provider.url))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100_000  # kilobytes


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 60.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:26:00 GMT"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-3"}, None),
        ({}, None),
    ],
)
def test_waiting_times_are_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, now=1_445_412_420) == seconds


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("1s", 1.0), ("6m0s", 360.0), ("120ms", 0.12), ("1h2m3.5s", 3723.5), ("8", 8.0), ("?", None)],
)
def test_reset_times_of_rate_limits_are_read(given: str, seconds: float | None) -> None:
    assert reset_s({"x-ratelimit-reset-requests": given}) == seconds
