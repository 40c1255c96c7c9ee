"""The admin of runs and targets: to be read. Keys are on no page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from evalhub.kit.admin_pages import ReadOnlyAdmin
from evalhub.kit.figures import decimal
from runs_app.models import (
    Connection,
    DatasetDefaults,
    RatePace,
    RecordedOutput,
    Recording,
    Rescore,
    Result,
    Run,
    RunChange,
    RunEvent,
    RunScorer,
    RunVector,
    SavedTarget,
    Score,
    Shard,
    Stay,
    TargetVersion,
)


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ("number", "name", "project", "status", "total_items", "created_at")
    list_filter = ("status", "purpose", "project")
    list_select_related = ("project",)
    search_fields = ("name", "=number")
    ordering = ("-pk",)


@admin.register(Result)
class ResultAdmin(ReadOnlyAdmin):
    """A result with its scores: those have a composite key, so they have no pages of their own."""

    list_display = ("run", "item_number", "repetition", "error_type", "latency_ms", "completed_at")
    list_select_related = ("run",)
    search_fields = ("=run__number", "=item_number")
    ordering = ("-pk",)
    readonly_fields = ("scores",)

    @admin.display(description="Scores")
    def scores(self, result: Result) -> SafeString | str:
        found = Score.objects.filter(
            run_scorer__run=result.run_id,
            item_number=result.item_number,
            repetition=result.repetition,
        ).select_related("run_scorer")
        rows = [
            (one.run_scorer.name, one.state, decimal(one.value, 3), one.reason)
            for one in found.order_by("run_scorer__position")
        ]
        if not rows:
            return "–"
        body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", rows)
        return format_html(
            "<table><thead><tr><th>Scorer</th><th>State</th><th>Value</th><th>Reason</th></tr>"
            "</thead><tbody>{}</tbody></table>",
            body,
        )


@admin.register(RunScorer)
class RunScorerAdmin(ReadOnlyAdmin):
    list_display = ("name", "run", "position", "kind", "threshold")
    list_select_related = ("run",)
    ordering = ("-pk",)


@admin.register(RunEvent)
class RunEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "run", "kind", "message")
    list_select_related = ("run",)
    ordering = ("-pk",)


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    list_display = ("name", "project", "base_url", "shown_key", "updated_at")
    list_select_related = ("project",)
    search_fields = ("name", "base_url")
    exclude = ("key",)
    readonly_fields = ("shown_key",)

    def get_queryset(self, request: Any) -> Any:
        """Without the key, which is never read here."""
        return super().get_queryset(request).defer("key")

    @admin.display(description="Key")
    def shown_key(self, connection: Connection) -> str:
        if connection.key_env:
            return f"env:{connection.key_env}"
        has_key = Connection.objects.filter(pk=connection.pk, key__isnull=False).exists()
        return "set" if has_key else "none"


@admin.register(SavedTarget)
class SavedTargetAdmin(ReadOnlyAdmin):
    list_display = ("name", "project", "kind", "transport", "version", "deleted_at")
    list_select_related = ("project",)
    search_fields = ("name", "slug")


@admin.register(TargetVersion)
class TargetVersionAdmin(ReadOnlyAdmin):
    list_display = ("target", "number", "author", "created_at", "message")
    list_select_related = ("target", "author")
    ordering = ("-pk",)


@admin.register(Recording)
class RecordingAdmin(ReadOnlyAdmin):
    list_display = ("name", "project", "key_field", "rows", "created_at")
    list_select_related = ("project",)


@admin.register(RecordedOutput)
class RecordedOutputAdmin(ReadOnlyAdmin):
    list_display = ("key", "recording")
    list_select_related = ("recording",)
    search_fields = ("=key",)
    ordering = ("-pk",)


@admin.register(DatasetDefaults)
class DatasetDefaultsAdmin(ReadOnlyAdmin):
    list_display = ("dataset", "target_ref", "cluster_field")
    list_select_related = ("dataset",)


@admin.register(Rescore)
class RescoreAdmin(ReadOnlyAdmin):
    list_display = ("run", "state", "done", "created_at")
    list_select_related = ("run",)
    ordering = ("-pk",)


@admin.register(Shard)
class ShardAdmin(ReadOnlyAdmin):
    list_display = ("run", "state", "first_number", "last_number", "size", "succeeded", "failed")
    list_select_related = ("run",)
    ordering = ("-pk",)


@admin.register(Stay)
class StayAdmin(ReadOnlyAdmin):
    list_display = ("run", "owner", "seats", "lease_until")
    list_select_related = ("run",)


@admin.register(RatePace)
class RatePaceAdmin(ReadOnlyAdmin):
    list_display = ("connection", "requests_at", "tokens_at")
    list_select_related = ("connection",)


@admin.register(RunChange)
class RunChangeAdmin(ReadOnlyAdmin):
    list_display = ("run", "key")
    list_select_related = ("run",)


@admin.register(RunVector)
class RunVectorAdmin(ReadOnlyAdmin):
    list_display = ("run", "kind", "key", "made_at")
    list_select_related = ("run",)
    exclude = ("data",)
    ordering = ("-pk",)
