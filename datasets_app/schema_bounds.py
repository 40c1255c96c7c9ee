"""What a schema may not hold, because checking an item by it could cost too much. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from evalhub.kit.errors import FieldError

MAX_DEPTH: Final = 60
MAX_PARTS: Final = 5_000
MAX_APPLIED: Final = 20_000
"""How many parts of a schema may apply to one value, `$ref` followed."""
MAX_PATTERN: Final = 1_000

DRAFTS: Final = (
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-04/schema",
)
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTED = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE = (
    "not",
    "if",
    "then",
    "else",
    "items",
    "additionalItems",
    "additionalProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
    "propertyNames",
    "contains",
    "contentSchema",
)
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


def refused_parts(schema: Any) -> list[FieldError]:
    """What is wrong with the schema's size, references and patterns, with pointers into it."""
    if not isinstance(schema, dict | bool):
        return [FieldError("", 'A schema is a JSON object, such as {"type": "object"}.')]
    problems: list[FieldError] = []
    for count, (pointer, part, depth) in enumerate(_parts(schema, "", 1), 1):
        if count > MAX_PARTS:
            return [FieldError("", f"A schema has at most {MAX_PARTS:,} parts.")]
        if depth > MAX_DEPTH:
            return [FieldError(pointer, f"A schema is nested at most {MAX_DEPTH} levels deep.")]
        if isinstance(part, dict):
            problems += _problems(pointer, part)
    if not problems and _applied(schema, schema, {}, ()) > MAX_APPLIED:
        detail = f"This schema applies more than {MAX_APPLIED:,} parts of itself to one value."
        problems.append(FieldError("", detail))
    return problems


def _problems(pointer: str, part: dict[str, Any]) -> Iterator[FieldError]:
    for name in _REFERENCES:
        target = part.get(name)
        if isinstance(target, str) and not target.startswith("#"):
            yield FieldError(
                f"{pointer}/{name}",
                f"“{target[:80]}” is outside of this schema, and nothing is fetched. Put it "
                "under “$defs” and refer to it as #/$defs/name.",
            )
    draft = part.get("$schema")
    if isinstance(draft, str) and draft.rstrip("#") not in DRAFTS:
        yield FieldError(
            f"{pointer}/$schema",
            f"“{draft[:80]}” is not known. Leave it out for draft 2020-12.",
        )
    patterns = part.get("patternProperties")
    for text in [part.get("pattern"), *(patterns if isinstance(patterns, dict) else ())]:
        if isinstance(text, str) and len(text) > MAX_PATTERN:
            yield FieldError(pointer, f"A pattern has at most {MAX_PATTERN:,} characters.")


def _parts(schema: Any, pointer: str, depth: int) -> Iterator[tuple[str, Any, int]]:
    """Every schema inside `schema`, itself first; values such as those of enum are none."""
    yield pointer, schema, depth
    if depth > MAX_DEPTH or not isinstance(schema, dict):
        return
    for path, part in _children(schema):
        yield from _parts(part, pointer + path, depth + 1)


def _children(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in schema.items():
        if isinstance(value, dict) and key in _NAMED:
            for name, part in value.items():
                yield f"/{key}/{name.replace('~', '~0').replace('/', '~1')}", part
        elif isinstance(value, list) and key in (*_LISTED, "items"):
            for index, part in enumerate(value):
                yield f"/{key}/{index}", part
        elif isinstance(value, dict) and key in _SINGLE:
            yield f"/{key}", value


def _applied(root: Any, schema: Any, known: dict[int, int], path: tuple[int, ...]) -> int:
    """How many parts one value can meet below `schema`; more than MAX_APPLIED counts as that + 1.

    A part that is met again inside itself counts once: the engine stops such circles.
    """
    if not isinstance(schema, dict) or id(schema) in path or len(path) > 4 * MAX_DEPTH:
        return 1
    if id(schema) in known:
        return known[id(schema)]
    inside = (*path, id(schema))
    total = 1
    for pointer, part in _children(schema):
        if not pointer.startswith(("/$defs/", "/definitions/")):
            total += _applied(root, part, known, inside)
    for name in _REFERENCES:
        target = schema.get(name)
        if isinstance(target, str):
            total += _applied(root, _follow(root, target), known, inside)
    known[id(schema)] = min(total, MAX_APPLIED + 1)
    return known[id(schema)]


def _follow(root: Any, reference: str) -> Any:
    """The part that #/a/b names; None for anchors and for what is not there."""
    found = root
    for part in reference.removeprefix("#").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found if reference == "#" or "/" in reference else None
