"""The form of one item: it parses and explains; actions decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from datasets_app.items import ItemContent, parse_item
from datasets_app.models import ItemRevision
from evalhub.kit.errors import EvalhubError, FieldError, Invalid
from evalhub.kit.json import ABSENT, JsonError, dumps, loads
from evalhub.kit.value_field import ValueField, show_value

JSON_FIELDS = ("input", "expected_output", "metadata", "context")
INHERIT, NONE, OWN = "", "none", "own"
CONTROLS = {"scorers": ("scorers", "scorer_list")}
"""The names of the controls of a field, where they are not the field's own name."""


class ScorerListField(forms.CharField):
    """Names separated by commas, or a JSON list of names and objects. Cleans to a list."""

    def clean(self, value: Any) -> list[Any]:
        text = super().clean(value)
        if not text.startswith("["):
            return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
        try:
            found = loads(text)
        except JsonError as error:
            raise forms.ValidationError(error.message) from error
        assert isinstance(found, list)
        return found


class ItemForm(forms.Form):
    """An item's fields. `content` is there once the form is valid.

    `kept` is the revision that is edited: where the item came from is taken from it.
    """

    input = ValueField(
        rows=8, label="Input", error_messages={"required": "An item needs an input."}
    )
    expected_output = ValueField(rows=3, label="Expected output", required=False)
    metadata = ValueField(rows=5, label="Metadata", required=False, example='{"topic": "percent"}')
    context = ValueField(rows=3, label="Context", required=False, example='{"locale": "en"}')
    tags = forms.CharField(required=False, help_text="Separated by commas")
    split = forms.CharField(
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"list": "known-splits", "autocomplete": "off"}),
    )
    scorers = forms.ChoiceField(
        required=False,
        widget=forms.RadioSelect,
        choices=[
            (INHERIT, "Those of the run, or else of the dataset"),
            (NONE, "None: this item is not scored unless a run says so"),
            (OWN, "Its own, where a run names none:"),
        ],
    )
    scorer_list = ScorerListField(
        required=False,
        label="Its own scorers",
        help_text="Names separated by commas, or a JSON list",
    )
    external_id = forms.CharField(required=False, max_length=200, label="External ID")
    message = forms.CharField(required=False, max_length=500, label="Why the change")
    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)

    content: ItemContent

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        kept: ItemRevision | None = None,
        **options: Any,
    ) -> None:
        if kept is not None:
            options["initial"] = form_texts(kept) | options.get("initial", {})
        super().__init__(data, **options)
        self.kept = kept

    @property
    def shows_more(self) -> bool:
        """Whether a field below "More fields" holds something or has an error."""
        names = ("context", "tags", "split", "scorers", "scorer_list", "external_id")
        return any(self[name].value() or self[name].errors for name in names)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        if cleaned["scorers"] == OWN and not cleaned["scorer_list"]:
            self.add_error("scorer_list", "Name at least one scorer, or choose another answer.")
            return cleaned
        try:
            self.content = parse_item(self._payload(cleaned))
        except Invalid as error:
            add_item_errors(self, error)
        return cleaned

    def _payload(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        payload = {name: cleaned[name] for name in JSON_FIELDS if cleaned[name] is not ABSENT}
        payload["tags"] = list(
            dict.fromkeys(tag.strip() for tag in cleaned["tags"].split(",") if tag.strip())
        )
        payload["split"] = cleaned["split"]
        payload["external_id"] = cleaned["external_id"] or None
        if cleaned["scorers"] != INHERIT:
            payload["scorers"] = [] if cleaned["scorers"] == NONE else cleaned["scorer_list"]
        if self.kept is not None:
            payload["source"] = self.kept.source
        return payload


def form_texts(revision: ItemRevision) -> dict[str, Any]:
    """What the form shows of a revision, by the names of its controls."""

    def text(stored: str | None) -> str:
        return "" if stored is None else show_value(loads(stored))

    scorers = None if revision.scorers_json is None else loads(revision.scorers_json)
    plain = all(isinstance(one, str) and "," not in one for one in scorers or ())
    return {
        "input": text(revision.input_json),
        "expected_output": text(revision.expected_json),
        "metadata": text(revision.metadata_json) if revision.metadata_json != "{}" else "",
        "context": text(revision.context_json),
        "tags": ", ".join(revision.tags),
        "split": revision.split,
        "scorers": INHERIT if scorers is None else OWN if scorers else NONE,
        "scorer_list": ", ".join(scorers or ()) if plain else dumps(scorers),
        "external_id": revision.external_id or "",
        "revision": revision.pk,
    }


def with_theirs(data: QueryDict, theirs: ItemRevision) -> QueryDict:
    """What was sent, with their text in each field for which `pick_<field>` says "theirs"."""
    texts = form_texts(theirs)
    merged = data.copy()
    for key, pick in data.items():
        field = key.removeprefix("pick_")
        if key != field and pick == "theirs":
            for name in CONTROLS.get(field, (field,)):
                if name in texts:
                    merged[name] = texts[name]
    return merged


def json_problem(name: str, text: str) -> str | None:
    """What is wrong with the text of the item's JSON field `name`; None when nothing is."""
    try:
        ItemForm.base_fields[name].clean(text)
    except forms.ValidationError as error:
        return str(error.messages[0])
    return None


def add_item_errors(form: forms.Form, error: EvalhubError) -> None:
    """Put the problems of an action's error beside the fields they are in, with a JSON pointer
    where the place is inside the field.
    """
    placed = [(one, *_place(one)) for one in error.errors]
    for one, field, inside in placed:
        if field in form.fields:
            alone = error.detail if len(placed) == 1 else one.detail
            form.add_error(field, f"{one.pointer}: {one.detail}" if inside else alone)
    if not any(field in form.fields for _, field, _ in placed):
        form.add_error(None, error.detail)


def _place(error: FieldError) -> tuple[str, bool]:
    """The field that a pointer is in, and whether it points to a part of it."""
    parts = error.pointer.removeprefix("/items/0").split("/")
    return (parts[1] if len(parts) > 1 else ""), len(parts) > 2
