"""Runs and the scorers that they were started with."""

from __future__ import annotations

import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from evalhub.access.models import Project, User
from runs_app import states


class RunQuerySet(models.QuerySet["Run"]):
    def for_user(self, user: User) -> Self:
        """Runs of the projects that `user` is a member of."""
        return self.filter(project__members__user=user)

    def active(self) -> Self:
        """Runs that are not over."""
        return self.filter(status__in=states.ACTIVE)


class Run(models.Model):
    """One execution of a dataset version against a target with scorers.

    The plan is frozen at the start: the version, `limit`, the target's and the scorers' snapshots.
    Shards are cut from it lazily; `planned_after` is the last item number that a shard holds.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="runs")
    dataset = models.ForeignKey("datasets_app.Dataset", models.CASCADE, related_name="+")
    number = models.IntegerField()
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    dataset_version = models.IntegerField()
    target_ref = models.CharField(max_length=300)  # python:ID or recorded:PATH
    target = models.JSONField(default=dict)  # snapshot: transport, kind, id, name, version, path
    status = models.CharField(max_length=10, default=states.PENDING)
    reason = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)

    total_items = models.IntegerField()
    total_results = models.IntegerField()
    max_concurrency = models.IntegerField(default=8)
    timeout_s = models.FloatField(default=60)
    retries = models.IntegerField(default=2)

    planned_after = models.IntegerField(default=0)
    planned_items = models.IntegerField(default=0)
    succeeded = models.IntegerField(
        default=0
    )  # recounted when the run ends; before that, ask the shards
    failed = models.IntegerField(default=0)
    summary = models.JSONField(null=True)  # engine/summary.py, written when the run ends

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="run_number_unique")
        ]
        indexes = [
            models.Index(fields=["dataset", "-number"], name="runs_of_dataset"),
            models.Index(
                fields=["status"], condition=models.Q(finished_at=None), name="runs_not_over"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.name}"

    @property
    def active(self) -> bool:
        return self.status in states.ACTIVE

    @property
    def target_name(self) -> str:
        return str(self.target.get("name") or self.target_ref)


class RunScorer(models.Model):
    """A scorer of a run, as it was when the run began."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="scorers")
    position = models.IntegerField()  # 0 is the primary scorer
    name = models.CharField(max_length=120)
    spec = models.JSONField()  # what scorers.parse_spec accepts
    kind = models.CharField(max_length=12)  # binary or continuous
    higher_is_better = models.BooleanField(default=True)
    threshold = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="scorer_name_unique_in_run")
        ]

    def __str__(self) -> str:
        return self.name

    def settings(self) -> dict[str, Any]:
        """The parameters beyond the scorer's kind and name, for showing."""
        return {key: value for key, value in self.spec.items() if key not in ("use", "name")}
