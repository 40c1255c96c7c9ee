"""Building a filter in a form: rows of field, operator and value, or the text itself."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from datasets_app import facets, queries
from datasets_app.filters import Field, FilterError, field_text, parse
from datasets_app.filters.building import MAX_ROWS, OPERATORS, Row, RowError, compose, rows_of
from datasets_app.filters.nodes import FIELDS
from datasets_app.public import shell
from datasets_app.views.common import actor, number_in, part_for, query
from datasets_app.views.listing import query_of
from evalhub.access.doors import project_view
from evalhub.access.models import Project
from evalhub.kit.htmx import render_page

SPARE_ROWS = 2
_PLAIN_FIELDS = [field_text(Field(name)) for name in FIELDS]


@project_view()
def build(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """The form, with the filter of the list in it; sent, it leads to the list with the new one."""
    context = shell(actor(request), project, slug, tab="items")
    dataset = context["dataset"]
    version = queries.find_version(dataset, number_in(request, "v"))
    item_query = query_of(request)
    state = {"v": number_in(request, "v"), **item_query.params()}
    rows, problem = _rows(request, item_query.where), None
    status = 200
    if "build" in request.GET:
        try:
            where = compose(rows)
        except RowError as error:
            problem, status = error, 422
        else:
            address = reverse("datasets:detail", args=[project.slug, dataset.slug])
            return redirect(address + query(**state | {"where": where}))
    sample = facets.suggestions(dataset, version)
    values = {field.field: field.values for field in sample.fields}
    values["tag"] = sample.tags
    values["split"] = tuple(facet.value for facet in facets.splits(dataset, version))
    shown = [*rows, *[Row()] * SPARE_ROWS][:MAX_ROWS]
    context |= {
        "version": version,
        "rows": [
            {
                "row": row,
                "problem": problem.detail if problem is not None and problem.row == index else "",
                "values": values.get(row.field.strip(), ()),
            }
            for index, row in enumerate(shown)
        ],
        "too_much_for_rows": bool(item_query.where) and not rows and "build" not in request.GET,
        "operators": OPERATORS.items(),
        "fields": [field.field for field in sample.fields] + _PLAIN_FIELDS,
        "plain_fields": _PLAIN_FIELDS,
        "looked_at": sample.looked_at,
        "where": item_query.where,
        "hidden_state": [(name, value) for name, value in state.items() if value is not None],
        "list_query": query(**state),
    }
    part = part_for(request, modal="dialog")
    return render_page(request, "datasets/filter.html", context, part=part, status=status)


@project_view()
def values(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """The frequent values of one field, as options of a data list."""
    dataset = queries.find_dataset(actor(request), project, slug)
    field = request.GET.get("field", "").strip()
    version = queries.find_version(dataset, number_in(request, "v"))
    found: tuple[str, ...] = ()
    if field == "split":
        found = tuple(facet.value for facet in facets.splits(dataset, version))
    elif field:
        sample = facets.suggestions(dataset, version)
        known: dict[str, tuple[str, ...]] = {each.field: each.values for each in sample.fields}
        found = known.get(field, sample.tags if field in ("tag", "tags") else ())
    context: dict[str, Any] = {"values": found}
    return render_page(request, "datasets/_filter_values.html", context)


def _rows(request: HttpRequest, where: str) -> list[Row]:
    """The rows as they were typed, else those of the list's filter; none when it is no rows."""
    given = request.GET
    if "build" in given:
        fields, ops = given.getlist("field"), given.getlist("op")
        typed = given.getlist("value")
        rows = [Row(*row) for row in zip(fields, ops, typed, strict=False)][:MAX_ROWS]
        return [row for row in rows if not row.is_empty]
    try:
        return rows_of(parse(where) if where else None) or []
    except FilterError:
        return []
