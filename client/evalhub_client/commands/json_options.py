"""Options whose values are JSON."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from evalhub_client.failures import UsageError

Json = dict[str, Any]


def parse_scorer(text: str) -> str | Json:
    """A scorer's name, or the object that the text is when it begins like one."""
    return parse_object(text, "--scorer") if text.lstrip().startswith("{") else text


def parse_object(text: str, option: str) -> Json:
    """The JSON object that the text of an option is. Raises UsageError."""
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        hint = " In JSON a backslash is written twice." if "escape" in error.msg else ""
        raise UsageError(
            f"{option} is not valid JSON: {error.msg} at line {error.lineno}, "
            f"column {error.colno}.{hint}"
        ) from error
    except ValueError as error:
        raise UsageError(f"{option} is not valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise UsageError(f'{option} is a JSON object, such as \'{{"locale": "en"}}\'.')
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
