"""HTTP targets: one request for each item, and the output read out of the answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from evalhub.kit.errors import Invalid
from evalhub.kit.json import ABSENT, PathError, get_path
from runs_app.targets import kinds
from runs_app.targets.base import ItemCall, PlainTarget, TargetFailure
from runs_app.targets.calling import Caller
from runs_app.targets.foreign import adopt_spans, adopt_trace_id, adopt_usage
from runs_app.targets.http_config import HEADER_ROOTS, WITH_BODY, check_config, statuses
from runs_app.targets.json_bodies import JsonTemplate
from runs_app.targets.python import output_text
from runs_app.targets.replies import parse_exact, status_failure
from runs_app.targets.templates import Fields, Path, Template, TemplateError, as_text
from runs_app.targets.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evalhub.kit.outgoing import Answer, Outgoing
    from runs_app.connections import Reach

__all__ = ["HttpTarget", "check_config"]

MAX_HEADER_CHARS = 8_000
_DEFAULT_BODY = {"input": "{{ input }}"}
_GIVEN_UP = "No answer yet when the call was given up."


class HttpTarget(PlainTarget):
    """Without a body template, POST, PUT and PATCH send {"input": the item's input}; a processor
    is sent {"messages": the input's messages}. Other methods have no body.

    With a connection and no header that names its key, the key goes out as a bearer token. A
    `traceparent` header always does, so that the target's own trace can hang below the result's.
    """

    cooperative = True

    def __init__(
        self,
        config: dict[str, Any],
        reach: Reach | None,
        kind: str,
        *,
        outgoing: Outgoing | None = None,
    ) -> None:
        """`config` is as `check_config` gives it. Raises Invalid when it cannot be used."""
        self.kind = kind
        self.connection_id = reach.connection_id if reach is not None else None
        self._caller = Caller(reach, outgoing)
        self._method: str = config["method"]
        self._url = _address(reach, config["url"])
        self._span_name = f"{self._method} {self._url.partition('?')[0]}"[:200]
        self._fixed, self._filled = self._split_headers(config["headers"])
        self._context_headers = {
            name: Path("context", path) for name, path in config["context_headers"].items()
        }
        has_body = self._method in WITH_BODY
        template = _DEFAULT_BODY if config["body"] is None else config["body"]
        self._template = JsonTemplate(template) if has_body else None
        self._sends_messages = has_body and config["body"] is None and kind == "processor"
        self._ok = statuses(config["ok_statuses"])
        self._config = config

    async def call(self, item: ItemCall, trace: Trace) -> str:
        fields = Fields(item, self._caller.key)
        headers = self._headers(fields, trace)
        body = self._body(fields)
        begin = trace.now_ms()
        data: dict[str, Any] = {}
        if trace.capture:
            data["request"] = self._caller.request_shown(self._method, self._url, headers, body)
        try:
            answer = await self._caller.send(self._method, self._url, headers, body)
            data["status"] = answer.status
            if trace.capture:
                data["response"] = self._caller.body_shown(answer.body)
            output = self._caller.kept(self._read(answer, trace, begin))
        except TargetFailure as failure:
            trace.add(self._span_name, "http", begin, error=failure.message, data=data)
            raise
        except asyncio.CancelledError:
            trace.add(self._span_name, "http", begin, error=_GIVEN_UP, data=data)
            raise
        trace.add(self._span_name, "http", begin, data=data)
        return output

    async def close(self) -> None:
        await self._caller.close()

    def _split_headers(
        self, given: Mapping[str, str]
    ) -> tuple[dict[str, str], list[tuple[str, Template]]]:
        """Headers that are always the same, and those to be filled for each item."""
        fixed: dict[str, str] = {"Accept": "application/json"}
        if self._method in WITH_BODY:
            fixed["Content-Type"] = "application/json"
        compiled = [(name, Template(text, HEADER_ROOTS)) for name, text in given.items()]
        for name, _ in compiled:
            for own in [own for own in fixed if own.lower() == name.lower()]:
                del fixed[own]
        names_key = any(path.root == "key" for _, template in compiled for path in template.paths)
        authorized = any(name.lower() == "authorization" for name in given)
        if self._caller.key is not None and not names_key and not authorized:
            fixed["Authorization"] = f"Bearer {self._caller.key}"
        fixed |= {name: template.text for name, template in compiled if not template.paths}
        return fixed, [(name, template) for name, template in compiled if template.paths]

    def _headers(self, fields: Fields, trace: Trace) -> dict[str, str]:
        """The headers of one call. Raises TemplateError; a header of the context whose field is
        not there is left out.
        """
        headers = self._fixed | {"traceparent": trace.traceparent()}
        for name, template in self._filled:
            headers[name] = _header_value(name, template.render(fields))
        if self._context_headers and fields.root("context") is not ABSENT:
            for name, path in self._context_headers.items():
                try:
                    value = as_text(fields.get(path))
                except TemplateError:
                    continue
                headers[name] = _header_value(name, value)
        return headers

    def _body(self, fields: Fields) -> bytes | None:
        if self._template is None:
            return None
        if self._sends_messages:
            messages = kinds.messages_of(fields.root("input"))
            if messages is not None:
                return output_text({"messages": messages}).encode()
        return self._template.render(fields).encode()

    def _read(self, answer: Answer, trace: Trace, begin: float) -> str:
        """The output as JSON text; tokens, cost, spans and trace id go into the trace."""
        key = self._caller.key
        if answer.status not in self._ok:
            where = self._url.partition("?")[0]
            raise status_failure(answer.status, answer.body, answer.headers, where=where, key=key)
        content_type = answer.headers.get("content-type", "")
        if content_type.startswith("text/plain") and not self._config["output"]:
            return output_text(kinds.interpret(self.kind, _plain_text(answer.body, content_type)))
        value = parse_exact(answer.body, answer.headers, key=key)
        self._adopt(value, trace, begin)
        path = self._config["output"]
        if path:
            try:
                value = get_path(value, path)
            except PathError as error:
                raise TargetFailure(
                    "no_output",
                    f"The answer has nothing at {path}, where the output is to be: {error}",
                ) from error
        return output_text(kinds.interpret(self.kind, value))

    def _adopt(self, value: Any, trace: Trace, begin: float) -> None:
        config = self._config
        if config["usage"]:
            found = {name: _at(value, path) for name, path in config["usage"].items()}
            adopt_usage(
                trace,
                found.get("input_tokens"),
                found.get("output_tokens"),
                found.get("cost_usd"),
            )
        if config["trace_id"]:
            adopt_trace_id(trace, _at(value, config["trace_id"]))
        if config["spans"]:
            spans = _at(value, config["spans"])
            if spans is not None:
                known = len(trace.spans)
                adopt_spans(trace, spans, start_ms=begin)
                for span in trace.spans[known:]:
                    span["depth"] += 1  # below the span of the call


def _address(reach: Reach | None, url: str) -> str:
    """The whole address. Raises Invalid when a connection's key would go to another server."""
    if reach is None:
        return url
    if url and not url.startswith(("/", "?")):
        raise Invalid("With a connection, the target's address is a path after the connection's.")
    base = reach.base_url
    return base.rstrip("/") + url if url.startswith("/") else base + url


def _header_value(name: str, value: str) -> str:
    if len(value) > MAX_HEADER_CHARS:
        raise TemplateError(
            f"The header {name} would have {len(value):,} characters; at most "
            f"{MAX_HEADER_CHARS:,} are sent."
        )
    if not value.isprintable():
        raise TemplateError(
            f"The header {name} would hold a line break or another character that cannot be sent "
            "in a header."
        )
    return value


def _plain_text(body: bytes, content_type: str) -> str:
    """A text answer, in the character set that it names."""
    charset = content_type.partition("charset=")[2].split(";")[0].strip("\"' ") or "utf-8"
    try:
        return body.decode(charset)
    except (LookupError, UnicodeError, ValueError):
        raise TargetFailure(
            "invalid_output",
            f"The answer is no text in the character set {charset[:40]}, which it names.",
        ) from None


def _at(value: Any, path: str) -> Any:
    """What stands at a path, None when nothing does."""
    try:
        return get_path(value, path)
    except PathError:
        return None
