"""The admin of workers."""

from django.contrib import admin

from evalhub.kit.admin_pages import ReadOnlyAdmin
from evalhub.kit.models import Worker


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ("name", "pid", "started_at", "seen_at")
    ordering = ("-seen_at",)
