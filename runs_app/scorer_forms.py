"""The scorers of a form: one row of fields for each, added and removed without a script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from runs_app.scorers import MARGIN, Builtin, Param, SpecError, catalogue, parse_spec

DEFAULT_SCORER = "exact_match"
MAX_SCORERS = 20


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
        for param in (*builtin.params, MARGIN):
            self.fields[param.name] = _field_of(param)

    @property
    def token(self) -> str:
        """What the hidden field `scorer` says of this row."""
        return f"{self.key}:{self.builtin.use}"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        given: dict[str, Any] = {"use": self.builtin.use, "name": cleaned.get("name")}
        for param in (*self.builtin.params, MARGIN):
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
    for param in (*builtin.params, MARGIN):
        value = spec.get(param.name, param.default)
        values[param.name] = ", ".join(value) if param.type == "names" else value
    return values


def _unbound(builtin: Builtin, key: int, data: QueryDict) -> ScorerRow:
    """A row that shows what was typed so far, without complaints."""
    prefix = f"scorer-{key}-"
    values: dict[str, Any] = {"name": data.get(f"{prefix}name", builtin.use)}
    for param in (*builtin.params, MARGIN):
        if param.type == "boolean":
            values[param.name] = f"{prefix}{param.name}" in data
        else:
            values[param.name] = data.get(f"{prefix}{param.name}", "")
    return ScorerRow(builtin, key, initial=values)


def _free_name(use: str, rows: Sequence[ScorerRow]) -> str:
    taken = {str(row["name"].value()) for row in rows}
    names = [use, *(f"{use} {number}" for number in range(2, MAX_SCORERS + 2))]
    return next(name for name in names if name not in taken)
