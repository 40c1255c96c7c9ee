"""A small HTTP server on loopback: it gives recorded answers and remembers what was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived; `path` is still quoted."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: JSON unless the body is bytes."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Answer = Reply | Callable[[Asked], Reply]


def problem(status: int, detail: str, *errors: tuple[str, str], **extra: Any) -> Reply:
    """An answer of application/problem+json."""
    body: dict[str, Any] = {"type": "about:blank", "title": "Problem", "status": status}
    body |= {"detail": detail} | extra
    if errors:
        body["errors"] = [{"pointer": pointer, "detail": text} for pointer, text in errors]
    return Reply(body, status, {"Content-Type": "application/problem+json"})


def listing(*items: Any, next_cursor: str | None = None) -> Reply:
    """One page of a list."""
    return Reply({"items": list(items), "next_cursor": next_cursor, "total": None})


class ApiServer:
    """Answers by method and path below /api/v1; a list of answers is given one after the other, the
    last one for ever. What it does not know is a 404."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._answers: dict[tuple[str, str], list[Answer]] = {}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def answer(self, method: str, path: str, *answers: Answer) -> None:
        self._answers[method, path] = list(answers)

    def requests(self, method: str, path: str) -> list[Asked]:
        """What was asked with that method of that path, in order."""
        return [one for one in self.asked if (one.method, one.path) == (method, path)]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _reply(self, asked: Asked) -> Reply:
        answers = self._answers.get((asked.method, asked.path))
        if not answers:
            return problem(404, f"There is nothing at {asked.path}.")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer(asked) if callable(answer) else answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                parts = urlsplit(self.path)
                asked = Asked(
                    method=self.command,
                    path=parts.path.removeprefix(PREFIX),
                    query={name: values[0] for name, values in parse_qs(parts.query).items()},
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
                )
                server.asked.append(asked)
                reply = server._reply(asked)
                raw = isinstance(reply.body, bytes)
                content = reply.body if raw else json.dumps(reply.body).encode()
                if reply.status == 204:
                    content = b""
                self.send_response(reply.status)
                headers = {"Content-Type": "application/json"} | reply.headers
                for name, value in (headers | {"Content-Length": str(len(content))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

            def log_message(self, format: str, *arguments: Any) -> None:
                """Nothing: requests are remembered instead."""

        return Handler
