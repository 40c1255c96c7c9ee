"""Reading a chat completion: text, tool calls, tokens; or why there is none. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evalhub.kit.json import JsonError, loads
from runs_app.targets.base import TargetFailure
from runs_app.targets.replies import mask, said_by

MAX_TOOL_CALLS = 128


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, None for what the server does not say."""

    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said. `content` is None only beside tool calls."""

    content: str | None
    tool_calls: list[dict[str, Any]]
    finish_reason: str


def read_usage(value: Any) -> Usage:
    """The tokens that a completion says it used."""
    usage = value.get("usage") if isinstance(value, dict) else None
    if not isinstance(usage, dict):
        return Usage(None, None, 0)
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return Usage(
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
        _count(cached) or 0,
    )


def read_reply(value: Any, *, key: str | None) -> Reply:
    """The first choice of a completion. Raises TargetFailure `provider_error`, `empty_reply` or
    `content_filter`.
    """
    if not isinstance(value, dict):
        raise TargetFailure(
            "provider_error",
            "The answer is JSON, but no chat completion: it is no object. Check the address.",
        )
    choices = value.get("choices")
    if value.get("error") and not choices:
        said = mask(said_by(value)[0], key)
        raise TargetFailure(
            "provider_error", f"The server answered with an error in place of a reply: {said}"
        )
    first = choices[0] if isinstance(choices, list) and choices else None
    choice = first if isinstance(first, dict) else {}
    message = choice.get("message")
    if not isinstance(message, dict):
        names = ", ".join(str(name)[:40] for name in list(value)[:8])
        raise TargetFailure(
            "empty_reply",
            "The answer holds no reply (choices[0].message)"
            + (f"; it has: {names}." if names else ".")
            + " Check that the address is that of an OpenAI-compatible API.",
        )
    finish = choice.get("finish_reason")
    finish = finish[:60] if isinstance(finish, str) else ""
    if finish == "content_filter":
        raise TargetFailure("content_filter", "The provider's content filter held the reply back.")
    calls = _tool_calls(message.get("tool_calls"))
    content = _content(message.get("content"))
    if content is None and not calls:
        refusal = message.get("refusal")
        if isinstance(refusal, str) and refusal:
            raise TargetFailure(
                "empty_reply", f"The model refused to answer: {mask(refusal, key)[:500]}"
            )
        raise TargetFailure(
            "empty_reply",
            "The reply has no content"
            + (f" (finish_reason {finish})" if finish else "")
            + (
                ": all its tokens went into thinking. Allow more tokens."
                if finish == "length"
                else "."
            ),
        )
    return Reply(content, calls, finish)


def _content(given: Any) -> str | None:
    """Text, also when it comes in parts."""
    if isinstance(given, str):
        return given
    if isinstance(given, list):
        texts = [part.get("text") for part in given if isinstance(part, dict)]
        return "".join(text for text in texts if isinstance(text, str)) or None
    return None


def _tool_calls(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list):
        return []
    calls = []
    for one in given[:MAX_TOOL_CALLS]:
        function = one.get("function") if isinstance(one, dict) else None
        if isinstance(function, dict):
            calls.append(
                {
                    "name": function.get("name"),
                    "arguments": _arguments(function.get("arguments")),
                    "id": one.get("id"),
                }
            )
    return calls


def _arguments(given: Any) -> Any:
    """Parsed when they are JSON; a model may write what is none."""
    if not isinstance(given, str):
        return given
    try:
        return loads(given)
    except JsonError:
        return given


def _count(given: Any) -> int | None:
    return given if type(given) is int and 0 <= given < 2_000_000_000 else None
