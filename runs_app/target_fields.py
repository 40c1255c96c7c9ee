"""Fields of the forms of targets: templates, JSON, and lines that become an object."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms

from evalhub.kit.errors import Invalid
from evalhub.kit.json import JsonError, loads
from runs_app.targets import templates
from runs_app.targets.json_bodies import JsonTemplate

MAX_CHARS = 200_000


def code_line(placeholder: str = "") -> forms.TextInput:
    """A one-line field for paths, addresses and names of models."""
    return forms.TextInput(
        attrs={
            "class": "input--code",
            "placeholder": placeholder,
            "spellcheck": "false",
            "autocomplete": "off",
        }
    )


class CodeField(forms.CharField):
    """A text in a monospaced area. `checks` says that it is checked while it is written."""

    checks = True
    good = ""  # what to say of a text without faults

    def __init__(self, *, rows: int = 4, placeholder: str = "", **options: Any) -> None:
        attrs = {
            "class": "textarea--code",
            "rows": rows,
            "spellcheck": "false",
            "placeholder": placeholder,
        }
        options = {"required": False, "strip": False, "max_length": MAX_CHARS} | options
        super().__init__(widget=forms.Textarea(attrs=attrs), **options)

    def clean(self, value: Any) -> Any:
        """The value; None when the field is left empty. Line ends become \\n."""
        text = str(super().clean(value) or "").replace("\r\n", "\n")
        return self.read(text) if text.strip() else None

    def read(self, text: str) -> Any:
        """The value of a text that is not empty. Raises ValidationError."""
        return text


class TemplateField(CodeField):
    """A template over an item; cleans to its text, "" when left empty."""

    good = "Every name in it is known"

    def __init__(self, *, roots: Collection[str] = templates.ROOTS, **options: Any) -> None:
        super().__init__(**options)
        self.roots = roots

    def clean(self, value: Any) -> Any:
        return super().clean(value) or ""

    def read(self, text: str) -> Any:
        try:
            templates.check(text, self.roots)
        except Invalid as error:
            raise forms.ValidationError(error.detail) from error
        return text


class JsonField(CodeField):
    """A JSON value, or an object alone; cleans to it, None when left empty."""

    good = "Valid JSON"

    def __init__(self, *, only_object: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.only_object = only_object

    def read(self, text: str) -> Any:
        try:
            value = loads(text, what=str(self.label or "JSON"))
        except JsonError as error:
            raise forms.ValidationError(f"{error.message.rstrip('.')}.") from error
        if self.only_object and not isinstance(value, dict):
            raise forms.ValidationError("This is a JSON object, in { and }.")
        return value


class BodyField(JsonField):
    """JSON whose texts are templates."""

    good = "Valid JSON, and every name in it is known"

    def read(self, text: str) -> Any:
        value = super().read(text)
        try:
            JsonTemplate(value)
        except Invalid as error:
            raise forms.ValidationError(error.detail) from error
        return value


class LinesField(CodeField):
    """Lines such as `X-Tenant: {{ context.tenant }}`; cleans to an object, {} when left empty."""

    good = "Every line has a name and a value"

    def __init__(self, *, roots: Collection[str] = (), **options: Any) -> None:
        super().__init__(**options)
        self.roots = roots

    def clean(self, value: Any) -> Any:
        return super().clean(value) or {}

    def read(self, text: str) -> Any:
        found: dict[str, str] = {}
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            name, colon, value = line.partition(":")
            name, value = name.strip(), value.strip()
            if not (colon and name and value):
                raise forms.ValidationError(f"Line {number}: write a name, a colon and a value.")
            if name in found:
                raise forms.ValidationError(f"Line {number}: {name} is there twice.")
            if self.roots:
                self._check(value, number)
            found[name] = value
        return found

    def _check(self, value: str, number: int) -> None:
        try:
            templates.check(value, self.roots)
        except Invalid as error:
            detail = error.detail.partition(": ")[2] or error.detail
            raise forms.ValidationError(f"Line {number}: {detail}") from error


def as_lines(given: dict[str, str]) -> str:
    """An object as `LinesField` shows it."""
    return "\n".join(f"{name}: {value}" for name, value in given.items())
