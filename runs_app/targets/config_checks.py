"""Checking a target's configuration: unknown names, types and sizes, all problems at once. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from evalhub.kit.errors import FieldError, Invalid
from evalhub.kit.json import JsonError, PathError, dumps, split_path
from runs_app.targets import templates

MAX_JSON_CHARS: Final = 200_000
MAX_PATH_CHARS: Final = 500


class Checks:
    """Reads fields of one object and collects what is wrong; `pointer` is where the object lies."""

    def __init__(self, given: object, known: Collection[str], pointer: str = "/config") -> None:
        self.pointer = pointer
        self.errors: list[FieldError] = []
        self.given: dict[str, Any] = {}
        if not isinstance(given, dict):
            self.fail("", "This must be an object.")
            return
        self.given = given
        for name in given:
            if name not in known:
                self.fail(f"/{name}", f"“{name[:60]}” is unknown. There are: {', '.join(known)}.")

    def fail(self, below: str, detail: str) -> None:
        """Note a problem at `pointer` + `below`."""
        self.errors.append(FieldError(self.pointer + below, detail))

    def take(self, other: Invalid) -> None:
        """Note the problems that another check has found."""
        self.errors += other.errors or [FieldError(self.pointer, other.detail)]

    def done(self) -> None:
        """Raise Invalid when anything was wrong."""
        if self.errors:
            raise Invalid(self.errors[0].detail, errors=self.errors)

    def text(self, name: str, *, most: int, default: str = "", needed: str = "") -> str:
        """A text without space around it; `needed` says what to do when it is missing or empty."""
        value = self.given.get(name)
        value = default if value is None else value
        if not isinstance(value, str):
            self.fail(f"/{name}", "This must be a text.")
            return default
        value = value.strip()
        if needed and not value:
            self.fail(f"/{name}", needed)
        if len(value) > most:
            self.fail(f"/{name}", f"At most {most:,} characters; these are {len(value):,}.")
        if any(ord(char) < 32 or ord(char) == 127 for char in value):
            self.fail(f"/{name}", "A line break or another control character cannot stand here.")
        return value

    def template(self, name: str, *, default: str = "") -> str:
        """A template over an item, spaces and line breaks kept."""
        value = self.given.get(name)
        value = default if value is None else value
        if not isinstance(value, str):
            self.fail(f"/{name}", "This must be a text.")
            return default
        try:
            templates.check(value, pointer=f"{self.pointer}/{name}")
        except Invalid as error:
            self.take(error)
        return value

    def path(self, name: str) -> str:
        """A dotted path, "" when there is none."""
        value = self.text(name, most=MAX_PATH_CHARS)
        if value:
            try:
                split_path(value)
            except PathError as error:
                self.fail(f"/{name}", str(error))
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """An object, {} when there is none."""
        value = self.given.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fail(f"/{name}", "This must be an object.")
            return {}
        self.size(name)
        return value

    def size(self, name: str) -> None:
        """Refuse a JSON value that is too large or none."""
        try:
            chars = len(dumps(self.given.get(name)))
        except JsonError as error:
            self.fail(f"/{name}", error.message)
            return
        if chars > MAX_JSON_CHARS:
            self.fail(
                f"/{name}", f"At most {MAX_JSON_CHARS:,} characters of JSON; these are {chars:,}."
            )


def step(name: str) -> str:
    """A name as one step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")
