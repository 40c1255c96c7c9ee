"""The same API without a server: the application is called in this process, on the local data
folder.

Needs the server package (`evalhub`); nothing else in this distribution does, and nothing imports
this module before it is used.
"""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from evalhub_client.client import Client
from evalhub_client.errors import EvalhubClientError

BASE_URL = "http://evalhub.local"
CHECK_S = 1.0
MAX_STARTS = 8

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class LocalError(EvalhubClientError):
    """The data folder on this machine cannot be used; the message says what to do."""


def local_client(project: str | None = None) -> Client:
    """A client on the data folder in EVALHUB_HOME, as its administrator; the folder is made ready
    first.

    `project` is a slug (None: the default project). Raises LocalError.
    """
    try:
        from evalhub import local
        from evalhub.home import HomeError
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("evalhub"):
            raise
        raise LocalError(
            "evalhub's server package is not installed here. "
            "Name a server with --server URL and --token, or install it."
        ) from error
    try:
        local.prepare()
        with warnings.catch_warnings():
            # Static files are collected for browsers; here it is no fault that there are none.
            warnings.filterwarnings("ignore", message="No directory at")
            application = local.application()
    except HomeError as error:
        raise LocalError(str(error)) from error
    # A refused request comes back as an error of its own; a server's log line would say it twice.
    logging.getLogger("django.request").setLevel(logging.ERROR)
    return Client(BASE_URL, transport=WsgiTransport(application), project=project)


class LocalWorker:
    """Sees to it that somebody does the work while we wait: starts a worker when there is none.

    A worker that somebody else has running is used instead; both share by lease.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._checked = float("-inf")

    @property
    def started(self) -> bool:
        """True when a worker of ours is running."""
        return self._child is not None and self._child.poll() is None

    def tend(self) -> None:
        """Call this now and then. Raises LocalError when our worker keeps ending by itself."""
        from evalhub import local

        now = time.monotonic()
        if self.started or now - self._checked < CHECK_S:
            return
        self._checked = now
        if not local.worker_needed():
            return
        if self._starts == MAX_STARTS:
            raise LocalError(
                f"The worker ended by itself {MAX_STARTS} times. "
                "The file worker.log in the data folder says why."
            )
        self._starts += 1
        self._child = local.start_worker()

    def stop(self) -> None:
        """Stop our worker, if there is one; it finishes what it holds or leaves it for the next."""
        from evalhub import local

        if self._child is None:
            return
        try:
            local.stop_worker(self._child)
        except KeyboardInterrupt:  # asked twice: at once, then
            self._child.kill()
            self._child.wait()
            raise


@contextmanager
def local_worker() -> Iterator[LocalWorker]:
    """A worker for the time of a `with`, stopped at its end, however that comes."""
    worker = LocalWorker()
    try:
        yield worker
    finally:
        worker.stop()


class WsgiTransport(httpx.BaseTransport):
    """Carries requests to a WSGI application in this process.

    Other than httpx's own it streams bodies (a file of gigabytes never lies in memory) and passes
    paths as WSGI wants them: UTF-8 bytes, each as one character.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], object]:
            started[:] = [(status, headers)]
            return _no_write

        body = self._application(_environ(request), start_response)
        chunks = iter(body)
        first = next(chunks, b"")  # an application may wait with its status until then
        status, headers = started[0]
        return httpx.Response(
            int(status.split()[0]), headers=headers, stream=_Answer(body, first, chunks)
        )


class _Answer(httpx.SyncByteStream):
    def __init__(self, body: Iterable[bytes], first: bytes, rest: Iterator[bytes]) -> None:
        self._body, self._first, self._rest = body, first, rest

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        yield from self._rest

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


class _Body(io.RawIOBase):
    """The chunks of a request's body as a file to read."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        taken = self._left[: len(buffer)]
        self._left = self._left[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)


def _environ(request: httpx.Request) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.url.scheme,
        "wsgi.input": io.BufferedReader(_Body(_chunks(request)), 1 << 16),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.url.path.encode().decode("latin-1"),
        "QUERY_STRING": request.url.query.decode("ascii"),
        "SERVER_NAME": request.url.host,
        "SERVER_PORT": str(request.url.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
    }
    for name, value in request.headers.raw:
        key = name.decode("ascii").upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        environ[key] = value.decode("latin-1")
    return environ


def _chunks(request: httpx.Request) -> Iterable[bytes]:
    if not isinstance(request.stream, httpx.SyncByteStream):
        raise TypeError("The body of a request to a WSGI application must be a synchronous stream.")
    return request.stream


def _no_write(data: bytes) -> None:
    raise NotImplementedError("An application in this process gives its answer as an iterable.")
