"""Configurations of chat and HTTP targets: defaults, and every refusal with its pointer."""

from __future__ import annotations

from typing import Any

import pytest

from evalhub.kit.errors import Invalid
from runs_app.targets.chat import check_config as check_chat
from runs_app.targets.http import check_config as check_http
from runs_app.targets.http_config import statuses

CHAT = {"connection": "openai", "model": "gpt-4o-mini"}
HTTP = {"url": "https://example.com/run"}


def test_a_chat_configuration_is_completed() -> None:
    checked = check_chat(CHAT)
    assert checked == CHAT | {
        "system": "",
        "user": "{{ input }}",
        "parameters": {},
        "response": {"format": "text", "schema": None},
        "prices": None,
    }
    assert check_chat(checked) == checked


def test_an_http_configuration_is_completed() -> None:
    checked = check_http(HTTP)
    assert checked == HTTP | {
        "connection": None,
        "method": "POST",
        "headers": {},
        "body": None,
        "output": "",
        "usage": {},
        "trace_id": "",
        "spans": "",
        "ok_statuses": ["200-299"],
        "context_headers": {},
    }
    assert check_http(checked) == checked


@pytest.mark.parametrize(
    ("change", "pointer", "detail"),
    [
        ({"connection": ""}, "/connection", "Choose the connection"),
        ({"model": None}, "/model", "Name the model"),
        ({"model": "a\nb"}, "/model", "line break"),
        ({"model": "x" * 201}, "/model", "At most 200"),
        ({"model": 3}, "/model", "This must be a text."),
        ({"modle": "x"}, "/modle", "There are: connection, model"),
        ({"user": "{{ question }}"}, "/user", "names nothing"),
        ({"system": "{{ key }}"}, "/system", "names nothing"),
        ({"user": "x" * 200_001}, "/user", "at most 200,000"),
        ({"parameters": {"stream": True}}, "/parameters/stream", "set by the target itself"),
        ({"parameters": {"model": "y"}}, "/parameters/model", "set by the target itself"),
        ({"parameters": {"messages": []}}, "/parameters/messages", "set by the target itself"),
        ({"parameters": {"n": 3}}, "/parameters/n", "One reply"),
        ({"parameters": []}, "/parameters", "This must be an object."),
        ({"parameters": {"a": float("nan")}}, "/parameters", "NaN"),
        ({"parameters": {"a": "x" * 200_001}}, "/parameters", "At most 200,000"),
        ({"response": {"format": "xml"}}, "/response/format", "“text” or “json”"),
        ({"response": {"schema": {"type": "object"}}}, "/response/schema", "needs the response format"),
        ({"response": "json"}, "/response", "This must be an object."),
        ({"response": {"format": "json"}, "parameters": {"response_format": {}}}, "/parameters/response_format", "already"),
        ({"prices": {"input_per_million": 1}}, "/prices/output_per_million", "US dollars"),
        ({"prices": {"input_per_million": -1, "output_per_million": 1}}, "/prices/input_per_million", "US dollars"),
        ({"prices": {"input_per_million": float("nan"), "output_per_million": 1}}, "/prices/input_per_million", "US dollars"),
    ],
)  # fmt: skip
def test_a_chat_configuration_is_refused_with_a_pointer(
    change: dict[str, Any], pointer: str, detail: str
) -> None:
    with pytest.raises(Invalid) as caught:
        check_chat(CHAT | change)
    found = {error.pointer: error.detail for error in caught.value.errors}
    assert detail in found[f"/config{pointer}"]


@pytest.mark.parametrize(
    ("change", "pointer", "detail"),
    [
        ({"url": ""}, "/url", "Give the address"),
        ({"url": "/run"}, "/url", "http://"),
        ({"url": "ftp://example.com"}, "/url", "http://"),
        ({"url": "https://me:pw@example.com"}, "/url", "into a connection"),
        ({"url": "https://example.com/a b"}, "/url", "no spaces"),
        ({"url": "https://example.com\\@evil.example"}, "/url", "backslashes"),
        ({"url": "https://example.com/\r\nHost: x"}, "/url", "no spaces"),
        ({"connection": "c", "url": "https://evil.example"}, "/url", "only the path"),
        ({"connection": "c", "url": "@evil.example"}, "/url", "only the path"),
        ({"connection": "c", "url": ".evil.example"}, "/url", "only the path"),
        ({"method": "TRACE"}, "/method", "one of POST"),
        ({"headers": {"Host": "x"}}, "/headers/Host", "set by evalhub itself"),
        ({"headers": {"content-length": "1"}}, "/headers/content-length", "set by evalhub itself"),
        ({"headers": {"Transfer-Encoding": "x"}}, "/headers/Transfer-Encoding", "set by evalhub"),
        ({"headers": {"X-A": "a\r\nX-B: c"}}, "/headers/X-A", "line break"),
        ({"headers": {"X A": "a"}}, "/headers/X A", "letters, digits"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "/headers/x-a", "twice"),
        ({"headers": {"X-A": 1}}, "/headers/X-A", "This must be a text."),
        ({"headers": {"X-A": "{{ key }}"}}, "/headers/X-A", "Choose one"),
        ({"headers": {"X-A": "{{ nope }}"}}, "/headers/X-A", "names nothing"),
        ({"headers": {f"X-{n}": "" for n in range(51)}}, "/headers", "At most 50"),
        ({"method": "GET", "body": {}}, "/body", "without a body"),
        ({"body": {"a": ["{{ nope }}"]}}, "/body/a/0", "names nothing"),
        ({"body": {"a": "{{ key }}"}}, "/body/a", "names nothing"),
        ({"output": "a..b"}, "/output", "a part of it is empty"),
        ({"usage": {"tokens": "a"}}, "/usage/tokens", "There are: input_tokens"),
        ({"ok_statuses": ["2xx"]}, "/ok_statuses/0", "a range such as"),
        ({"ok_statuses": ["300-200"]}, "/ok_statuses/0", "a range such as"),
        ({"ok_statuses": [None]}, "/ok_statuses/0", "a range such as"),
        ({"ok_statuses": "200"}, "/ok_statuses", "a list"),
        ({"context_headers": {"X-T": ""}}, "/context_headers/X-T", "a path into the context"),
        ({"context_headers": {"X-T": "a..b"}}, "/context_headers/X-T", "a part of it is empty"),
        ({"context_headers": {"Host": "a"}}, "/context_headers/Host", "set by evalhub itself"),
        ({"secret": "x"}, "/secret", "is unknown"),
    ],
)  # fmt: skip
def test_an_http_configuration_is_refused_with_a_pointer(
    change: dict[str, Any], pointer: str, detail: str
) -> None:
    with pytest.raises(Invalid) as caught:
        check_http(HTTP | change)
    found = {error.pointer: error.detail for error in caught.value.errors}
    assert detail in found[f"/config{pointer}"]


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        check_http({"url": "", "method": "X", "headers": {"Host": ""}, "output": "."})
    assert len(caught.value.errors) == 4


def test_a_configuration_that_is_no_object_is_refused() -> None:
    for check in (check_chat, check_http):
        with pytest.raises(Invalid):
            check([])  # type: ignore[arg-type]


def test_statuses_are_numbers_and_ranges() -> None:
    assert statuses(["200-202", " 404 "]) == {200, 201, 202, 404}
    assert check_http(HTTP | {"ok_statuses": [200, "404"]})["ok_statuses"] == ["200", "404"]
