"""The admin of people, projects and keys. Hashes of secrets are on no page."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from evalhub.access.models import (
    ApiToken,
    AuditEntry,
    IdempotencyKey,
    Member,
    Project,
    SignInLink,
    User,
)
from evalhub.kit.admin_pages import ReadOnlyAdmin

admin.site.register(User, UserAdmin)


@admin.register(Project)
class ProjectAdmin(ReadOnlyAdmin):
    list_display = ("name", "slug", "is_demo", "created_at")
    search_fields = ("name", "slug")


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    list_display = ("user", "project", "role")
    list_filter = ("role",)
    list_select_related = ("user", "project")
    search_fields = ("user__username", "project__name")


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    list_display = ("name", "prefix", "project", "user", "read_only", "last_used_at", "revoked_at")
    list_select_related = ("project", "user")
    exclude = ("hash",)


@admin.register(SignInLink)
class SignInLinkAdmin(ReadOnlyAdmin):
    list_display = ("user", "expires_at", "used_at")
    list_select_related = ("user",)
    exclude = ("hash",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "project", "actor", "action", "subject")
    list_filter = ("action",)
    list_select_related = ("project", "actor")
    search_fields = ("subject",)
    ordering = ("-pk",)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "project", "status")
    list_select_related = ("project",)
    exclude = ("key", "request_hash", "answer")
    ordering = ("-pk",)

    def get_list_display_links(self, request, list_display):  # type: ignore[no-untyped-def]
        return ("created_at",)
