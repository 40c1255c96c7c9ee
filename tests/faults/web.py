"""Speaking to a web server that may be killed at any moment."""

from __future__ import annotations

import http.client
import json
import threading
import uuid
from dataclasses import dataclass
from typing import Any

from tests.browser.product import free_port
from tests.faults.installation import Installation, wait_for


@dataclass(frozen=True, slots=True)
class Said:
    """What the web answered; `status` is None when it died before it could."""

    status: int | None
    body: Any = None
    type: str = ""


class Web:
    """A web server process of an installation, on one port through all its lives."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.port = free_port()
        self.token: str = installation.ask("token")
        self.statuses: set[int] = set()
        self.start()

    def start(self) -> None:
        self.process = self.installation.start_web(self.port)
        wait_for(lambda: self.get("/health").status in (200, 503), 30, "the web to answer")

    def kill(self) -> None:
        self.installation.kill(self.process)

    def get(self, path: str) -> Said:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None, **headers: str) -> Said:
        """To the API, as JSON."""
        data = json.dumps({} if body is None else body).encode()
        return self.call(
            "POST", f"/api/v1{path}", data, {"Content-Type": "application/json"} | headers
        )

    def upload(self, path: str, file: bytes, **options: Any) -> Said:
        """A file to the API, as a form."""
        mark = uuid.uuid4().hex
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="options"\r\n\r\n'
            f"{json.dumps(options)}\r\n--{mark}\r\nContent-Disposition: form-data; "
            'name="file"; filename="rows.jsonl"\r\n\r\n',
            f"\r\n--{mark}--\r\n",
        ]
        body = parts[0].encode() + file + parts[1].encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
        return self.call("POST", f"/api/v1{path}", body, kind)

    def call(
        self, method: str, path: str, data: bytes = b"", headers: dict[str, str] | None = None
    ) -> Said:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {"Authorization": f"Bearer {self.token}"} | (headers or {})
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            return Said(None)
        finally:
            connection.close()
        self.statuses.add(answer.status)
        kind = answer.headers.get("Content-Type", "")
        return Said(answer.status, json.loads(text) if "json" in kind else text, kind)

    def in_background(self, act: Any) -> threading.Thread:
        """`act` in a thread of its own, begun."""
        thread = threading.Thread(target=act)
        thread.start()
        return thread
