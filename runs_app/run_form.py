"""The form that starts runs. Its scorers are in `scorer_forms.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from datasets_app import public
from datasets_app.public import DatasetRow
from evalhub.kit.errors import EvalhubError, FieldError
from evalhub.kit.json import JsonError, loads, pretty
from runs_app.actions.start_checks import default_deadline_s
from runs_app.models import Run
from runs_app.targets import TargetInfo

RECORDED = "recorded"
RECORDED_PREFIX = "recorded:"
RECORDED_FORMS = (RECORDED_PREFIX, "file:", "run:")
MAX_INTEGER = 2_147_483_647
SUBSETS = (("all", "All"), ("sample", "Random sample"), ("failed", "Errors of a run"))
ADVANCED = (
    "deadline",
    "stop_after_errors",
    "stop_error_share",
    "max_tokens",
    "max_cost_usd",
    "metadata",
)


def _number(label: str, *, kind: type[forms.Field] = forms.IntegerField, **options: Any) -> Any:
    """A field for a number. Its bounds are the action's, which says so beside the field, but for
    whole numbers that no column could hold."""
    placeholder = options.pop("placeholder", "")
    mode = "numeric" if kind is forms.IntegerField else "decimal"
    attrs = {"inputmode": mode} | ({"placeholder": placeholder} if placeholder else {})
    if kind is forms.IntegerField:
        options.setdefault("max_value", MAX_INTEGER)
    return kind(label=label, widget=forms.TextInput(attrs=attrs), **options)


def _json(label: str, help_text: str) -> forms.CharField:
    attrs = {"class": "textarea--code", "rows": 3, "spellcheck": "false"}
    return forms.CharField(
        required=False, label=label, help_text=help_text, widget=forms.Textarea(attrs=attrs)
    )


class NewRunForm(forms.Form):
    """What to run and how; each target is a run of its own."""

    target = forms.MultipleChoiceField(
        label="Targets",
        error_messages={"required": "Choose a target."},
        widget=forms.CheckboxSelectMultiple,
    )
    path = forms.CharField(
        required=False,
        max_length=300,
        label="Recorded output",
        help_text="A path into the item such as metadata.gpt.answer, file:NAME for outputs that "
        "were uploaded, or run:NUMBER for those of another run. No target is called.",
        widget=forms.TextInput(
            attrs={"class": "input--code", "placeholder": "metadata.answer", "spellcheck": "false"}
        ),
    )
    dataset = forms.ChoiceField(error_messages={"required": "Choose a dataset."})
    version = _number("Version", required=False, min_value=1, placeholder="newest")
    subset = forms.ChoiceField(
        required=False, choices=SUBSETS, initial="all", widget=forms.RadioSelect, label="Items"
    )
    sample = _number("Sample size", required=False, initial=200)
    seed = _number("Seed", required=False, placeholder="by chance")
    failed_of = _number("Errors of run", required=False, placeholder="number")
    split = forms.CharField(
        required=False,
        max_length=60,
        label="Split",
        widget=forms.TextInput(attrs={"placeholder": "any", "list": "splits"}),
    )
    where = forms.CharField(
        required=False,
        max_length=4000,
        label="Filter",
        help_text="As on the items page, where it can be built from rows.",
        widget=forms.TextInput(
            attrs={
                "class": "input--code",
                "placeholder": 'metadata.topic = "percent"',
                "spellcheck": "false",
            }
        ),
    )
    limit = _number("First items only", required=False, min_value=1, placeholder="all")
    repetitions = _number("Repetitions", initial=1)
    concurrency = _number("Concurrency", initial=8)
    timeout = _number("Timeout", kind=forms.FloatField, initial=60)
    retries = _number("Retries", initial=2)
    context = _json("Context", "An item's own context wins over it, name by name.")
    name = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": "Target on dataset"}),
    )
    tags = forms.CharField(
        required=False,
        max_length=1300,
        widget=forms.TextInput(attrs={"placeholder": "nightly, baseline"}),
    )
    deadline = _number("Deadline", kind=forms.FloatField, required=False)
    stop_after_errors = _number("Stop at errors", required=False, placeholder="never")
    stop_error_share = _number(
        "Stop at share", kind=forms.FloatField, required=False, placeholder="never"
    )
    max_tokens = _number("Token cap", required=False, max_value=2**62, placeholder="none")
    max_cost_usd = _number("Cost cap", kind=forms.FloatField, required=False, placeholder="none")
    metadata = _json("Metadata", "Kept with the run, given to nobody.")

    def __init__(
        self,
        *args: Any,
        datasets: Sequence[DatasetRow],
        targets: Sequence[TargetInfo],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.datasets = {dataset.slug: dataset for dataset in datasets}
        self.target_names = {target.ref: target.name for target in targets}
        self.fields["dataset"].choices = [  # type: ignore[attr-defined]
            (dataset.slug, dataset.name) for dataset in datasets
        ]
        known = [(target.ref, f"{target.name} ({target.kind})") for target in targets]
        # One that is named otherwise (an older version, say) is shown as it is; whether there is
        # such a target is for the action to say.
        others = [
            (ref, ref)
            for ref in dict.fromkeys(self["target"].value() or ())
            if ref != RECORDED and ref not in self.target_names
        ]
        self.fields["target"].choices = [  # type: ignore[attr-defined]
            *known,
            *others,
            (RECORDED, "Recorded output"),
        ]

    @property
    def shows_advanced(self) -> bool:
        """Whether one of the fields that are folded away says something, or is wrong."""
        return any(self[name].value() or self[name].errors for name in ADVANCED)

    def clean_context(self) -> dict[str, Any] | None:
        return self._object("context")

    def clean_metadata(self) -> dict[str, Any] | None:
        return self._object("metadata")

    def clean_stop_error_share(self) -> float | None:
        """The share, 0..1; the field is in percent."""
        percent: float | None = self.cleaned_data.get("stop_error_share")
        return None if percent is None else percent / 100

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if RECORDED in cleaned.get("target", ()) and not cleaned.get("path"):
            self.add_error("path", "Say where the output is.")
        if cleaned.get("subset") == "sample" and not cleaned.get("sample"):
            self.add_error("sample", "Say how many items to draw.")
        if cleaned.get("subset") == "failed" and not cleaned.get("failed_of"):
            self.add_error("failed_of", "Say of which run.")
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

    def chosen_refs(self) -> list[str]:
        """References of the targets that the form shows as chosen."""
        path = str(self["path"].value() or "").strip()
        return [
            recorded_ref(path) if ref == RECORDED else ref for ref in self["target"].value() or ()
        ]

    def settings(self) -> dict[str, Any]:
        """What `start_run` takes of a valid form besides dataset, targets and scorers."""
        given = self.cleaned_data
        same = ("version", "name", "concurrency", "retries", "repetitions", "context", "metadata")
        caps = ("stop_after_errors", "stop_error_share", "max_tokens", "max_cost_usd")
        return {name: given[name] for name in (*same, *caps)} | {
            "timeout_s": given["timeout"],
            "deadline_s": given["deadline"],
            "selection": selection_of(given),
            "tags": [tag for tag in map(str.strip, given["tags"].split(",")) if tag],
        }

    def take(self, error: EvalhubError) -> None:
        """Show what the action refused, beside its field where the error names one."""
        placed = False
        for problem in error.errors:
            placed = self._place(problem) or placed
        if not placed:
            self.add_error(None, error.detail)

    def _place(self, problem: FieldError) -> bool:
        name = problem.pointer.removeprefix("/selection").lstrip("/").partition("/")[0]
        if name == "target" and self.cleaned_data.get("target") == [RECORDED]:
            name = "path"
        if name not in self.fields:
            return False
        if problem.detail not in self.errors.get(name, ()):
            self.add_error(name, problem.detail)
        return True

    def _object(self, name: str) -> dict[str, Any] | None:
        text = (self.cleaned_data.get(name) or "").strip()
        if not text:
            return None
        try:
            value = loads(text)
        except JsonError as error:
            raise forms.ValidationError(f"{error.message}.") from None
        if not isinstance(value, dict):
            raise forms.ValidationError('This is a JSON object, such as {"locale": "en"}.')
        return value


def recorded_ref(path: str) -> str:
    """The reference of the recorded output that was typed as `path`."""
    return path if path.startswith(RECORDED_FORMS) else RECORDED_PREFIX + path


def selection_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The selection that a form's values ask for: only the fields of the chosen subset count."""
    names = {"sample": ("sample", "seed"), "failed": ("failed_of",)}
    wanted = ("split", "where", "limit", *names.get(str(given.get("subset")), ()))
    return {name: given[name] for name in wanted if given.get(name) not in (None, "")}


def initial_of(run: Run, *, all_items: bool = False) -> dict[str, Any]:
    """The form's values that repeat `run`, on the newest version of its dataset.

    With `all_items` its first items only were a try: the limit and the name of the try go.
    """
    recorded = run.target_ref.startswith(RECORDED_FORMS)
    selection = run.selection
    subset = "sample" if "sample" in selection else "failed" if "failed_of" in selection else "all"
    usual = default_deadline_s(run.timeout_s, run.retries)
    share = run.stop_error_share
    values = {
        "target": [RECORDED] if recorded else [run.target_ref],
        "path": run.target_ref.removeprefix(RECORDED_PREFIX) if recorded else "",
        "subset": subset,
        "sample": selection.get("sample", 200),
        "seed": selection.get("seed"),
        "failed_of": selection.get("failed_of"),
        "split": selection.get("split", ""),
        "where": selection.get("where", ""),
        "limit": None if all_items else selection.get("limit"),
        "repetitions": run.repetitions,
        "concurrency": run.max_concurrency,
        "timeout": f"{run.timeout_s:g}",
        "retries": run.retries,
        "context": pretty(run.context) if run.context else "",
        "name": "" if all_items else _own_name(run),
        "tags": ", ".join(run.tags),
        "deadline": None if run.deadline_s == usual else f"{run.deadline_s:g}",
        "stop_after_errors": run.stop_after_errors,
        "stop_error_share": None if share is None else f"{share * 100:g}",
        "max_tokens": run.max_tokens,
        "max_cost_usd": run.max_cost_usd,
        "metadata": pretty(run.metadata) if run.metadata else "",
    }
    return {name: value for name, value in values.items() if value is not None}


def _own_name(run: Run) -> str:
    """The name that somebody gave the run; "" for the one that it got by itself."""
    return "" if run.name.startswith(f"{run.target_name} on ") else run.name
