"""Users, projects, members, API tokens, sign-in links and the audit trail."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now


class User(AbstractUser):
    """A person who signs in."""

    @property
    def initials(self) -> str:
        words = (self.get_full_name() or self.username).split()
        return "".join(word[0] for word in words[:2]).upper()

    @property
    def has_password(self) -> bool:
        """False for who has come in by link only. (Django calls an empty password usable.)"""
        return bool(self.password) and self.has_usable_password()

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username


class Role(models.TextChoices):
    """What a member may do; each includes the ones before it."""

    VIEWER = "viewer", "Viewer"
    EDITOR = "editor", "Editor"
    ADMIN = "admin", "Admin"

    @classmethod
    def allows(cls, has: str | None, needs: str) -> bool:
        """True when role `has` (None: no member) is at least role `needs`."""
        return has is not None and cls.values.index(has) >= cls.values.index(needs)


class ProjectQuerySet(models.QuerySet["Project"]):
    def for_user(self, user: User) -> Self:
        """Projects that `user` is a member of."""
        return self.filter(members__user=user)


class Project(models.Model):
    """The space that members share; everything belongs to one."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    next_run_number = models.IntegerField(default=1)
    trace_url = models.CharField(max_length=500, blank=True, default="")  # with {trace_id} in it
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    objects = ProjectQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def role_of(self, user: User) -> str | None:
        """The role of `user` here; None when not a member."""
        return self.members.filter(user=user).values_list("role", flat=True).first()


class Member(models.Model):
    """A user's role in a project."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="one_membership_per_project")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}: {self.role}"


class ApiToken(models.Model):
    """A key to the API of one project, acting for the user who made it. Only its hash is stored."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="tokens")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    hash = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12)
    read_only = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class SignInLink(models.Model):
    """A link that signs one user in, once, until it expires. Only its hash is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sign_in_links")
    hash = models.CharField(max_length=64, unique=True)
    next = models.CharField(max_length=500, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "sign-in link"

    def __str__(self) -> str:
        return f"Link for {self.user}"


class AuditEntry(models.Model):
    """Who changed what: written with every change, never changed itself."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="audit")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=200)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["project", "-id"], name="audit_newest_first")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class IdempotencyKey(models.Model):
    """A request that was done under a key, with the answer that it gets when it comes again."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="idempotency_keys")
    key = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)  # of method, path and body
    status = models.IntegerField(default=0)
    answer = models.TextField(default="")
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="one_request_per_key")
        ]

    def __str__(self) -> str:
        return self.key
