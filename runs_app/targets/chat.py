"""Chat targets: any server that speaks OpenAI's chat completions.

Everything that stays the same (address, headers, the body around the messages) is built once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from evalhub.kit.json import JsonError, dumps, loads
from runs_app.targets import kinds, prices
from runs_app.targets.base import Estimate, ItemCall, PlainTarget, TargetFailure
from runs_app.targets.calling import Caller
from runs_app.targets.chat_config import DEFAULT_USER, check_config
from runs_app.targets.chat_replies import Reply, read_reply, read_usage
from runs_app.targets.python import MAX_OUTPUT_CHARS, output_text
from runs_app.targets.replies import parse_json, status_failure
from runs_app.targets.templates import Fields, Template
from runs_app.targets.trace import Trace

if TYPE_CHECKING:
    from evalhub.kit.outgoing import Outgoing
    from runs_app.connections import Reach

__all__ = ["ChatTarget", "check_config"]

_GIVEN_UP = "No answer yet when the call was given up."


class ChatTarget(PlainTarget):
    """Sends a system and a user message made from templates, and keeps what the model says.

    With the default user template, an input that is a list of messages (or an object with
    `messages`) is sent as it is, with the system message in front unless it has one.

    For a JSON response the schema goes to the provider, who is to hold the model to it; here it is
    checked only that the reply is JSON.
    """

    cooperative = True

    def __init__(
        self, config: dict[str, Any], reach: Reach, kind: str, *, outgoing: Outgoing | None = None
    ) -> None:
        """`config` is as `check_config` gives it. Raises Invalid when it cannot be used."""
        self.kind = kind
        self.connection_id = reach.connection_id
        self._caller = Caller(reach, outgoing)
        self._model: str = config["model"]
        self._span_name = f"chat {self._model}"
        self._url = _below(reach.base_url, "/chat/completions")
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._caller.key is not None:
            self._headers["Authorization"] = f"Bearer {self._caller.key}"
        self._json = config["response"]["format"] == "json"
        self._system = Template(config["system"]) if config["system"] else None
        self._user = Template(config["user"])
        self._passes_messages = config["user"].strip() == DEFAULT_USER
        self._before = f'{{"model":{dumps(self._model)},"messages":['
        self._after = "]" + "".join(
            f",{dumps(name)}:{dumps(value)}" for name, value in _parameters(config).items()
        )
        self._after += "}"
        self._prices = prices.find_prices(self._model, reach.base_url, config["prices"])
        self.priced = self._prices is not None
        self._most_output = prices.output_bound(config["parameters"])
        used = [self._user, *([self._system] if self._system else [])]
        self._roots = [path.root for template in used for path in template.paths]
        fixed = self._after + "".join(template.text for template in used)
        self._fixed_bytes = len(fixed.encode())

    async def call(self, item: ItemCall, trace: Trace) -> str:
        body = self._body(item)
        begin = trace.now_ms()
        data: dict[str, Any] = {"model": self._model}
        if trace.capture:
            data["request"] = self._caller.request_shown("POST", self._url, self._headers, body)
        try:
            answer = await self._caller.send("POST", self._url, self._headers, body)
            data["status"] = answer.status
            if trace.capture:
                data["response"] = self._caller.body_shown(answer.body)
            key = self._caller.key
            if not 200 <= answer.status < 300:
                raise status_failure(
                    answer.status, answer.body, answer.headers, where=self._where(), key=key
                )
            value = parse_json(answer.body, answer.headers, key=key)
            self._use(value, trace, data)
            reply = read_reply(value, key=key)
            if reply.finish_reason:
                data["finish_reason"] = reply.finish_reason
            output = self._caller.kept(self._output(reply))
        except TargetFailure as failure:
            trace.add(self._span_name, "model", begin, error=failure.message, data=data)
            raise
        except asyncio.CancelledError:
            trace.add(self._span_name, "model", begin, error=_GIVEN_UP, data=data)
            raise
        trace.add(self._span_name, "model", begin, data=data)
        if reply.tool_calls:
            self._add_tools(reply, trace)
        return output

    def estimate(self, item: ItemCall) -> Estimate:
        size = self._fixed_bytes
        for root in self._roots:
            size += _bytes_of(item, root)
        tokens = prices.token_bound(size, 2)
        cost = self._prices.cost(tokens, self._most_output) if self._prices is not None else None
        return Estimate(tokens + self._most_output, cost)

    async def close(self) -> None:
        await self._caller.close()

    def _body(self, item: ItemCall) -> bytes:
        """The request's JSON. Raises TemplateError."""
        fields = Fields(item)
        system = ""
        if self._system is not None:
            system = f'{{"role":"system","content":{dumps(self._system.render(fields))}}},'
        messages = self._passed(fields, system) if self._passes_messages else None
        if messages is None:
            if self._passes_messages and item.input_json[:1] == '"':
                content = item.input_json  # a text, as JSON already
            else:
                content = dumps(self._user.render(fields))
            messages = f'{system}{{"role":"user","content":{content}}}'
        return f"{self._before}{messages}{self._after}".encode()

    def _passed(self, fields: Fields, system: str) -> str | None:
        """The input's own messages, without the brackets around them; None when it has none."""
        if fields.item.input_json[:1] not in "[{":
            return None
        messages = kinds.messages_of(fields.root("input"))
        if not messages:
            return None
        if any(message["role"] in ("system", "developer") for message in messages):
            system = ""
        return system + dumps(messages)[1:-1]

    def _use(self, value: Any, trace: Trace, data: dict[str, Any]) -> None:
        """Note tokens and cost; a call that ends in a failure has cost them too."""
        usage = read_usage(value)
        given, got = usage.input_tokens, usage.output_tokens
        cost = None
        if self._prices is not None and given is not None and got is not None:
            cost = self._prices.cost(given, got, usage.cached_tokens)
        trace.use(given, got, cost)
        if given is not None:
            data["input_tokens"] = given
        if got is not None:
            data["output_tokens"] = got

    def _output(self, reply: Reply) -> str:
        """The output as JSON text. Raises TargetFailure."""
        content = reply.content
        if reply.tool_calls:
            both = {"content": content, "tool_calls": reply.tool_calls}
            return output_text(kinds.interpret(self.kind, both))
        assert content is not None
        if self._json:
            return output_text(kinds.interpret(self.kind, _parsed(content, reply.finish_reason)))
        if self.kind != "agent":
            return output_text(kinds.interpret(self.kind, content))
        if len(content) > MAX_OUTPUT_CHARS or "\x00" in content:
            return output_text(content)  # which says what is wrong
        return dumps(content)

    def _add_tools(self, reply: Reply, trace: Trace) -> None:
        now = trace.now_ms()
        for call in reply.tool_calls:
            arguments = self._caller.kept(output_text(call["arguments"]))
            trace.add(
                str(call["name"])[:200],
                "tool",
                now,
                ms=0,
                depth=2,
                data={"arguments": arguments[:2_000]},
            )

    def _where(self) -> str:
        return self._url.partition("?")[0]


def _parameters(config: dict[str, Any]) -> dict[str, Any]:
    """What goes into the body beside model and messages."""
    parameters = dict(config["parameters"])
    response = config["response"]
    if response["format"] != "json":
        return parameters
    if response["schema"] is None:
        return parameters | {"response_format": {"type": "json_object"}}
    schema = {"name": "output", "schema": response["schema"], "strict": True}
    return parameters | {"response_format": {"type": "json_schema", "json_schema": schema}}


def _parsed(content: str, finish_reason: str) -> Any:
    try:
        return loads(content)
    except JsonError as error:
        cut = " It was cut off at the token limit: allow more tokens." * (finish_reason == "length")
        raise TargetFailure(
            "invalid_output",
            f"The reply is no JSON, although JSON was asked for: {error.message}.{cut} It begins "
            f"with: {' '.join(content[:120].split())}",
        ) from None


def _below(base_url: str, path: str) -> str:
    """The address of a path below a base URL, whose query (if any) stays at the end."""
    base, mark, query = base_url.partition("?")
    return base.rstrip("/") + path + mark + query


def _bytes_of(item: ItemCall, root: str) -> int:
    """At most how many bytes of a template come from a root."""
    text: str | None = {
        "input": item.input_json,
        "metadata": item.metadata_json,
        "context": item.context_json,
    }.get(root, "x" * 20)
    if text is None or text.isascii():
        return len(text or "")
    return len(text.encode())
