"""Options whose values are JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NoReturn

from evalhub_client.failures import UsageError

Json = dict[str, Any]


def parse_scorer(text: str) -> str | Json:
    """A scorer's name, or the object that the text is when it begins like one."""
    return parse_object(text, "--scorer") if text.lstrip().startswith("{") else text


def parse_object(text: str, option: str) -> Json:
    """The JSON object that the text of an option is. Raises UsageError."""
    value = _parse(text, option)
    if not isinstance(value, dict):
        raise UsageError(f'{option} is a JSON object, such as \'{{"locale": "en"}}\'.')
    return value


def parse_value(text: str, option: str) -> Any:
    """The JSON value of an option or of the file it names (@FILE); what does not begin like JSON is
    a text, as is a word that JSON does not know. Raises UsageError.
    """
    text = read_text(text, option)
    if text.lstrip().startswith(("{", "[", '"')):
        return _parse(text, option)
    try:
        json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text
    return _parse(text, option)


def read_text(text: str, option: str) -> str:
    """The text, or that of the file which @FILE names. Raises UsageError."""
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{option}: {text[1:]} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{option}: {text[1:]} is not UTF-8 text.") from error


def _parse(text: str, option: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        hint = " In JSON a backslash is written twice." if "escape" in error.msg else ""
        raise UsageError(
            f"{option} is not valid JSON: {error.msg} at line {error.lineno}, "
            f"column {error.colno}.{hint}"
        ) from error
    except RecursionError as error:
        raise UsageError(f"{option} is nested too deeply.") from error
    except ValueError as error:
        raise UsageError(f"{option} is not valid JSON: {error}.") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits[:40]} is too large")
    return number
