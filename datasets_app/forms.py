"""Forms of the dataset pages: they parse and explain; actions decide."""

from __future__ import annotations

from typing import Any

from django import forms

from datasets_app.importing.detect import DELIMITERS
from datasets_app.importing.encodings import ENCODINGS
from datasets_app.items import ItemContent, parse_item
from datasets_app.models import ItemRevision
from evalhub.kit.errors import EvalhubError, Invalid
from evalhub.kit.json import ABSENT, JsonError, dumps, loads, pretty

QUOTED_SHOWN = 60  # characters of a text up to which the error shows it quoted in full


class JsonField(forms.CharField):
    """A JSON value written in a textarea. Cleans to the value; ABSENT when it is left empty."""

    def __init__(self, *, rows: int, only_object: bool = False, **options: Any) -> None:
        attrs = {"class": "textarea--code", "rows": rows, "spellcheck": "false"}
        super().__init__(widget=forms.Textarea(attrs=attrs), **options)
        self.only_object = only_object

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return ABSENT
        try:
            found = loads(text)
        except JsonError as error:
            raise forms.ValidationError(_not_json(text, error)) from error
        if self.only_object and not isinstance(found, dict):
            raise forms.ValidationError(
                f'{self.label} is a JSON object, such as {{"topic": "percent"}}.'
            )
        return found


def _not_json(text: str, error: JsonError) -> str:
    message = error.message.rstrip(".") + "."
    if text[0] in '{["':
        return message
    if len(text) <= QUOTED_SHOWN:
        return f"{message} To keep it as text, put it in quotes: {dumps(text)}"
    return f"{message} To keep it as text, put it in double quotes, with \\n for a line end."


class ItemForm(forms.Form):
    """An item's fields. `content` is there once the form is valid.

    `kept` is the revision that is edited: what the form does not show is taken from it.
    """

    input = JsonField(rows=8, label="Input", error_messages={"required": "An item needs an input."})
    expected_output = JsonField(rows=3, label="Expected output", required=False)
    metadata = JsonField(rows=5, label="Metadata", required=False, only_object=True)
    context = JsonField(rows=3, label="Context", required=False, only_object=True)
    tags = forms.CharField(required=False, help_text="Separated by commas")
    split = forms.CharField(required=False, max_length=60)
    external_id = forms.CharField(required=False, max_length=200, label="External ID")
    message = forms.CharField(required=False, max_length=500, label="Why the change")
    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)

    content: ItemContent

    def __init__(self, *args: Any, kept: ItemRevision | None = None, **options: Any) -> None:
        if kept is not None:
            options["initial"] = _initial(kept) | options.get("initial", {})
        super().__init__(*args, **options)
        self.kept = kept

    @property
    def shows_more(self) -> bool:
        """Whether a field below "More fields" holds something or has an error."""
        names = ("context", "tags", "split", "external_id")
        return any(self[name].value() or self[name].errors for name in names)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            self.content = parse_item(self._payload(cleaned))
        except Invalid as error:
            add_errors(self, error)
        return cleaned

    def _payload(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        payload = {
            name: cleaned[name]
            for name in ("input", "expected_output", "metadata", "context")
            if cleaned[name] is not ABSENT
        }
        payload["tags"] = _tags(cleaned["tags"])
        payload["split"] = cleaned["split"]
        payload["external_id"] = cleaned["external_id"] or None
        if self.kept is not None:
            payload["source"] = self.kept.source
            if self.kept.scorers_json is not None:
                payload["scorers"] = loads(self.kept.scorers_json)
        return payload


JSON_FIELDS = ("input", "expected_output", "metadata", "context")


def json_problem(name: str, text: str) -> str | None:
    """What is wrong with the text of the item's JSON field `name`; None when nothing is."""
    try:
        ItemForm.base_fields[name].clean(text)
    except forms.ValidationError as error:
        return str(error.messages[0])
    return None


def _tags(text: str) -> list[str]:
    return list(dict.fromkeys(tag.strip() for tag in text.split(",") if tag.strip()))


def _initial(revision: ItemRevision) -> dict[str, Any]:
    def text(stored: str | None) -> str:
        return "" if stored is None else pretty(loads(stored))

    return {
        "input": text(revision.input_json),
        "expected_output": text(revision.expected_json),
        "metadata": text(revision.metadata_json) if revision.metadata_json != "{}" else "",
        "context": text(revision.context_json),
        "tags": ", ".join(revision.tags),
        "split": revision.split,
        "external_id": revision.external_id or "",
        "revision": revision.pk,
    }


class DatasetForm(forms.Form):
    """A dataset's name and description."""

    name = forms.CharField(max_length=120, error_messages={"required": "Give the dataset a name."})
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))


class UploadForm(forms.Form):
    """The file to import and how it is read; what is left open is detected."""

    file = forms.FileField(
        error_messages={
            "required": "Choose a file.",
            "empty": "The file is empty. Choose a file with at least one row.",
        },
        widget=forms.FileInput(
            attrs={"class": "sr-only", "accept": ".csv,.tsv,.tab,.txt,.jsonl,.ndjson"}
        ),
    )
    format = forms.ChoiceField(
        required=False,
        choices=[("", "Detect"), ("csv", "CSV"), ("tsv", "TSV"), ("jsonl", "JSONL")],
    )
    delimiter = forms.ChoiceField(required=False, choices=[("", "Detect"), *DELIMITERS.items()])
    encoding = forms.ChoiceField(
        required=False, choices=[("", "Detect (UTF-8 first)"), *ENCODINGS.items()]
    )
    header = forms.ChoiceField(
        required=False,
        label="First row",
        choices=[("", "Column names"), ("no", "Data")],
        help_text="CSV and TSV only",
    )


def add_errors(form: forms.Form, error: EvalhubError) -> None:
    """Put the problems of an action's error where they belong in the form."""
    known = [
        (found.pointer.split("/")[1], found.detail)
        for found in error.errors
        if found.pointer.count("/") and found.pointer.split("/")[1] in form.fields
    ]
    if len(known) == 1:
        form.add_error(known[0][0], error.detail)
        return
    for name, detail in known:
        form.add_error(name, detail)
    if not known:
        form.add_error(None, error.detail)
