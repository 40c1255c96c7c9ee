"""What the address of a comparison asks for, and the addresses that keep it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.http import HttpRequest
from django.urls import reverse

from evalhub.access.models import Project
from evalhub.kit.errors import Invalid
from runs_app import comparing
from runs_app.labels import check_field
from runs_app.models import Run
from runs_app.views.common import query

MOST_MARGIN = 100.0
NO_CLUSTERS = "none"  # in the address; it is no field of an item


@dataclass(frozen=True, slots=True)
class Asked:
    """`margin` is in points, None for each scorer's own. `cluster` is None for the dataset's own
    field, "" for no clusters. `slices` is "" for none. `problems` are sentences about fields that
    are none; they count as not given."""

    margin: float | None
    cluster: str | None
    slices: str
    items: Literal["common", "pairwise"]
    problems: tuple[str, ...] = ()

    @property
    def margin_text(self) -> str:
        return "" if self.margin is None else f"{self.margin:g}"

    def kept(self) -> dict[str, str]:
        """What is not the default, by its name in the address."""
        return {
            "margin": self.margin_text,
            "cluster": NO_CLUSTERS if self.cluster == "" else self.cluster or "",
            "slice": self.slices,
            "items": "" if self.items == "common" else self.items,
        }

    def hidden(self) -> list[tuple[str, str]]:
        """What a form must send along to keep it."""
        return [(name, value) for name, value in self.kept().items() if value]

    def url(self, project: Project, numbers: Sequence[int], **more: object) -> str:
        """The address of the comparison of these runs, with all that is kept and `more`."""
        return self.url_of("runs:compare", project, numbers, **more)

    def url_of(self, name: str, project: Project, numbers: Sequence[int], **more: object) -> str:
        runs = "&".join(f"run={number}" for number in numbers)
        rest = query({**self.kept(), **more}).replace("?", "&", 1)
        return f"{reverse(name, args=[project.slug])}?{runs}{rest}"


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a selector."""

    value: str
    label: str
    selected: bool


def asked(request: HttpRequest) -> Asked:
    """Nonsense is the default: an address must never be a dead end."""
    problems: list[str] = []
    cluster: str | None = request.GET.get("cluster", "").strip()
    if cluster == NO_CLUSTERS:
        cluster = ""
    else:
        cluster = _field(cluster or "", problems) or None
    return Asked(
        margin=_margin(request),
        cluster=cluster,
        slices=_field(request.GET.get("slice", ""), problems),
        items="pairwise" if request.GET.get("items") == "pairwise" else "common",
        problems=tuple(problems),
    )


def cluster_choices(run: Run, wanted: Asked, fields: Sequence[str]) -> list[Choice]:
    """The fields that may keep items together, and the dataset's own; empty without any."""
    own = comparing.cluster_field_of(run)
    now = own if wanted.cluster is None else wanted.cluster
    names = [*fields, *(name for name in (own, now) if name and name not in fields)]
    if not names:
        return []
    return [
        Choice(NO_CLUSTERS, "No clusters", not now),
        *(Choice(name, f"Clusters by {name}", name == now) for name in dict.fromkeys(names)),
    ]


def slice_choices(wanted: Asked, fields: Sequence[str]) -> list[Choice]:
    """The fields to look at value by value; empty when none is known."""
    names = [*fields, *([wanted.slices] if wanted.slices not in ("", *fields) else [])]
    if not names:
        return []
    return [
        Choice("", "No slices", not wanted.slices),
        *(Choice(name, f"By {name}", name == wanted.slices) for name in names),
    ]


def _field(text: str, problems: list[str]) -> str:
    if not text.strip():
        return ""
    try:
        return check_field(text, "/slice")
    except Invalid as error:
        problems.append(error.detail)
        return ""


def _margin(request: HttpRequest) -> float | None:
    """The margin in points; None for anything that is no number from 0 to 100."""
    try:
        margin = float(request.GET.get("margin", "").replace(",", "."))
    except ValueError:
        return None
    usable = math.isfinite(margin) and 0 <= margin <= MOST_MARGIN
    return margin if usable else None
