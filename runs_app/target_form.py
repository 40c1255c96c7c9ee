"""What the forms of saved targets share. They parse and explain; the action decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.forms import BoundField

from evalhub.access.models import Project
from evalhub.kit.errors import EvalhubError
from runs_app.models import Connection


@dataclass(frozen=True, slots=True)
class Group:
    """Fields under one heading; a group that is not `open` starts folded."""

    title: str
    fields: tuple[BoundField, ...]
    open: bool


class TargetForm(forms.Form):
    """What every target has. A subclass adds the fields of its transport.

    `layout` names the fields by heading; a heading with a leading "+" starts folded.
    """

    layout: ClassVar[dict[str, tuple[str, ...]]] = {}
    places: ClassVar[dict[str, str]] = {}  # field of a pointer below /config, where names differ

    name = forms.CharField(
        max_length=120,
        error_messages={"required": "Give the target a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    description = forms.CharField(required=False, max_length=500)
    message = forms.CharField(required=False, max_length=500, label="Why the change")

    def __init__(self, *args: Any, project: Project, **options: Any) -> None:
        super().__init__(*args, **options)
        self.choices_of(project)

    def choices_of(self, project: Project) -> None:
        """Fill the selects that depend on the project."""

    def config(self) -> dict[str, Any]:
        """What was filled in, as `save_target` takes it. Only for a valid form."""
        raise NotImplementedError

    @classmethod
    def values_of(cls, config: dict[str, Any]) -> dict[str, Any]:
        """The form's values that show a configuration."""
        raise NotImplementedError

    def groups(self) -> list[Group]:
        """The transport's fields; a folded group opens when it holds something, or an error."""
        groups = []
        for title, names in self.layout.items():
            fields = tuple(self[name] for name in names)
            used = any(
                field.errors or field.value() not in (None, "", field.field.initial)
                for field in fields
            )
            groups.append(Group(title.lstrip("+"), fields, used or not title.startswith("+")))
        return groups

    def take(self, error: EvalhubError) -> None:
        """Show what the action refused, beside its field where the error names one."""
        placed = False
        for problem in error.errors:
            path = problem.pointer.removeprefix("/config/").strip("/").split("/")
            names = [self.places.get("/".join(path[:2]), ""), self.places.get(path[0], path[0])]
            name = next((name for name in names if name in self.fields), None)
            if name is not None:
                self.add_error(name, problem.detail)
                placed = True
        if not placed:
            self.add_error(None, error.detail)


class ConnectedForm(TargetForm):
    """A form with a select of the project's connections."""

    connection = forms.ChoiceField(required=False)

    def choices_of(self, project: Project) -> None:
        found = Connection.objects.filter(project=project).order_by("name")
        choices = [(row.slug, f"{row.name} ({row.base_url})") for row in found]
        known = {slug for slug, _ in choices}
        chosen = self.initial.get("connection")
        if chosen and chosen not in known:  # it has been deleted: say so instead of another's name
            choices.append((chosen, f"{chosen} (deleted)"))
        self.fields["connection"].choices = [  # type: ignore[attr-defined]
            ("", "None" if not self.fields["connection"].required else "Choose a connection"),
            *choices,
        ]
