"""Strict JSON for hostile input.

`loads` accepts what every part of the product can keep: no NaN or Infinity, no number out of range,
no NUL (PostgreSQL refuses it), no half of a surrogate pair (UTF-8 has no bytes for it), no endless
nesting. It keeps numbers exact: an integer stays an integer, however big. Of a name that stands
twice in one object, the last one counts.
"""

import enum
import functools
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from evalhub.kit.json_errors import (
    JsonError,
    error_at,
    explain,
    position_of,
    position_of_depth,
    position_of_escape,
    position_of_lone_surrogate,
)

__all__ = [
    "ABSENT",
    "MAX_DEPTH",
    "MAX_INTEGER_DIGITS",
    "Absent",
    "JsonError",
    "PathError",
    "canonical",
    "content_hash",
    "dumps",
    "escape_key",
    "get_path",
    "loads",
    "pretty",
    "split_path",
]

MAX_DEPTH: Final = 100
MAX_INTEGER_DIGITS: Final = 400


class Absent(enum.Enum):
    """The type of `ABSENT`, so that a value is typed `Any | Absent` and tested with `is`."""

    ABSENT = "absent"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT
"""Stands for a value that is not there, which JSON null is not."""


class PathError(KeyError):
    """A dotted path that leads nowhere; its text is the message, without KeyError's quotes."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class _RefusedNumber(Exception):
    def __init__(self, literal: str, problem: str) -> None:
        super().__init__(problem)
        self.literal = literal
        self.problem = problem


def _integer(literal: str) -> int:
    if len(literal) > MAX_INTEGER_DIGITS and len(literal.lstrip("-")) > MAX_INTEGER_DIGITS:
        digits = len(literal.lstrip("-"))
        problem = f"an integer of {digits:,} digits; at most {MAX_INTEGER_DIGITS} are allowed"
        raise _RefusedNumber(literal, problem)
    return int(literal)


def _float(literal: str) -> float:
    number = float(literal)
    if number - number != 0.0:  # true for the infinities alone; float() of a literal is never NaN
        raise _RefusedNumber(literal, "a number too large to be kept (above about 1.8e308)")
    return number


def _constant(literal: str) -> float:
    raise _RefusedNumber(literal, f"{literal} is not a JSON number")


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_constant)
_SHORT_DECODER = json.JSONDecoder(parse_float=_float, parse_constant=_constant)
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_CANONICAL = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
)
_PRETTY = json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=2)
_PRETTY_SORTED = json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=2, sort_keys=True)


def loads(text: str | bytes, *, what: str = "JSON") -> Any:
    """The value of a JSON text.

    Bytes are read as UTF-8, with or without a byte order mark. `what` names the text in messages
    ("Metadata, line 4, column 3: a comma is missing"). Raises JsonError, nothing else.
    """
    source = _as_text(text, what)
    try:
        # No integer of a short text is too long, and without the hook they are read faster.
        decoder = _SHORT_DECODER if len(source) <= MAX_INTEGER_DIGITS else _DECODER
        value, end = decoder.raw_decode(source) if source[:1] > " " else (None, -1)
        if end != len(source):
            value = decoder.decode(source)  # space around it, or a fault
    except json.JSONDecodeError as error:
        position, problem = explain(error.msg, source, error.pos)
        raise error_at(source, position, problem, what) from None
    except _RefusedNumber as error:
        position = position_of(source, error.literal)
        raise error_at(source, position, error.problem, what) from None
    except RecursionError:
        _refuse_depth(source, what)
        raise
    # Nothing below can be wrong unless the text holds one of these; each test is one quick scan.
    if source.count("[") + source.count("{") > MAX_DEPTH and _is_deep(value):
        _refuse_depth(source, what)
    if "\\u0000" in source:
        nul = position_of_escape(source, 0)
        if nul is not None:
            raise error_at(source, nul, "a NUL character (\\u0000), which cannot be stored", what)
    if "\\ud" in source or "\\uD" in source:
        lone = position_of_lone_surrogate(source)
        if lone is not None:
            raise error_at(source, lone, "half of a surrogate pair, which is no character", what)
    return value


def dumps(value: Any) -> str:
    """`value` as compact JSON, names in their order. Raises JsonError for what JSON cannot hold.

    For a value from outside, `loads(dumps(value))` also refuses what `loads` does: NUL, depth, ...
    """
    return _encode(_COMPACT, value)


def canonical(value: Any) -> str:
    """`value` as compact JSON with sorted names: equal for values that differ in order alone."""
    return _encode(_CANONICAL, value)


def pretty(value: Any, *, sort_names: bool = False) -> str:
    """`value` as JSON for reading: two spaces a level, names in their order unless sorted."""
    return _encode(_PRETTY_SORTED if sort_names else _PRETTY, value)


def content_hash(input: Any, expected: Any | Absent, context: Any | Absent) -> str:
    """32 hexadecimal characters that identify what an item asks and expects.

    BLAKE2b (16 bytes) over the canonical JSON of the three. An expected output that is ABSENT
    differs from null; a context that is ABSENT does not, because a context is an object or nothing.
    """
    if context is ABSENT:
        context = None
    # NUL cannot stand in JSON text, so the parts cannot run into each other.
    parts = ["" if part is ABSENT else canonical(part) for part in (input, expected, context)]
    joined = "\0".join(parts).encode(errors="surrogatepass")
    return hashlib.blake2b(joined, digest_size=16).hexdigest()


def get_path(value: Any, path: str) -> Any:
    """What stands at a dotted path such as `metadata.answers.0`.

    A part is a name in an object or an index (from 0) in a list. `\\.` is a dot that belongs to a
    name and `\\\\` a backslash. Raises PathError, a KeyError with a readable message.
    """
    parts = _split(path)
    for depth, part in enumerate(parts):
        if isinstance(value, Mapping):
            if part not in value:
                raise PathError(_missing(value, parts, depth))
            value = value[part]
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
            if not (part.isascii() and part.isdigit()):
                raise PathError(f"{_where(parts, depth)} is a list, and “{part}” is no index.")
            if len(part) > 18 or int(part) >= len(value):
                count = f"{len(value):,} element{'' if len(value) == 1 else 's'}"
                raise PathError(f"{_where(parts, depth)} has {count}, so no index {part}.")
            value = value[int(part)]
        else:
            raise PathError(f"{_where(parts, depth)} is no object or list: no “{part}” in it.")
    return value


def split_path(path: str) -> tuple[str, ...]:
    """The parts of a dotted path, as `get_path` walks them. Raises PathError for an empty part."""
    return _split(path)


def escape_key(key: str) -> str:
    """`key` as one part of a dotted path."""
    return key.replace("\\", "\\\\").replace(".", "\\.")


def _as_text(text: str | bytes, what: str) -> str:
    if isinstance(text, bytes):
        try:
            source = text.decode("utf-8")
        except UnicodeDecodeError as error:
            problem = f"byte 0x{text[error.start]:02X} is not UTF-8 text"
            before = text[: error.start].decode("utf-8").removeprefix("\ufeff")
            raise error_at(before, len(before), problem, what) from None
        return source.removeprefix("\ufeff")
    source = text.removeprefix("\ufeff")
    if not source.isascii():
        try:
            source.encode("utf-8")
        except UnicodeEncodeError as error:
            problem = "half of a surrogate pair, which is no character"
            raise error_at(source, error.start, problem, what) from None
    return source


def _is_deep(value: Any) -> bool:
    """Whether lists and objects are nested more than MAX_DEPTH deep; goes level by level."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


def _refuse_depth(source: str, what: str) -> None:
    position = position_of_depth(source, MAX_DEPTH)
    if position is not None:
        problem = f"nested more than {MAX_DEPTH} levels deep"
        raise error_at(source, position, problem, what) from None


def _encode(encoder: json.JSONEncoder, value: Any) -> str:
    try:
        return encoder.encode(value)
    except TypeError as error:
        raise JsonError(f"JSON cannot hold this value: {error}") from None
    except RecursionError:
        raise JsonError("JSON cannot hold this value: it is nested too deep") from None
    except ValueError as error:
        if "Circular" in str(error):
            raise JsonError("JSON cannot hold this value: it contains itself") from None
        if "integer string conversion" in str(error):
            raise JsonError("JSON cannot hold this value: an integer is too long") from None
        raise JsonError("JSON cannot hold NaN or Infinity") from None


@functools.lru_cache(maxsize=512)
def _split(path: str) -> tuple[str, ...]:
    pieces = re.findall(r"\\.|\\$|[^\\.]+|\.", path, re.DOTALL)
    parts = [""]
    for piece in pieces:
        if piece == ".":
            parts.append("")
        else:
            parts[-1] += piece[1:] if piece[0] == "\\" and len(piece) > 1 else piece
    if "" in parts:
        raise PathError(f"“{path}” is not a path: a part of it is empty.")
    return tuple(parts)


def _where(parts: Sequence[str], depth: int) -> str:
    return f"“{'.'.join(map(escape_key, parts[:depth]))}”" if depth else "The value"


def _missing(value: Mapping[str, Any], parts: Sequence[str], depth: int) -> str:
    names = [str(name) for name in list(value)[:8]]
    there = (
        f"It has {', '.join(names)}{' …' if len(value) > 8 else ''}." if names else "It is empty."
    )
    if depth == 0:
        return f"There is no “{parts[0]}”. {there}".replace("It has", "There is")
    return f"{_where(parts, depth)} has no “{parts[depth]}”. {there}"
