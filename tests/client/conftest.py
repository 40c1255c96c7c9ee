"""A server with recorded answers, a client for it, and the command line run against it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from evalhub_client import Client, waiting
from evalhub_client.cli import main

from tests.client import recorded
from tests.client.api_server import ApiServer, Reply

TOKEN = "eh_secret"


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as made:
        made.answer("GET", "/workers", Reply({"alive": 1, "workers": []}))
        yield made


@pytest.fixture
def client(server: ApiServer) -> Iterator[Client]:
    with Client(server.url, TOKEN) as made:
        yield made


@pytest.fixture
def short_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "FIRST_POLL_S", 0.001)
    monkeypatch.setattr(waiting, "LAST_POLL_S", 0.001)


@pytest.fixture
def evalhub(
    server: ApiServer,
    short_polls: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., Ran]]:
    """Runs `evalhub` with the server and its token in the environment."""
    monkeypatch.setenv("EVALHUB_SERVER", server.url)
    monkeypatch.setenv("EVALHUB_TOKEN", TOKEN)
    monkeypatch.delenv("EVALHUB_PROJECT", raising=False)
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> Ran:
        code = main(arguments)
        written = capsys.readouterr()
        return Ran(code, written.out, written.err)

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def sums(server: ApiServer) -> ApiServer:
    """The dataset sums is there."""
    server.answer("GET", "/datasets/sums", Reply(recorded.dataset()))
    return server


@pytest.fixture
def started(sums: ApiServer) -> ApiServer:
    """A run can be started."""
    sums.answer("POST", "/datasets/sums/runs", Reply(recorded.run("pending", done=0), 201))
    return sums
