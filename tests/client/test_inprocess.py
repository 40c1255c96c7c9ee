"""The transport into a WSGI application of this process, and the worker for local work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from evalhub_client import inprocess
from evalhub_client.client import Client
from evalhub_client.inprocess import LocalError, WsgiTransport, local_worker

Environ = dict[str, Any]


class Echo:
    """Answers with what it was asked, as JSON."""

    def __init__(self) -> None:
        self.closed = False
        self.environ: Environ = {}
        self.pieces: list[int] = []

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.environ = environ
        while piece := environ["wsgi.input"].read(1000):
            self.pieces.append(len(piece))
        return self._answer(start_response)

    def _answer(self, start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        try:
            yield b'{"it": '
            yield b'"is"}'
        finally:
            self.closed = True


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def client(echo: Echo) -> Iterator[Client]:
    with Client("http://evalhub.local", transport=WsgiTransport(echo), project="support") as made:
        yield made


def test_a_request_reaches_the_application_and_its_answer_comes_back(
    client: Client, echo: Echo
) -> None:
    assert client.get_dataset("größe") == {"it": "is"}
    assert echo.environ["REQUEST_METHOD"] == "GET"
    path = echo.environ["PATH_INFO"].encode("latin-1").decode()
    assert path == "/api/v1/datasets/größe"
    assert echo.environ["HTTP_X_EVALHUB_PROJECT"] == "support"
    assert echo.closed


def test_a_body_arrives_whole_with_its_type_and_length(client: Client, echo: Echo) -> None:
    client.add_item("sums", {"input": "x" * 5000})
    assert echo.environ["CONTENT_TYPE"] == "application/json"
    assert sum(echo.pieces) == int(echo.environ["CONTENT_LENGTH"]) > 5000


def test_a_file_is_read_only_as_far_as_the_application_asks(tmp_path: Path) -> None:
    """The application takes ten bytes; a transport must not read the whole file for that."""
    file = tmp_path / "large.jsonl"
    with file.open("wb") as made:
        made.truncate(64 << 20)
    read = 0

    class Counting(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            nonlocal read
            with file.open("rb") as opened:
                while chunk := opened.read(1 << 16):
                    read += len(chunk)
                    yield chunk

    def application(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        environ["wsgi.input"].read(10)
        start_response("413 Content Too Large", [])
        return []

    request = httpx.Request("POST", "http://evalhub.local/", stream=Counting())
    assert WsgiTransport(application).handle_request(request).status_code == 413
    assert read < 1 << 20


def test_no_header_becomes_a_key_that_is_not_a_header(echo: Echo) -> None:
    headers = {"evalhub.local_user": "x", "evalhub-local-user": "x"}
    request = httpx.Request("GET", "http://evalhub.local/", headers=headers)
    WsgiTransport(echo).handle_request(request)
    given = [key for key in echo.environ if "evalhub" in key.lower()]
    assert given
    assert all(key.startswith("HTTP_") for key in given)


class Child:
    """A worker process that can be told to end."""

    def __init__(self) -> None:
        self.ended = False
        self.killed = False

    def poll(self) -> int | None:
        return 1 if self.ended else None

    def kill(self) -> None:
        self.killed = True

    def wait(self) -> int:
        return 0


class Local(ModuleType):
    """Stands for `evalhub.local`."""

    def __init__(self) -> None:
        super().__init__("evalhub.local")
        self.needed = True
        self.started: list[Child] = []
        self.stopped: list[Child] = []

    def worker_needed(self) -> bool:
        return self.needed

    def start_worker(self) -> Child:
        self.started.append(Child())
        return self.started[-1]

    def stop_worker(self, child: Child) -> None:
        self.stopped.append(child)


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> Local:
    import evalhub

    made = Local()
    monkeypatch.setitem(sys.modules, "evalhub.local", made)
    monkeypatch.setattr(evalhub, "local", made, raising=False)
    monkeypatch.setattr(inprocess, "CHECK_S", 0.0)
    return made


def test_a_worker_is_started_once_and_stopped_at_the_end(local: Local) -> None:
    with local_worker() as worker:
        for _ in range(3):
            worker.tend()
        assert len(local.started) == 1
        assert local.stopped == []
    assert local.stopped == local.started


def test_a_worker_that_is_there_is_used(local: Local) -> None:
    local.needed = False
    with local_worker() as worker:
        worker.tend()
    assert local.started == local.stopped == []


def test_a_worker_is_started_when_the_other_one_goes_away(local: Local) -> None:
    local.needed = False
    with local_worker() as worker:
        worker.tend()
        local.needed = True
        worker.tend()
    assert len(local.started) == 1


@pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_a_worker_is_stopped_however_waiting_ends(local: Local, kind: type[BaseException]) -> None:
    with pytest.raises(kind), local_worker() as worker:  # noqa: PT012
        worker.tend()
        raise kind
    assert local.stopped == local.started != []


def test_a_worker_that_keeps_ending_by_itself_is_an_error_that_says_where_to_look(
    local: Local,
) -> None:
    with local_worker() as worker:
        for _ in range(inprocess.MAX_STARTS):
            worker.tend()
            local.started[-1].ended = True
        with pytest.raises(LocalError, match=r"worker\.log in the data folder"):
            worker.tend()
    assert len(local.started) == inprocess.MAX_STARTS


def test_a_second_ctrl_c_ends_a_worker_at_once(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impatient(child: Child) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(local, "stop_worker", impatient)
    with pytest.raises(KeyboardInterrupt), local_worker() as worker:
        worker.tend()
    assert local.started[0].killed


def test_without_the_server_package_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("evalhub", "evalhub.local", "evalhub.home"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(LocalError, match="--server URL"):
        inprocess.local_client()
