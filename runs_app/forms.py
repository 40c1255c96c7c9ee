"""The form that starts a run, with one row of fields for each scorer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from datasets_app import public
from datasets_app.public import DatasetRow
from evalhub.kit.errors import EvalhubError, FieldError
from runs_app.models import Run
from runs_app.scorers import Builtin, Param, SpecError, catalogue, parse_spec
from runs_app.targets import TargetInfo

RECORDED = "recorded"
RECORDED_PREFIX = "recorded:"
DEFAULT_SCORER = "exact_match"
MAX_SCORERS = 20
MAX_INTEGER = 2_147_483_647


class NewRunForm(forms.Form):
    """What to run and how. The scorers are in `ScorerRows`."""

    dataset = forms.ChoiceField(error_messages={"required": "Choose a dataset."})
    version = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_INTEGER,
        label="Dataset version",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "placeholder": "newest"}),
    )
    target = forms.ChoiceField(error_messages={"required": "Choose a target."})
    path = forms.CharField(
        required=False,
        max_length=300,
        label="Path of the recorded output",
        help_text="A dotted path into the item, such as metadata.gpt.answer. No target is called.",
        widget=forms.TextInput(
            attrs={"class": "input--code", "placeholder": "metadata.answer", "spellcheck": "false"}
        ),
    )
    limit = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_INTEGER,
        label="First items only",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "placeholder": "all"}),
    )
    # The bounds of these three are the action's; it says so beside the field.
    concurrency = forms.IntegerField(
        initial=8, widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )
    timeout = forms.FloatField(initial=60, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    retries = forms.IntegerField(initial=2, widget=forms.TextInput(attrs={"inputmode": "numeric"}))
    name = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": "Target on dataset"}),
    )

    def __init__(
        self,
        *args: Any,
        datasets: Sequence[DatasetRow],
        targets: Sequence[TargetInfo],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.datasets = {dataset.slug: dataset for dataset in datasets}
        self.fields["dataset"].choices = [  # type: ignore[attr-defined]
            (dataset.slug, dataset.name) for dataset in datasets
        ]
        self.fields["target"].choices = [  # type: ignore[attr-defined]
            *((target.ref, f"{target.name} ({target.kind})") for target in targets),
            (RECORDED, "Recorded output"),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("target") == RECORDED:
            path = (cleaned.get("path") or "").removeprefix(RECORDED_PREFIX)
            if not path:
                self.add_error("path", "Say where in the item the output is.")
            cleaned["target"] = RECORDED_PREFIX + path
        dataset, version = self.datasets.get(cleaned.get("dataset", "")), cleaned.get("version")
        if dataset and version and public.version_item_count(dataset.id, version) is None:
            self.add_error(
                "version",
                f"{dataset.name} has no version {version}. Its newest is v{dataset.version}.",
            )
        return cleaned

    def chosen_dataset(self) -> DatasetRow | None:
        """The dataset that the form shows; None when there is none to choose."""
        slug = self["dataset"].value() or next(iter(self.datasets), "")
        return self.datasets.get(slug)

    def take(self, error: EvalhubError) -> None:
        """Show what the action refused, beside its field where the error names one."""
        placed = False
        for problem in error.errors:
            placed = self._place(problem) or placed
        if not placed:
            self.add_error(None, error.detail)

    def _place(self, problem: FieldError) -> bool:
        name = problem.pointer.lstrip("/").partition("/")[0]
        if name == "target" and self.cleaned_data.get("target", "").startswith(RECORDED_PREFIX):
            name = "path"
        if name not in self.fields:
            return False
        self.add_error(name, problem.detail)
        return True


class ScorerRow(forms.Form):
    """The name and the parameters of one built-in scorer."""

    name = forms.CharField(max_length=100, strip=True)

    def __init__(
        self,
        builtin: Builtin,
        key: int,
        data: QueryDict | None = None,
        *,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, prefix=f"scorer-{key}", initial=initial)
        self.builtin, self.key = builtin, key
        self.spec: dict[str, Any] = {}
        self.fields["name"].initial = builtin.use
        for param in builtin.params:
            self.fields[param.name] = _field_of(param)

    @property
    def token(self) -> str:
        """What the hidden field `scorer` says of this row."""
        return f"{self.key}:{self.builtin.use}"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        given: dict[str, Any] = {"use": self.builtin.use, "name": cleaned.get("name")}
        for param in self.builtin.params:
            if param.name in cleaned:
                given[param.name] = _value_of(param, cleaned[param.name])
        if not self.errors:
            try:
                self.spec = parse_spec(given).as_dict()
            except SpecError as error:
                field = error.pointer.lstrip("/")
                self.add_error(field if field in self.fields else None, error.message)
        return cleaned


class ScorerRows:
    """The scorers of a new run, in the order in which they are shown; the first is the primary one.

    Each row is named by a hidden field `scorer` with the value "KEY:BUILTIN", so that adding and
    removing rows needs no script: buttons `add_scorer` and `remove_scorer` send the form. (A button
    called "remove" would hide the form's own method of that name from scripts.)
    """

    def __init__(self, rows: list[ScorerRow]) -> None:
        self.rows = rows
        self.error = ""

    @classmethod
    def of_specs(cls, specs: Sequence[dict[str, Any]]) -> ScorerRows:
        """Rows filled from scorers as `parse_spec` takes them."""
        known = {builtin.use: builtin for builtin in catalogue()}
        return cls(
            [
                ScorerRow(known[spec["use"]], key, initial=_initial(known[spec["use"]], spec))
                for key, spec in enumerate(specs)
                if spec.get("use") in known
            ]
        )

    @classmethod
    def of_post(cls, data: QueryDict, *, validate: bool) -> ScorerRows:
        """The rows that were sent, after "add" and "remove"; with `validate` they show errors."""
        known = {builtin.use: builtin for builtin in catalogue()}
        rows: list[ScorerRow] = []
        for token in data.getlist("scorer")[:MAX_SCORERS]:
            key, _, use = token.partition(":")
            if not key.isdecimal() or use not in known or key == data.get("remove_scorer"):
                continue
            if validate:
                rows.append(ScorerRow(known[use], int(key), data))
            else:
                rows.append(_unbound(known[use], int(key), data))
        add = data.get("add_scorer", "")
        if add in known and len(rows) < MAX_SCORERS:
            key_of_new = max((row.key for row in rows), default=-1) + 1
            rows.append(ScorerRow(known[add], key_of_new, initial={"name": _free_name(add, rows)}))
        return cls(rows)

    def is_valid(self) -> bool:
        """Check every row, that there is one, and that no name is there twice."""
        checked = [row.is_valid() for row in self.rows]  # a list: all rows show their errors
        valid = all(checked)
        if not self.rows:
            self.error = "Add at least one scorer."
            return False
        seen: set[str] = set()
        for row in self.rows:
            name = row.spec.get("name")
            if name in seen:
                row.add_error("name", f"Two scorers are called {name}. Give each its own name.")
                valid = False
            if name:
                seen.add(name)
        return valid

    def specs(self) -> list[dict[str, Any]]:
        return [row.spec for row in self.rows]


def initial_of(run: Run) -> dict[str, Any]:
    """The form's values that repeat `run`, on the newest version of its dataset."""
    recorded = run.target_ref.startswith(RECORDED_PREFIX)
    return {
        "target": RECORDED if recorded else run.target_ref,
        "path": run.target_ref.removeprefix(RECORDED_PREFIX) if recorded else "",
        "concurrency": run.max_concurrency,
        "timeout": f"{run.timeout_s:g}",
        "retries": run.retries,
    }


def _field_of(param: Param) -> forms.Field:
    about: dict[str, Any] = {
        "label": param.label,
        "required": False,
        "initial": param.default,
        "help_text": param.help,
    }
    if param.type == "boolean":
        return forms.BooleanField(**about)
    if param.type == "number":
        return forms.FloatField(
            **about, widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "input--code"})
        )
    if param.type == "names":
        about |= {"initial": ", ".join(param.default), "help_text": f"{param.help} With commas."}
    attrs = {"class": "input--code", "spellcheck": "false"}
    # A regular expression may begin or end with a space that counts.
    return forms.CharField(
        **about,
        max_length=2000,
        strip=param.type != "regex",
        widget=forms.TextInput(attrs=attrs),
    )


def _value_of(param: Param, value: Any) -> Any:
    """A cleaned value as the scorer's specification has it."""
    if param.type == "names":
        return [name.strip() for name in (value or "").split(",") if name.strip()]
    if param.type == "regex":
        return value or None
    return param.default if value is None and param.name != "threshold" else value


def _initial(builtin: Builtin, spec: dict[str, Any]) -> dict[str, Any]:
    """A specification as the fields of its row show it."""
    values: dict[str, Any] = {"name": spec.get("name", builtin.use)}
    for param in builtin.params:
        value = spec.get(param.name, param.default)
        values[param.name] = ", ".join(value) if param.type == "names" else value
    return values


def _unbound(builtin: Builtin, key: int, data: QueryDict) -> ScorerRow:
    """A row that shows what was typed so far, without complaints."""
    prefix = f"scorer-{key}-"
    values: dict[str, Any] = {"name": data.get(f"{prefix}name", builtin.use)}
    for param in builtin.params:
        if param.type == "boolean":
            values[param.name] = f"{prefix}{param.name}" in data
        else:
            values[param.name] = data.get(f"{prefix}{param.name}", "")
    return ScorerRow(builtin, key, initial=values)


def _free_name(use: str, rows: Sequence[ScorerRow]) -> str:
    taken = {str(row["name"].value()) for row in rows}
    names = [use, *(f"{use} {number}" for number in range(2, MAX_SCORERS + 2))]
    return next(name for name in names if name not in taken)
