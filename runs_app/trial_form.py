"""The form of the playground: values written as JSON or as plain text, and what to try them on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from datasets_app.public import DatasetRow
from evalhub.kit.errors import EvalhubError
from evalhub.kit.json import ABSENT, loads, pretty
from evalhub.kit.value_field import ValueField, show_value
from runs_app.targets import TargetInfo
from runs_app.trials import TrialState

VALUES = ("input", "expected_output", "metadata", "context")
LETTERS = ("a", "b")  # of the targets beside each other
OBJECTS = ("metadata", "context")
LOCALE = '{"locale": "en"}'


class ValuesForm(forms.Form):
    """The values of one item. `item` says which one they were loaded from, "dataset:number", and
    `revision` its revision then."""

    input = ValueField(
        rows=7, label="Input", error_messages={"required": "Give the target an input."}
    )
    expected_output = ValueField(rows=7, label="Expected output", required=False)
    context = ValueField(rows=3, label="Context", required=False, example=LOCALE)
    metadata = ValueField(rows=3, label="Metadata", required=False, example=LOCALE)
    item = forms.CharField(required=False, max_length=120, widget=forms.HiddenInput)
    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def given(self) -> dict[str, Any]:
        """{field: value} of those that are not left empty, as an item of the API has them."""
        values = {name: self.cleaned_data[name] for name in VALUES}
        return {name: value for name, value in values.items() if value is not ABSENT}


class TrialForm(ValuesForm):
    """What to try, on one target or two."""

    a = forms.CharField(
        max_length=300,
        label="Target A",
        widget=forms.Select(attrs={"form": "playground-form"}),
        error_messages={"required": "Choose a target."},
    )
    b = forms.CharField(
        max_length=300,
        label="Target B",
        required=False,
        widget=forms.Select(attrs={"form": "playground-form"}),
    )
    layout = forms.CharField(required=False, widget=forms.HiddenInput)
    as_form = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, targets: Sequence[TargetInfo], **options: Any) -> None:
        super().__init__(*args, **options)
        self.targets = {target.ref: target for target in targets}
        if not self.initial.get("b"):
            first = self.initial.get("a") or next(iter(self.targets), "")
            self.initial["b"] = next((ref for ref in self.targets if ref != first), first)
        for letter in ("a", "b"):
            self.fields[letter].widget.choices = self._choices(letter)
            self.fields[letter].widget.attrs.pop("maxlength")  # which no select has

    def _choices(self, letter: str) -> list[tuple[str, str]]:
        """The targets, and what is chosen when it is none of them (recorded:PATH, an older
        version).
        """
        chosen = str(self[letter].value() or "")
        others = [(chosen, chosen)] if chosen and chosen not in self.targets else []
        return [
            *((ref, _label(target)) for ref, target in self.targets.items()),
            *others,
        ]

    @property
    def two(self) -> bool:
        """Whether two targets are tried beside each other."""
        return bool(self["layout"].value() == "2")

    @property
    def shows_more(self) -> bool:
        """Whether a field below "Context and metadata" holds something or has an error."""
        return any(self[name].value() or self[name].errors for name in OBJECTS)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.two and not cleaned.get("b"):
            self.add_error("b", "Choose a target.")
        return cleaned

    def chosen(self) -> list[tuple[str, str]]:
        """(letter, reference) of the targets to try."""
        letters = ("a", "b") if self.two else ("a",)
        return [(letter, self.cleaned_data[letter]) for letter in letters]

    def take(self, error: EvalhubError, letter: str) -> None:
        """Show what the action refused beside its field."""
        placed = False
        for problem in error.errors:
            name = problem.pointer.lstrip("/").partition("/")[0]
            name = letter if name == "target" else name
            if name in self.fields:
                self.add_error(name, problem.detail)
                placed = True
        if not placed:
            self.add_error(None, error.detail)


class SaveForm(ValuesForm):
    """The values again, and the dataset that is to have them as an item."""

    dataset = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, datasets: Sequence[DatasetRow], **options: Any) -> None:
        super().__init__(*args, **options)
        self.datasets = {dataset.slug: dataset for dataset in datasets}
        self.fields["dataset"].choices = [  # type: ignore[attr-defined]
            (dataset.slug, dataset.name) for dataset in datasets
        ]
        for name in VALUES:
            self.fields[name].widget = forms.HiddenInput()


def _label(target: TargetInfo) -> str:
    return f"{target.name}, version {target.version}" if target.version else target.name


def values_of(
    input_json: str, expected_json: str | None, metadata_json: str, context_json: str | None
) -> dict[str, str]:
    """The form's texts for an item's stored JSON."""
    metadata = loads(metadata_json)
    return {
        "input": show_value(loads(input_json)),
        "expected_output": "" if expected_json is None else show_value(loads(expected_json)),
        "metadata": pretty(metadata) if metadata else "",
        "context": "" if context_json is None else pretty(loads(context_json)),
    }


def values_of_trial(trial: TrialState) -> dict[str, str]:
    """The form's values that repeat a trial."""
    return values_of(trial.input_json, trial.expected_json, trial.metadata_json, trial.context_json)
