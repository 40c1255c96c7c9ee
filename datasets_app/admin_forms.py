"""Forms and file formats of the admin's import and export."""

from __future__ import annotations

import csv
import io
from typing import Any

import tablib
from django import forms
from import_export.formats.base_formats import CSV, JSON
from import_export.forms import ConfirmImportForm, ExportForm, ImportForm

from datasets_app.models import Dataset
from evalhub.kit.json import ABSENT, loads


class ItemsCsv(CSV):  # type: ignore[misc]
    """CSV whose cells come and go as they are."""

    def create_dataset(self, in_stream: str, **options: Any) -> tablib.Dataset:
        text = in_stream.removeprefix("\ufeff")
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        return tablib.Dataset(*rows, headers=header)


class ItemsJson(JSON):  # type: ignore[misc]
    """A JSON array of objects. What an object does not have is ABSENT, which null is not."""

    def create_dataset(self, in_stream: str, **options: Any) -> tablib.Dataset:
        rows = loads(in_stream)
        names = list(dict.fromkeys(name for row in rows for name in row))
        cells = [[row.get(name, ABSENT) for name in names] for row in rows]
        return tablib.Dataset(*cells, headers=names)


class _IntoDataset(forms.Form):
    dataset = forms.ModelChoiceField(
        Dataset.objects.filter(deleted_at=None, archived_at=None)
        .select_related("project")
        .order_by("project__name", "name"),
        label="Into the dataset",
    )


class ItemImportForm(_IntoDataset, ImportForm):  # type: ignore[misc]
    field_order = ("resource", "dataset", "import_file", "format")


class ItemConfirmForm(_IntoDataset, ConfirmImportForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dataset"].widget = forms.HiddenInput()


class ItemExportForm(ExportForm):  # type: ignore[misc]
    dataset = forms.ModelChoiceField(
        Dataset.objects.filter(deleted_at=None)
        .select_related("project")
        .order_by("project__name", "name"),
        label="Items of",
    )
