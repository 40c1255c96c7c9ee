"""The defaults of a dataset: reading them, showing them, and taking them along to a duplicate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from datasets_app import public
from evalhub.access.models import Project, User
from evalhub.kit import events, slots
from evalhub.kit.errors import Invalid
from runs_app import targets
from runs_app.models import DatasetDefaults


@dataclass(frozen=True, slots=True)
class Defaults:
    """`target` is a reference, "" for none; the first scorer is the primary one."""

    target: str = ""
    scorers: tuple[dict[str, Any], ...] = ()
    cluster_field: str = ""


@dataclass(frozen=True, slots=True)
class _Shown:
    target: str = ""
    scorers: list[str] = field(default_factory=list)
    cluster_field: str = ""


def register() -> None:
    """Fill the slot of the settings page, and hear of duplicates."""
    slots.provide("dataset.settings", settings_panel)
    events.listen("dataset_duplicated", copy_defaults)


def defaults_of(dataset_id: int) -> Defaults:
    """The defaults of a dataset; empty when nobody has set any."""
    found = DatasetDefaults.objects.filter(dataset=dataset_id).first()
    if found is None:
        return Defaults()
    return Defaults(found.target_ref, tuple(found.scorers), found.cluster_field)


def copy_defaults(*, source: int, copy: int, by: User) -> None:
    """Give the dataset `copy` the defaults of `source`."""
    found = DatasetDefaults.objects.filter(dataset=source).first()
    if found is not None:
        DatasetDefaults.objects.create(
            dataset_id=copy,
            target_ref=found.target_ref,
            scorers=found.scorers,
            cluster_field=found.cluster_field,
        )


def settings_panel(
    dataset_ids: Sequence[int], *, request: HttpRequest, project: Project
) -> dict[int, str]:
    """{dataset: the part of its settings page about defaults, as HTML}."""
    rows = public.datasets_by_id(dataset_ids)
    panels: dict[int, str] = {}
    for dataset_id, row in rows.items():
        context = {
            "defaults": _shown(defaults_of(dataset_id), project),
            "url": reverse("runs:defaults", args=[project.slug, row.slug]),
            "archived": row.archived,
        }
        panels[dataset_id] = render_to_string("runs/_defaults_panel.html", context, request)
    return panels


def _shown(defaults: Defaults, project: Project) -> _Shown:
    names = [_named(spec) for spec in defaults.scorers]
    target = defaults.target
    if target:
        try:
            target = targets.find(target, project.slug).name
        except Invalid:
            target = f"{target} (no longer there)"
    return _Shown(target, names, defaults.cluster_field)


def _named(spec: dict[str, Any]) -> str:
    """ "category", "category (margin 5 points)"."""
    name, margin = str(spec.get("name") or spec.get("use")), spec.get("margin")
    return name if margin is None else f"{name} (margin {margin:g} points)"
