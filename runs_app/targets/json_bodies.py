"""JSON values whose texts are templates, rendered straight to JSON text. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from evalhub.kit.json import dumps
from runs_app.targets.templates import ROOTS, Fields, Path, as_text, check, joined, split


@dataclass(frozen=True, slots=True)
class _Slot:
    """A hole in a JSON text: a whole value, or a piece inside a string's quotes."""

    path: Path
    whole: bool


class JsonTemplate:
    """What stays the same of the value is written out once; only the holes are filled per item.

    A text that is exactly one placeholder becomes the value itself, any other stays a text. Names
    of objects are left as they are. Raises Invalid when a text names an unknown root, with the JSON
    pointer of that text below `pointer`.
    """

    __slots__ = ("_pieces", "paths")

    def __init__(self, value: Any, roots: Collection[str] = ROOTS, *, pointer: str = "") -> None:
        self._pieces: list[str | _Slot] = []
        self._write(value, roots, pointer)
        self.paths = [piece.path for piece in self._pieces if isinstance(piece, _Slot)]

    def render(self, fields: Fields) -> str:
        """The JSON text for one item. Raises TemplateError."""
        return joined([_filled(piece, fields) for piece in self._pieces])

    def _write(self, value: Any, roots: Collection[str], pointer: str) -> None:
        if isinstance(value, dict):
            for at, (name, inner) in enumerate(value.items()):
                self._add(f"{',' if at else '{'}{dumps(name)}:")
                self._write(inner, roots, f"{pointer}/{_escaped(name)}")
            self._add("}" if value else "{}")
        elif isinstance(value, list):
            for at, inner in enumerate(value):
                self._add("," if at else "[")
                self._write(inner, roots, f"{pointer}/{at}")
            self._add("]" if value else "[]")
        elif isinstance(value, str):
            check(value, roots, pointer=pointer)
            self._write_text(split(value, roots))
        else:
            self._add(dumps(value))

    def _write_text(self, parts: list[str | Path]) -> None:
        if len(parts) == 1 and isinstance(parts[0], Path):
            self._pieces.append(_Slot(parts[0], whole=True))
            return
        self._add('"')
        for part in parts:
            if isinstance(part, str):
                self._add(_in_quotes(part))
            else:
                self._pieces.append(_Slot(part, whole=False))
        self._add('"')

    def _add(self, text: str) -> None:
        if self._pieces and isinstance(last := self._pieces[-1], str):
            self._pieces[-1] = last + text
        else:
            self._pieces.append(text)


def _filled(piece: str | _Slot, fields: Fields) -> str:
    if isinstance(piece, str):
        return piece
    if piece.whole:
        return fields.json_of(piece.path)
    return _in_quotes(as_text(fields.get(piece.path)))


def _in_quotes(text: str) -> str:
    return dumps(text)[1:-1]


def _escaped(name: str) -> str:
    """A name as one step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")
