"""A JSON Schema that a sample of values keeps to: a first draft for a person to tighten. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

MAX_FIELDS: Final = 100
"""An object with more names than this is a map: its fields are not listed."""
MAX_DEPTH: Final = 8
MAX_CHOICES: Final = 8
MIN_SEEN: Final = 5
"""How often each of a few texts has to be there on average for them to be the only choices."""
MAX_CHOICE_CHARACTERS: Final = 40
_ORDER: Final = ("object", "array", "string", "integer", "number", "boolean", "null")


@dataclass(slots=True)
class _Seen:
    """What was seen in one place of the values."""

    types: set[str] = field(default_factory=set)
    objects: int = 0
    fields: dict[str, _Seen] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    is_map: bool = False
    entries: _Seen | None = None
    texts: dict[str, int] | None = field(default_factory=dict)  # None: too many, or too long

    def add(self, value: Any, depth: int) -> None:
        self.types.add(_type(value))
        if isinstance(value, str):
            self._add_text(value)
        elif depth < MAX_DEPTH and isinstance(value, dict):
            self._add_object(value, depth)
        elif depth < MAX_DEPTH and isinstance(value, list):
            for entry in value[:MAX_FIELDS]:
                self.entries = self.entries or _Seen()
                self.entries.add(entry, depth + 1)
            if len(value) > MAX_FIELDS:
                self.entries = _Seen()  # says nothing about entries that were not looked at

    def schema(self) -> dict[str, Any]:
        types = [name for name in _ORDER if name in self.types]
        if "number" in types and "integer" in types:
            types.remove("integer")
        found: dict[str, Any] = {}
        if types:
            found["type"] = types[0] if len(types) == 1 else types
        if self.fields and not self.is_map:
            found["properties"] = {name: seen.schema() for name, seen in self.fields.items()}
            required = [name for name, count in self.counts.items() if count == self.objects]
            if required:
                found["required"] = required
        if self.entries is not None and self.entries.types:
            found["items"] = self.entries.schema()
        if types == ["string"] and self._is_choice():
            found["enum"] = sorted(self.texts or ())
        return found

    def _add_text(self, text: str) -> None:
        if self.texts is None:
            return
        if len(text) > MAX_CHOICE_CHARACTERS or len(self.texts) > MAX_CHOICES:
            self.texts = None
        else:
            self.texts[text] = self.texts.get(text, 0) + 1

    def _add_object(self, value: dict[str, Any], depth: int) -> None:
        self.objects += 1
        if self.is_map or len(self.fields.keys() | value.keys()) > MAX_FIELDS:
            self.is_map = True
            return
        for name, inside in value.items():
            self.fields.setdefault(name, _Seen()).add(inside, depth + 1)
            self.counts[name] = self.counts.get(name, 0) + 1

    def _is_choice(self) -> bool:
        if not self.texts or not 2 <= len(self.texts) <= MAX_CHOICES:
            return False
        return sum(self.texts.values()) >= MIN_SEEN * len(self.texts)


def infer_schema(values: Iterable[Any]) -> dict[str, Any]:
    """A schema that all of `values` keep to; {} when there are none.

    It has types, the fields of objects and which of them are always there, and the choices where
    the same few short texts come again and again. Other fields stay allowed.
    """
    seen = _Seen()
    for value in values:
        seen.add(value, 0)
    return seen.schema()


def _type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        # JSON Schema counts 1.0 as an integer too, but an editor would be surprised by it.
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
