"""Speaking to the API, and holding its answers against their description."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client
from pydantic import BaseModel

BASE = "/api/v1"


class Api:
    """Speaks JSON to the API. `secret` is sent as the token; None sends none."""

    def __init__(self, secret: str | None, client: Client | None = None) -> None:
        self.secret = secret
        self.client = client or Client()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: str | bytes | None = None,
        key: str | None = None,
        **environ: Any,
    ) -> Any:
        """The answer. `body` is sent as JSON, `raw` as it is, `key` as the Idempotency-Key."""
        headers = {}
        if self.secret is not None:
            headers["Authorization"] = f"Bearer {self.secret}"
        if key is not None:
            headers["Idempotency-Key"] = key
        data = json.dumps(body) if raw is None and body is not None else raw or b""
        return self.client.generic(
            method, BASE + path, data, "application/json", headers=headers, **environ
        )

    def get(self, path: str, **options: Any) -> Any:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self.call("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Any:
        return self.call("PUT", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Any:
        return self.call("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self.call("DELETE", path, **options)

    def upload(
        self,
        path: str,
        name: str,
        content: bytes,
        options: str | None = None,
        fields: dict[str, str] | None = None,
    ) -> Any:
        """The answer to a multipart upload."""
        from django.core.files.uploadedfile import SimpleUploadedFile

        data: dict[str, Any] = {"file": SimpleUploadedFile(name, content), **(fields or {})}
        if options is not None:
            data["options"] = options
        headers = {} if self.secret is None else {"Authorization": f"Bearer {self.secret}"}
        return self.client.post(BASE + path, data, headers=headers)

    def pages(self, path: str, limit: int) -> list[list[Any]]:
        """The rows of all pages of a list."""
        found, cursor = [], ""
        while cursor is not None:
            joint = "&" if "?" in path else "?"
            page = self.get(f"{path}{joint}limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
            found.append(page.json()["items"])
            cursor = page.json()["next_cursor"]
        return found


def assert_described(model: type[BaseModel], value: dict[str, Any]) -> None:
    """The value has the fields that the OpenAPI description promises, and no more."""
    assert set(value) <= set(model.model_fields)
    model.model_validate(value)


def assert_problem(answer: Any, status: int, *pointers: str) -> Any:
    """The answer is a problem of that status that points at these places; its JSON comes back."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"].endswith((".", "?"))
    assert [error["pointer"] for error in problem.get("errors", [])] == list(pointers)
    return problem
