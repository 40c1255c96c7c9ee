"""What is sent and what comes back, on real sockets."""

from __future__ import annotations

import os

import pytest

from evalhub.kit.outgoing import Outgoing, OutgoingError
from tests.kit.outgoing.calling import fetch, ok, run
from tests.servers.raw import Call, RawServer, head


def test_request_and_answer_go_through_whole() -> None:
    async def use(outgoing: Outgoing, server: RawServer) -> None:
        headers = {"Authorization": "Bearer k", "Content-Type": "application/json"}
        url = server.url + "/v1/x%20y?q=1#top"
        answer = await outgoing.request("POST", url, headers=headers, body=b'{"b": 2}')
        assert (answer.status, answer.body) == (200, b'{"a": 1}')
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["content-length"] == "8"
        call = server.calls[0]
        assert (call.method, call.path, call.body) == ("POST", "/v1/x%20y?q=1", b'{"b": 2}')
        assert call.headers["authorization"] == "Bearer k"
        assert call.headers["content-type"] == "application/json"
        assert call.headers["user-agent"] == "evalhub"
        assert "cookie" not in call.headers

    run(ok, use)


def test_calls_share_connections_and_keep_no_cookies() -> None:
    async def answerer(call: Call) -> None:
        await call.answer(b"x", set_cookie="a=1; Path=/")

    async def use(outgoing: Outgoing, server: RawServer) -> None:
        for _ in range(3):
            await outgoing.request("GET", server.url, headers={})
        assert server.open == 1
        assert all("cookie" not in call.headers for call in server.calls)

    run(answerer, use)


@pytest.mark.parametrize(
    "status", ["204 No Content", "401 Unauthorized", "500 Oh No", "304 Not Modified"]
)
def test_a_status_is_an_answer_and_no_error(status: str) -> None:
    async def answerer(call: Call) -> None:
        await call.send(head(status, content_length="0", retry_after="3"))

    answer = fetch(answerer)
    assert (answer.status, answer.body) == (int(status[:3]), b"")
    assert answer.headers["retry-after"] == "3"


def test_html_is_an_answer_whatever_it_says() -> None:
    async def answerer(call: Call) -> None:
        await call.answer(b"<html>sign in</html>", content_type="text/html")

    assert fetch(answerer).body == b"<html>sign in</html>"


def test_a_large_body_is_sent_whole() -> None:
    body = os.urandom(3_000_000)

    async def use(outgoing: Outgoing, server: RawServer) -> None:
        await outgoing.request("POST", server.url, headers={}, body=body)
        assert server.calls[0].body == body
        assert server.calls[0].headers["content-length"] == "3000000"

    run(ok, use)


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection"])
def test_headers_that_frame_the_request_cannot_be_set(name: str) -> None:
    async def use(outgoing: Outgoing, server: RawServer) -> None:
        with pytest.raises(OutgoingError, match=name) as caught:
            await outgoing.request("POST", server.url, headers={name: "1"}, body=b"{}")
        assert caught.value.type == "bad_request"
        assert not server.calls

    run(ok, use)


@pytest.mark.parametrize("headers", [{"X": "a\r\nEvil: 1"}, {"X\r\nEvil": "1"}, {"X": "\0"}])
def test_no_header_smuggles_in_another(headers: dict[str, str]) -> None:
    async def use(outgoing: Outgoing, server: RawServer) -> None:
        with pytest.raises(OutgoingError) as caught:
            await outgoing.request("GET", server.url, headers=headers)
        assert caught.value.type == "bad_request"
        assert not server.calls

    run(ok, use)


def whole(body: bytes) -> bytes:
    """An answer as it goes over the line."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def test_an_answer_that_comes_in_two_goes_to_nobody_else() -> None:
    """A server that sends more than was asked for must not answer the next request with it."""

    async def answerer(call: Call) -> None:
        body = b"mine" if call.path == "/one" else b"real"
        extra = whole(b"forged") if call.path == "/one" else b""
        await call.send(whole(body) + extra)

    async def use(outgoing: Outgoing, server: RawServer) -> list[bytes]:
        first = await outgoing.request("GET", server.url + "/one", headers={})
        second = await outgoing.request("GET", server.url + "/two", headers={})
        return [first.body, second.body]

    assert run(answerer, use) == [b"mine", b"real"]


def test_the_head_of_an_answer_is_enough_for_head() -> None:
    async def answerer(call: Call) -> None:
        await call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")

    async def use(outgoing: Outgoing, server: RawServer) -> tuple[int, bytes]:
        answer = await outgoing.request("HEAD", server.url, headers={})
        return answer.status, answer.body

    assert run(answerer, use) == (200, b"")


def test_continue_is_passed_over() -> None:
    async def answerer(call: Call) -> None:
        await call.send(b"HTTP/1.1 100 Continue\r\n\r\n" + whole(b"after"))

    async def use(outgoing: Outgoing, server: RawServer) -> bytes:
        return (await outgoing.request("POST", server.url, headers={}, body=b"x")).body

    assert run(answerer, use) == b"after"


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\x00b"])
def test_a_header_cannot_carry_another(value: str) -> None:
    async def answerer(call: Call) -> None:
        await call.send(whole(b""))

    async def use(outgoing: Outgoing, server: RawServer) -> str:
        with pytest.raises(OutgoingError) as told:
            await outgoing.request("GET", server.url, headers={"X-Mine": value})
        return told.value.type

    assert run(answerer, use) == "bad_request"
