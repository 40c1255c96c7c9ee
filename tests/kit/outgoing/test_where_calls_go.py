"""Where calls go: to what was checked and nowhere else, on real sockets."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

import evalhub
from evalhub.kit.outgoing import Outgoing, OutgoingError
from tests.kit.outgoing.calling import LOOPBACK, fetch, ok, run
from tests.servers.raw import Call, RawServer


def test_an_address_that_is_not_listed_is_never_connected_to() -> None:
    async def use(outgoing: Outgoing, server: RawServer) -> None:
        for url in (server.url, f"http://localhost:{server.port}", f"http://[::1]:{server.port}",
                    f"http://[::ffff:127.0.0.1]:{server.port}"):  # fmt: skip
            with pytest.raises(OutgoingError) as caught:
                await outgoing.request("GET", url, headers={})
            assert caught.value.type == "refused_address"
            assert "EVALHUB_ALLOWED_ADDRESSES" in caught.value.message
            assert not caught.value.transient
        await asyncio.sleep(0.05)
        assert server.open == 0

    run(ok, use, allowed=[])


def lookups(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let names resolve to these addresses, one list after the other; the names asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if isinstance(host, bytes) or not str(host).endswith(".example"):
            return real(host, port, *args, **options)
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
            for address in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_is_resolved_once_so_that_a_second_answer_gains_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = lookups(monkeypatch, ["127.0.0.1"], ["169.254.169.254"])

    async def use(outgoing: Outgoing, server: RawServer) -> None:
        for _ in range(2):
            answer = await outgoing.request(
                "GET", f"http://rebinding.example:{server.port}", headers={}
            )
            assert answer.status == 200
        assert server.calls[0].headers["host"] == f"rebinding.example:{server.port}"

    run(ok, use)
    assert asked == ["rebinding.example"]


@pytest.mark.parametrize(
    "found", [["10.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["127.0.0.1", "169.254.169.254"]]
)
def test_every_address_of_a_name_is_checked(
    monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    lookups(monkeypatch, found)

    async def use(outgoing: Outgoing, server: RawServer) -> None:
        with pytest.raises(OutgoingError, match=r"inside\.example") as caught:
            await outgoing.request("GET", f"http://inside.example:{server.port}", headers={})
        assert caught.value.type == "refused_address"
        assert server.open == 0

    run(ok, use)


def test_a_listed_name_may_lead_to_a_private_address(monkeypatch: pytest.MonkeyPatch) -> None:
    lookups(monkeypatch, ["127.0.0.1"])

    async def use(outgoing: Outgoing, server: RawServer) -> None:
        answer = await outgoing.request("GET", f"http://models.example:{server.port}", headers={})
        assert answer.status == 200

    run(ok, use, allowed=["models.example"])


def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert fetch(ok).status == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("http://169.254.169.254/latest?token=s", "http://169.254.169.254/latest"),
        ("/elsewhere", "/elsewhere"),
        ("http://user:pass@10.0.0.1/", "http://10.0.0.1/"),
        ("javascript:alert(1)", "cannot be read"),
    ],
)
def test_a_redirect_is_told_and_not_followed(status: int, location: str, named: str) -> None:
    async def answerer(call: Call) -> None:
        await call.answer(status=f"{status} Moved", location=location)

    async def use(outgoing: Outgoing, server: RawServer) -> OutgoingError:
        with pytest.raises(OutgoingError) as caught:
            await outgoing.request("POST", server.url, headers={"Authorization": "Bearer k"})
        assert len(server.calls) == 1
        return caught.value

    error = run(answerer, use)
    assert (error.type, error.transient) == ("redirect", False)
    assert named in error.message
    assert "token" not in error.message
    assert "pass" not in error.message


def test_a_name_that_does_not_exist_is_told() -> None:
    async def use(outgoing: Outgoing, server: RawServer) -> None:
        with pytest.raises(OutgoingError, match=r"no-such-host\.invalid") as caught:
            await outgoing.request("GET", "http://no-such-host.invalid/", headers={})
        assert caught.value.type == "dns"

    run(ok, use)


def test_nothing_listening_is_told_and_worth_another_try() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        async def use(outgoing: Outgoing, server: RawServer) -> None:
            with pytest.raises(OutgoingError, match=f"127.0.0.1:{port}: nothing listens") as caught:
                await outgoing.request("GET", f"http://127.0.0.1:{port}/a?key=s", headers={})
            assert (caught.value.type, caught.value.transient) == ("connect", True)
            assert "key=s" not in caught.value.message

        run(ok, use)


def test_plain_http_where_tls_is_expected_is_told() -> None:
    async def use(outgoing: Outgoing, server: RawServer) -> None:
        with pytest.raises(OutgoingError, match="No secure connection") as caught:
            await outgoing.request("GET", server.url.replace("http", "https"), headers={})
        assert caught.value.type == "tls"

    async def no_tls(call: Call) -> None:
        raise AssertionError("this is no request")

    async def main() -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        listening = await asyncio.start_server(talk, "127.0.0.1", 0)
        with override_settings(ALLOWED_ADDRESSES=LOOPBACK):
            outgoing = Outgoing()
        await use(outgoing, RawServer(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"))
        await outgoing.close()
        listening.close()

    asyncio.run(main())


def test_there_is_no_second_way_out() -> None:
    ways = re.compile(
        r"^\s*(?:import|from) (aiohttp|httptools|httpx|requests|urllib3|urllib\.request|http\.client)\b",
        re.M,
    )
    root = Path(evalhub.__file__).parent.parent
    found = {
        str(file.relative_to(root))
        for app in ("evalhub", "datasets_app", "runs_app")
        for file in (root / app).rglob("*.py")
        if ways.search(file.read_text())
    }
    assert found == {
        "evalhub/kit/outgoing/line.py",
        "evalhub/supervisor.py",  # asks its own web whether it is up
    }
