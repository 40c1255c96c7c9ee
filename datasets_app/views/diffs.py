"""What differs between two versions: the list, and one item of it in full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from datasets_app.diffing import Diff, changed_fields, diff_json
from datasets_app.models import Dataset, ItemRevision
from datasets_app.public import shell
from datasets_app.queries_versions import find_version_row
from datasets_app.timeline import LABELS, fields_of
from datasets_app.touched import KINDS, touched_between
from datasets_app.version_diff import ItemChange, diff_counts, diff_page, find_change
from datasets_app.views.common import actor, number_in, part_for, query
from evalhub.access.doors import project_view
from evalhub.access.models import Project
from evalhub.kit.errors import NotFound
from evalhub.kit.htmx import render_page
from evalhub.kit.json import ABSENT
from evalhub.kit.whole import whole

FIELDS_NAMED = 6
FIELDS_SHOWN = 50
CHOICES = 100


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """One field of an item: its label, the path inside it ("" for all), and the difference."""

    label: str
    path: str
    kind: str
    diff: Diff


@project_view()
def show(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """The items that differ from `?from=` to `?to=`, by key; two boxes `v=` come here too."""
    context = shell(actor(request), project, slug, tab="versions")
    dataset = context["dataset"]
    picked = sorted(n for n in map(whole, request.GET.getlist("v")) if n is not None)
    if picked:
        address = reverse("datasets:diff", args=[project.slug, dataset.slug])
        low = picked[0] if len(picked) > 1 else max(0, picked[0] - 1)
        return redirect(address + query(**{"from": low, "to": picked[-1]}))
    a, b = _pair(request, dataset)
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    touched = touched_between(dataset.pk, a, b)
    after = number_in(request, "after") or 0
    page = diff_page(dataset, a, b, kind=kind, after=after, touched=touched)
    counts = diff_counts(dataset, a, b, touched=touched)
    pair = {"from": a or "0", "to": b}
    context |= {
        "a": a,
        "b": b,
        "kind": kind,
        "counts": counts,
        "chips": [
            (name, label, getattr(counts, name), query(**pair, kind=name))
            for name, label in (("added", "Added"), ("changed", "Changed"), ("removed", "Removed"))
        ],
        "all_query": query(**pair),
        "pair_query": query(**pair),
        "rows": [_row(change) for change in page.rows],
        "next": query(**pair, kind=kind, after=page.next) if page.next is not None else "",
        "first": query(**pair, kind=kind) if number_in(request, "after") else "",
        "looked_to": page.next,
        "choices": list(
            dataset.versions.filter(number__lte=dataset.version).order_by("-number")[:CHOICES]
        ),
        "turned_query": query(**{"from": b, "to": a or "0", "kind": kind}),
    }
    return render_page(request, "datasets/diff.html", context)


@project_view()
def item(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    """One item that differs, field by field."""
    context = shell(actor(request), project, slug, tab="versions")
    dataset = context["dataset"]
    a, b = _pair(request, dataset)
    change = find_change(dataset, a, b, number)
    if change is None:
        raise NotFound(f"Item #{number} is the same in v{a} and v{b}.")
    fields, more = _field_diffs(change)
    context |= {
        "a": a,
        "b": b,
        "change": change,
        "fields": fields,
        "more": more,
        "pair_query": query(**{"from": a or "0", "to": b}),
    }
    part = part_for(request, **{f"change-{number}": "fields"})
    return render_page(request, "datasets/diff_item.html", context, part=part)


def _pair(request: HttpRequest, dataset: Dataset) -> tuple[int, int]:
    """The versions asked for: by default the newest one and the one before."""
    to, start = request.GET.get("to", ""), request.GET.get("from", "")
    b = dataset.version if not to else _number(dataset, to)
    return (max(0, b - 1) if not start else _number(dataset, start)), b


def _number(dataset: Dataset, ref: str) -> int:
    return 0 if ref in ("0", "v0") else find_version_row(dataset, ref).number


def _row(change: ItemChange) -> dict[str, Any]:
    names: list[str] = []
    if change.before is not None and change.after is not None:
        found = changed_fields(_fields(change.before), _fields(change.after))
        names = [one.path for one in found]
    return {
        "change": change,
        "names": names[:FIELDS_NAMED],
        "more": max(0, len(names) - FIELDS_NAMED),
        "purged": any(one is not None and one.purged for one in (change.before, change.after)),
    }


def _field_diffs(change: ItemChange) -> tuple[list[FieldDiff], int]:
    """The first fields that differ, and how many more there are."""
    before = {} if change.before is None else _fields(change.before)
    after = {} if change.after is None else _fields(change.after)
    found = changed_fields(before, after)
    return [_field(one.path, one.before, one.after) for one in found[:FIELDS_SHOWN]], max(
        0, len(found) - FIELDS_SHOWN
    )


def _field(path: str, before: Any, after: Any) -> FieldDiff:
    name, _, rest = path.partition(".")
    kind = "added" if before is ABSENT else "removed" if after is ABSENT else "changed"
    return FieldDiff(LABELS.get(name, "Source"), rest, kind, diff_json(before, after))


def _fields(revision: ItemRevision) -> dict[str, Any]:
    source = {"source": revision.source} if revision.source else {}
    return fields_of(revision) | source
