"""A value written in a form: JSON when it is JSON, else plain text."""

from __future__ import annotations

from typing import Any

from django import forms

from evalhub.kit.json import ABSENT, JsonError, dumps, loads, pretty

QUOTED_SHOWN = 60  # characters of a text up to which an error shows it quoted in full
_NAMES = {bool: "true or false", int: "a number", float: "a number", type(None): "null"}


def read_value(text: str) -> Any:
    """The value that a text stands for: JSON when it is JSON, else the text itself without the
    space around it, with plain line ends; ABSENT when it is empty.

    What begins like JSON and is none is a slip, so it raises ValidationError.
    """
    text = text.strip()
    if not text:
        return ABSENT
    try:
        return loads(text)
    except JsonError as error:
        if text[0] not in '{["':
            return text.replace("\r\n", "\n").replace("\r", "\n")  # as a browser sends them
        raise forms.ValidationError(_not_json(text, error)) from error


def show_value(value: Any) -> str:
    """The text that `read_value` reads as this value; "" for ABSENT."""
    if value is ABSENT:
        return ""
    if isinstance(value, str):
        try:
            plain = read_value(value) == value
        except forms.ValidationError:
            plain = False
        return value if plain else dumps(value)
    return pretty(value)


def reading_of(text: str) -> str:
    """How a text is read, in words; "" for an empty one. Raises ValidationError."""
    value = read_value(text)
    if value is ABSENT:
        return ""
    if isinstance(value, str):
        return "Text in quotes" if text.lstrip().startswith('"') else "Plain text"
    if isinstance(value, dict | list):
        return "Valid JSON"
    return f"Read as {_NAMES[type(value)]}. In quotes it is a text."


class ValueField(forms.CharField):
    """A value by `read_value`, or a JSON object such as `example`. Cleans to the value; ABSENT when
    left empty."""

    def __init__(self, *, rows: int, example: str = "", **options: Any) -> None:
        attrs = {"class": "textarea--code", "rows": rows, "spellcheck": "false"}
        super().__init__(widget=forms.Textarea(attrs=attrs), strip=False, **options)
        self.example = example

    def clean(self, value: Any) -> Any:
        text = super().clean(value if str(value or "").strip() else "")
        if self.example:
            return self._object(text.strip())
        return read_value(text)

    def _object(self, text: str) -> Any:
        """What is no JSON cannot be meant as a text here, so nobody is told to put it in quotes."""
        try:
            found = loads(text) if text else ABSENT
        except JsonError as error:
            message = error.message.rstrip(".") if text[0] in '{["' else ""
            raise forms.ValidationError(
                f"{message + '. ' if message else ''}{self._what()}"
            ) from error
        if found is not ABSENT and not isinstance(found, dict):
            raise forms.ValidationError(self._what())
        return found

    def _what(self) -> str:
        return f"{self.label} is a JSON object, such as {self.example}."


def _not_json(text: str, error: JsonError) -> str:
    message = error.message.rstrip(".") + "."
    if len(text) <= QUOTED_SHOWN:
        return f"{message} To keep it as text, put it in quotes: {dumps(text)}"
    return f"{message} To keep it as text, put it in double quotes, with \\n for a line end."
