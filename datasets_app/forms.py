"""Forms of the dataset pages: they parse and explain; actions decide."""

from __future__ import annotations

from typing import Any

from django import forms

from datasets_app.importing.detect import DELIMITERS, FORMATS
from datasets_app.importing.encodings import ENCODINGS
from evalhub.kit.errors import EvalhubError


class DatasetForm(forms.Form):
    """A dataset's name, description and tags."""

    name = forms.CharField(max_length=120, error_messages={"required": "Give the dataset a name."})
    description = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="Markdown"
    )
    tags = forms.CharField(required=False, max_length=1_000, help_text="Separated by commas")

    def clean_tags(self) -> list[str]:
        return str(self.cleaned_data["tags"]).split(",")


class ReadingForm(forms.Form):
    """How a file to import is read; what is left open is detected."""

    format = forms.ChoiceField(required=False, choices=[("", "Detect"), *FORMATS.items()])
    delimiter = forms.ChoiceField(required=False, choices=[("", "Detect"), *DELIMITERS.items()])
    encoding = forms.ChoiceField(
        required=False, choices=[("", "Detect (UTF-8 first)"), *ENCODINGS.items()]
    )
    header = forms.ChoiceField(
        required=False, label="First row", choices=[("", "Column names"), ("no", "Data")]
    )

    def given(self) -> dict[str, Any]:
        """What was chosen, as the actions take it; None is detected."""
        data = self.cleaned_data
        chosen = {name: data[name] or None for name in ("format", "delimiter", "encoding")}
        return chosen | {"has_header": False if data["header"] == "no" else None}


class UploadForm(ReadingForm):
    """The file to import as well."""

    file = forms.FileField(
        error_messages={
            "required": "Choose a file.",
            "empty": "The file is empty. Choose a file with at least one row.",
        },
        widget=forms.FileInput(
            attrs={
                "class": "sr-only",
                "accept": ".csv,.tsv,.tab,.txt,.json,.jsonl,.ndjson,.parquet,.gz,.zip",
            }
        ),
    )
    member = forms.CharField(
        required=False,
        max_length=500,
        label="File in the zip",
        strip=False,
        widget=forms.TextInput(attrs={"placeholder": "When it holds several"}),
    )


def add_errors(form: forms.Form, error: EvalhubError) -> None:
    """Put the problems of an action's error where they belong in the form."""
    # Of a list of items a form has the only one.
    places = [(one.pointer.removeprefix("/items/0"), one.detail) for one in error.errors]
    known = [
        (pointer.split("/")[1], detail)
        for pointer, detail in places
        if pointer.count("/") and pointer.split("/")[1] in form.fields
    ]
    if len(known) == 1:
        form.add_error(known[0][0], error.detail)
        return
    for name, detail in known:
        form.add_error(name, detail)
    if not known:
        form.add_error(None, error.detail)
