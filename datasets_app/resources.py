"""django-import-export resources: a file in the admin becomes one call of an action.

So an import of items there is one version, checked like any other way in. The columns are those of
`datasets_app.exchange`, which an export writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tablib
from django.db import transaction
from django.utils.html import escape
from import_export import fields, resources
from import_export.results import Error, Result, RowResult

from datasets_app import exchange
from datasets_app.actions import create_dataset, update_dataset
from datasets_app.actions.batch import MAX_CHANGES, ItemUpdate, batch_items
from datasets_app.actions.versions import content_of
from datasets_app.bulk.changes import holders
from datasets_app.items import ItemContent
from datasets_app.models import Dataset, ItemRevision
from evalhub.access.models import Project, User
from evalhub.kit.errors import EvalhubError, Invalid
from evalhub.kit.json import ABSENT

SHOWN = 80  # characters of a cell in the preview

Row = Mapping[str, Any]


class _ActionResource(resources.Resource):  # type: ignore[misc]
    """Reads every row first, then makes one change of them all, or none where a row is wrong."""

    title = ""
    headers: tuple[str, ...] = ()

    @classmethod
    def get_display_name(cls) -> str:
        return cls.title

    def __init__(self, *, by: User | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by = by

    def import_data(
        self, dataset: tablib.Dataset, dry_run: bool = False, file_name: str = "", **options: Any
    ) -> Result:
        """What becomes of each row; with `dry_run` nothing is written."""
        result = Result()
        result.diff_headers = list(self.headers)
        result.total_rows = len(dataset)
        try:
            self.begin(dataset)
        except EvalhubError as error:
            result.append_base_error(Error(error))
            return result
        for number, cells in enumerate(dataset, 1):
            row = {
                name: cell
                for name, cell in zip(dataset.headers, cells, strict=False)
                if cell is not ABSENT
            }
            outcome = RowResult()
            try:
                outcome.import_type, shown = self.read(row)
                outcome.diff = [escape(text[:SHOWN]) for text in shown]
            except EvalhubError as error:
                outcome.import_type = RowResult.IMPORT_TYPE_ERROR
                outcome.errors = [Error(error, row=row, number=number)]
                result.append_error_row(number, row, outcome.errors)
            result.increment_row_result_total(outcome)
            result.append_row_result(outcome)
        if not dry_run and not result.has_errors():
            try:
                self.apply(f"Imported {file_name or 'a file'} in the admin")
            except EvalhubError as error:
                result.append_base_error(Error(error))
        return result

    def begin(self, dataset: tablib.Dataset) -> None:
        """Look at the columns. Raises EvalhubError when nothing can be made of them."""

    def read(self, row: Row) -> tuple[str, list[str]]:
        """Keep the row for `apply`: (its import type, what the preview shows). Raises
        EvalhubError.
        """
        raise NotImplementedError

    def apply(self, message: str) -> None:
        """Make the change. Raises EvalhubError, and nothing was changed."""
        raise NotImplementedError


class ItemResource(_ActionResource):
    """The items of one dataset. A known external id updates its item, everything else is new."""

    title = "Items"
    headers = ("external_id", "input", "expected_output", "split")
    external_id = fields.Field(column_name="external_id:text")
    input = fields.Field(column_name="input:json")
    expected_output = fields.Field(column_name="expected_output:json")
    metadata = fields.Field(column_name="metadata:json")
    context = fields.Field(column_name="context:json")
    tags = fields.Field(column_name="tags:json")
    split = fields.Field(column_name="split:text")
    scorers = fields.Field(column_name="scorers:json")
    source = fields.Field(column_name="source:text")

    def __init__(self, *, target: Dataset | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target = target
        self._cells: dict[str, str] = {}
        self._known: dict[str, ItemRevision] = {}
        self._add: list[ItemContent] = []
        self._update: list[ItemUpdate] = []

    def begin(self, dataset: tablib.Dataset) -> None:
        columns = list(dataset.headers or ())
        self._cells = exchange.recognise(columns, typed=False) or {}
        typed = exchange.recognise(columns, typed=True)
        if not self._cells and typed is None:
            raise Invalid(
                "These are not the columns of an export. A file needs input:json, and may have "
                f"{', '.join(exchange.CSV_HEADER)}. Other files are imported on the dataset's page."
            )
        if len(dataset) > MAX_CHANGES:
            raise Invalid(
                f"At most {MAX_CHANGES:,} rows are imported here. Larger files are imported on the "
                "dataset's page."
            )
        if self.target is not None:
            name = "external_id:text" if self._cells else "external_id"
            values = dataset[name] if name in columns else []
            ids = [exchange.unguarded(one) for one in values if isinstance(one, str) and one]
            self._known = holders(self.target.pk, ids)

    def read(self, row: Row) -> tuple[str, list[str]]:
        if self._cells:
            item = exchange.from_cells(
                {field: str(row.get(column) or "") for column, field in self._cells.items()}
            )
        else:
            item = exchange.from_object(row)
        shown = [item.external_id or "", item.input_json, item.expected_json or "", item.split]
        known = self._known.get(item.external_id or "")
        if known is None:
            self._add.append(item)
            return RowResult.IMPORT_TYPE_NEW, shown
        if content_of(known).same_payload(item):
            return RowResult.IMPORT_TYPE_SKIP, shown
        self._update.append(ItemUpdate(known.number, known.pk, item))
        return RowResult.IMPORT_TYPE_UPDATE, shown

    def apply(self, message: str) -> None:
        assert self.target is not None
        assert self.by is not None
        if self._add or self._update:
            batch_items(
                dataset=self.target,
                add=self._add,
                update=self._update,
                by=self.by,
                message=message,
            )


class DatasetResource(_ActionResource):
    """Datasets without their items. A slug that its project has is updated, others are made."""

    title = "Datasets"
    headers = ("project", "slug", "name", "tags")
    project = fields.Field(column_name="project", attribute="project__slug")
    slug = fields.Field(column_name="slug", attribute="slug")
    name = fields.Field(column_name="name", attribute="name")
    description = fields.Field(column_name="description", attribute="description")
    tags = fields.Field(column_name="tags")
    version = fields.Field(column_name="version", attribute="version")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._rows: list[tuple[Project, Dataset | None, dict[str, Any]]] = []

    def dehydrate_tags(self, dataset: Dataset) -> str:
        return ", ".join(dataset.tags)

    def begin(self, dataset: tablib.Dataset) -> None:
        missing = [name for name in ("project", "name") if name not in (dataset.headers or ())]
        if missing:
            raise Invalid(f"The file has no column {' and no column '.join(missing)}.")

    def read(self, row: Row) -> tuple[str, list[str]]:
        given = {name: str(row.get(name) or "").strip() for name in ("project", "slug", "name")}
        project = Project.objects.filter(slug=given["project"]).first()
        if project is None:
            raise Invalid(f"There is no project “{given['project']}”.")
        known = Dataset.objects.filter(project=project, slug=given["slug"], deleted_at=None).first()
        values: dict[str, Any] = {"name": given["name"]}
        if "description" in row:
            values["description"] = str(row["description"] or "")
        if "tags" in row:
            values["tags"] = str(row["tags"] or "").split(",")
        if known is None:
            values["slug"] = given["slug"]
        self._rows.append((project, known, values))
        kind = RowResult.IMPORT_TYPE_UPDATE if known else RowResult.IMPORT_TYPE_NEW
        return kind, [given["project"], given["slug"], given["name"], str(row.get("tags") or "")]

    @transaction.atomic
    def apply(self, message: str) -> None:
        assert self.by is not None
        for project, known, values in self._rows:
            if known is None:
                create_dataset(project=project, by=self.by, **values)
            else:
                update_dataset(dataset=known, by=self.by, **values)
