"""Templates: plain `{{ path }}` replacement over an item. Pure.

A path begins with a root (`input`, `metadata`, `context`, `item`; `key` in headers) and walks
objects and list indexes, as `evalhub.kit.json.get_path` does. A text goes in as it is, any other
value as compact JSON. There are no expressions and no filters: nothing here can run code, reach an
attribute or grow without bound. Braces around what does not begin with a name are literal text.

Templates are compiled once for a run. JSON whose texts are templates: json_bodies.py.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from evalhub.kit.errors import FieldError, Invalid
from evalhub.kit.json import ABSENT, PathError, dumps, get_path, loads, split_path
from runs_app.targets.base import ItemCall, TargetFailure

ROOTS: Final = ("input", "metadata", "context", "item")
ITEM_FIELDS: Final = ("number", "external_id")
MAX_CHARS: Final = 4_000_000  # of one rendered template
MAX_TEMPLATE_CHARS: Final = 200_000

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][^{}]*?)\s*\}\}")


class TemplateError(TargetFailure):
    """A template that cannot be filled from this item; trying again would not help."""

    def __init__(self, message: str) -> None:
        super().__init__("template", message)


@dataclass(frozen=True, slots=True)
class Path:
    """Where a value comes from: `rest` is the dotted path inside the root, "" for all of it."""

    root: str
    rest: str

    def __str__(self) -> str:
        return f"{self.root}.{self.rest}" if self.rest else self.root


class Fields:
    """What the templates of one item can name; each root is parsed when it is first asked for."""

    __slots__ = ("_parsed", "item", "key")

    def __init__(self, item: ItemCall, key: str | None = None) -> None:
        self.item = item
        self.key = key
        self._parsed: dict[str, Any] = {}

    def root(self, name: str) -> Any:
        """The value of a root, ABSENT when the item has none."""
        value = self._parsed.get(name, self)
        if value is self:
            value = self._parsed[name] = self._read(name)
        return value

    def get(self, path: Path) -> Any:
        """The value at a path. Raises TemplateError that says what there is instead."""
        value = self.root(path.root)
        if value is ABSENT:
            raise TemplateError(f"The template names {{{{ {path} }}}}, but {_NOTHING[path.root]}.")
        if not path.rest:
            return value
        try:
            return get_path(value, path.rest)
        except PathError:
            raise TemplateError(_missing(value, path)) from None

    def json_of(self, path: Path) -> str:
        """The value at a path as JSON text; a whole root as it is stored."""
        if not path.rest:
            if path.root == "input":
                return self.item.input_json
            if path.root == "metadata":
                return self.item.metadata_json
            if path.root == "context" and self.item.context_json is not None:
                return self.item.context_json
        return dumps(self.get(path))

    def _read(self, name: str) -> Any:
        item = self.item
        if name == "input":
            return loads(item.input_json)
        if name == "metadata":
            return loads(item.metadata_json)
        if name == "context":
            return ABSENT if item.context_json is None else loads(item.context_json)
        if name == "key":
            return ABSENT if self.key is None else self.key
        fields: dict[str, Any] = {"number": item.number}
        if item.external_id is not None:
            fields["external_id"] = item.external_id
        return fields


class Template:
    """A text with placeholders. Raises Invalid when it names an unknown root."""

    __slots__ = ("parts", "paths", "text")

    def __init__(self, text: str, roots: Collection[str] = ROOTS) -> None:
        self.text = text
        self.parts = split(text, roots)
        self.paths = [part for part in self.parts if isinstance(part, Path)]

    @property
    def exact(self) -> Path | None:
        """The path, when the template is one placeholder and nothing else."""
        only = self.parts[0] if len(self.parts) == 1 else None
        return only if isinstance(only, Path) else None

    def render(self, fields: Fields) -> str:
        """The text for one item. Raises TemplateError."""
        if not self.paths:
            return self.text
        return joined(
            [part if isinstance(part, str) else as_text(fields.get(part)) for part in self.parts]
        )


def check(text: str, roots: Collection[str] = ROOTS, *, pointer: str = "") -> None:
    """Raise Invalid, with the position, when a template names what no template of its place knows.

    `pointer` is the JSON pointer of the field that holds it.
    """
    if len(text) > MAX_TEMPLATE_CHARS:
        detail = (
            f"The template has {len(text):,} characters; at most {MAX_TEMPLATE_CHARS:,} are kept."
        )
        raise Invalid(detail, errors=[FieldError(pointer, detail)])
    for match in _PLACEHOLDER.finditer(text):
        problem = _problem(match.group(1), roots)
        if problem:
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - text.rfind("\n", 0, match.start())
            detail = f"Line {line:,}, column {column:,}: {problem}"
            raise Invalid(detail, errors=[FieldError(pointer, detail)])


_NOTHING: Final = {
    "context": "the item has no context and the run neither",
    "key": "the connection has no key",
}


def _problem(name: str, roots: Collection[str]) -> str:
    root, dot, rest = name.partition(".")
    if root not in roots:
        return (
            f"{{{{ {name} }}}} names nothing that is known here. A template can name "
            f"{_listed(roots)}, such as {{{{ input.question }}}}; there are no expressions or "
            "filters."
        )
    if root == "key" and dot:
        return "{{ key }} is a text: nothing lies below it."
    if root == "item" and rest not in ITEM_FIELDS:
        return (
            f"{{{{ {name} }}}} is unknown; there are {{{{ item.number }}}} and "
            "{{ item.external_id }}."
        )
    if dot:
        try:
            split_path(rest)
        except PathError:
            return f"{{{{ {name} }}}} is no path: a part of it is empty."
    return ""


def _listed(roots: Collection[str]) -> str:
    names = list(roots)
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def split(text: str, roots: Collection[str]) -> list[str | Path]:
    """The literal pieces and the paths of a template. Raises Invalid as `check` does."""
    check(text, roots)
    parts: list[str | Path] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        if match.start() > end:
            parts.append(text[end : match.start()])
        root, _, rest = match.group(1).partition(".")
        parts.append(Path(root, rest))
        end = match.end()
    if end < len(text):
        parts.append(text[end:])
    return parts


def as_text(value: Any) -> str:
    """A value as templates insert it into a text."""
    return value if isinstance(value, str) else dumps(value)


def joined(parts: list[str]) -> str:
    """The pieces as one text. Raises TemplateError when it would be too long."""
    # The parts are shared with the item, so their sum is known before anything large is built.
    size = sum(map(len, parts))
    if size > MAX_CHARS:
        raise TemplateError(
            f"The filled template has {size:,} characters; at most {MAX_CHARS:,} are sent."
        )
    return parts[0] if len(parts) == 1 else "".join(parts)


def _missing(value: Any, path: Path) -> str:
    """The sentence for a path that leads nowhere in the value of its root."""
    where = [path.root]
    for part in split_path(path.rest):
        place = ".".join(where) if len(where) > 1 else f"the {where[0]}"
        if isinstance(value, dict):
            if part not in value:
                return (
                    f"The template names {{{{ {path} }}}}, but {place} has no “{part}”. "
                    f"{_names(value)}"
                )
            value = value[part]
        elif isinstance(value, list):
            if not (part.isascii() and part.isdigit()) or int(part[:18]) >= len(value):
                count = f"{len(value):,} element{'' if len(value) == 1 else 's'}"
                return (
                    f"The template names {{{{ {path} }}}}, but {place} is a list of {count}: "
                    f"there is no “{part}” in it. Indexes count from 0."
                )
            value = value[int(part)]
        else:
            return (
                f"The template names {{{{ {path} }}}}, but {place} is {_kind_of(value)}, no "
                f"object: there is no “{part}” in it."
            )
        where.append(part)
    return f"The template names {{{{ {path} }}}}, which leads nowhere."


def _names(value: dict[str, Any]) -> str:
    if not value:
        return "It is empty."
    more = f" and {len(value) - 8:,} more" if len(value) > 8 else ""
    return f"It has: {', '.join(name[:60] for name in list(value)[:8])}{more}."


def _kind_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    return "a text" if isinstance(value, str) else "a number"
