"""The admin of datasets. Changes go through the actions; history is to be read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import CSV
from import_export.forms import ExportForm
from import_export.results import Result

from datasets_app import actions
from datasets_app.admin_forms import (
    ItemConfirmForm,
    ItemExportForm,
    ItemImportForm,
    ItemsCsv,
    ItemsJson,
)
from datasets_app.exports import open_export
from datasets_app.models import (
    Dataset,
    DatasetJob,
    DatasetVersion,
    ImportJob,
    ItemNote,
    ItemRevision,
    RememberedMapping,
    SearchIndex,
)
from datasets_app.resources import DatasetResource, ItemResource
from datasets_app.views.common import actor
from datasets_app.views.exports import file_answer
from evalhub.kit.admin_pages import ReadOnlyAdmin
from evalhub.kit.errors import EvalhubError
from evalhub.kit.highlight import one_line

EXPORT_TEMPLATE = "admin/export_items.html"


class _ActionImport(ImportExportMixin):  # type: ignore[misc]
    """Imports by resources that call actions: those write the audit trail, and can refuse."""

    skip_admin_log = True
    export_form_class = ExportForm
    export_template_name = EXPORT_TEMPLATE

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        return {"by": request.user}

    def get_export_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        return {}

    def process_result(self, result: Result, request: HttpRequest) -> HttpResponse:
        if not result.has_errors():
            done: HttpResponse = super().process_result(result, request)
            return done
        for one in result.base_errors:
            messages.error(request, str(one.error))
        for number, errors in result.row_errors():
            messages.error(request, f"Row {number}: {errors[0].error}")
        opts = self.model._meta
        return HttpResponseRedirect(reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"))


class DatasetAdminForm(forms.ModelForm):  # type: ignore[type-arg]
    tags = forms.CharField(required=False, help_text="Separated by commas")

    class Meta:
        model = Dataset
        fields = ("project", "name", "description", "tags")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["tags"] = ", ".join(self.instance.tags)

    def clean_tags(self) -> list[str]:
        return str(self.cleaned_data["tags"]).split(",")


@admin.register(Dataset)
class DatasetAdmin(_ActionImport, admin.ModelAdmin):  # type: ignore[type-arg]
    """Name, description and tags; deleting is left to the product, which asks for the name."""

    resource_classes = (DatasetResource,)
    formats = (CSV,)
    form = DatasetAdminForm
    list_display = ("name", "project", "version", "updated_at", "archived_at", "deleted_at")
    list_filter = ("project", ("archived_at", admin.EmptyFieldListFilter))
    list_select_related = ("project",)
    search_fields = ("name", "slug", "description")
    actions = ("archive", "unarchive")
    readonly_fields = ("slug", "uuid", "version", "created_by", "created_at", "updated_at")
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Dataset | None = None) -> Any:
        return ("project", *self.readonly_fields) if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Dataset, form: Any, change: bool) -> None:
        given = form.cleaned_data
        values = {name: given[name] for name in ("name", "description", "tags")}
        try:
            if change:
                actions.update_dataset(dataset=obj, by=actor(request), **values)
            else:
                made = actions.create_dataset(project=given["project"], by=actor(request), **values)
                obj.pk = made.pk
                obj.refresh_from_db()
        except EvalhubError as error:
            messages.error(request, error.detail)

    def response_add(self, request: HttpRequest, obj: Dataset, *args: Any) -> HttpResponse:
        if obj.pk is None:  # refused, and said so
            return HttpResponseRedirect(reverse("admin:datasets_app_dataset_changelist"))
        return super().response_add(request, obj, *args)

    def log_addition(self, request: HttpRequest, obj: Dataset, message: Any) -> Any:
        """The audit trail has it."""

    def log_change(self, request: HttpRequest, obj: Dataset, message: Any) -> Any:
        """The audit trail has it."""

    @admin.action(description="Archive the selected datasets")
    def archive(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, actions.archive_dataset)

    @admin.action(description="Take the selected datasets out of the archive")
    def unarchive(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, actions.unarchive_dataset)

    def _each(self, request: HttpRequest, queryset: Any, change: Any) -> None:
        for dataset in queryset.filter(deleted_at=None):
            try:
                change(dataset=dataset, by=request.user)
            except EvalhubError as error:
                messages.error(request, f"{dataset.name}: {error.detail}")


@admin.register(ItemRevision)
class ItemRevisionAdmin(_ActionImport, ReadOnlyAdmin):
    """Every revision of every item. An import makes one version; an export is a whole dataset."""

    resource_classes = (ItemResource,)
    formats = (ItemsCsv, ItemsJson)
    import_form_class = ItemImportForm
    confirm_form_class = ItemConfirmForm
    export_form_class = ItemExportForm
    list_display = ("number", "dataset", "version_from", "version_to", "external_id", "shown_input")
    list_filter = ("dataset", "deleted")
    list_select_related = ("dataset",)
    search_fields = ("=external_id",)
    ordering = ("-pk",)

    @admin.display(description="Input")
    def shown_input(self, item: ItemRevision) -> str:
        return one_line(item.input, 80)

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form")
        chosen = getattr(form, "cleaned_data", {}).get("dataset")
        return {"by": request.user, "target": chosen}

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_confirm_form_initial(request, import_form)
        if import_form:
            initial["dataset"] = import_form.cleaned_data["dataset"].pk
        return initial

    def _do_file_export(
        self, file_format: Any, request: HttpRequest, queryset: Any, export_form: Any = None
    ) -> Any:
        """The same file as the product gives, streamed."""
        format = "csv" if isinstance(file_format, ItemsCsv) else "json"
        return file_answer(open_export(export_form.cleaned_data["dataset"], format=format))


@admin.register(DatasetVersion)
class DatasetVersionAdmin(ReadOnlyAdmin):
    list_display = ("dataset", "number", "label", "author", "created_at", "message", "item_count")
    list_select_related = ("dataset", "author")
    search_fields = ("message", "label", "dataset__name")
    ordering = ("-pk",)


@admin.register(ItemNote)
class ItemNoteAdmin(ReadOnlyAdmin):
    list_display = ("number", "dataset", "author", "created_at", "text")
    list_select_related = ("dataset", "author")
    search_fields = ("text", "dataset__name")
    ordering = ("-pk",)


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnlyAdmin):
    list_display = ("filename", "dataset", "state", "rows_good", "rows_bad", "created_at")
    list_filter = ("state",)
    list_select_related = ("dataset",)
    ordering = ("-pk",)


@admin.register(DatasetJob)
class DatasetJobAdmin(ReadOnlyAdmin):
    list_display = ("kind", "dataset", "state", "done", "total", "created_at")
    list_filter = ("state", "kind")
    list_select_related = ("dataset",)
    ordering = ("-pk",)


@admin.register(RememberedMapping)
class RememberedMappingAdmin(ReadOnlyAdmin):
    list_display = ("project", "columns_hash", "used_at")
    list_select_related = ("project",)


@admin.register(SearchIndex)
class SearchIndexAdmin(ReadOnlyAdmin):
    list_display = ("dataset", "state", "version", "at_version", "after_number")
    list_select_related = ("dataset",)
