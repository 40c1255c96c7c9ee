"""Runs and the scorers that they were started with."""

from __future__ import annotations

import uuid
from typing import Self

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

    def listed(self) -> Self:
        """Runs that lists show: not those of the playground or of a check, not deleted ones."""
        return self.filter(purpose=Purpose.RUN, deleted_at=None)


class Purpose(models.TextChoices):
    """Why a run exists. All but the first have one item of their own and stay out of the lists."""

    RUN = "run", "Run"
    PLAYGROUND = "playground", "Playground"
    CHECK = "check", "Check of a target"


class Run(models.Model):
    """One execution of a dataset version against a target with scorers.

    The plan is frozen at the start: the version, the selection, the target's and the scorers'
    snapshots. Shards are cut from it lazily; `planned_after` is the last item number that a shard
    holds. `total_items` counts items, `total_results` items x repetitions.

    A run of the playground has no dataset but one `inline_item` (the fields of public.ItemRow).
    A finished run that is reopened (retry) first goes on with its plan, then cuts shards from the
    errors among its results with ids up to `retry_up_to`; `retry_after` is how far that came.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="runs")
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.RUN)
    dataset = models.ForeignKey("datasets_app.Dataset", models.CASCADE, related_name="+", null=True)
    inline_item = models.JSONField(null=True)
    number = models.IntegerField()
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    dataset_version = models.IntegerField()
    target_ref = models.CharField(max_length=300)  # what targets.find takes
    target = models.JSONField(default=dict)  # snapshot: transport, kind, id, name, version, config
    context = models.JSONField(null=True)  # given to the target; an item's own context wins
    tags = models.JSONField(default=list)
    metadata = models.JSONField(default=dict)
    status = models.CharField(max_length=10, default=states.PENDING)
    reason = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=500, blank=True)
    cancel_status = models.CharField(max_length=10, default=states.CANCELLED)  # what it ends as
    paused_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    selection = models.JSONField(
        default=dict
    )  # selection.py: split, limit, sample, seed, failed_of
    selected = models.JSONField(
        null=True
    )  # item numbers in order, where they cannot be read lazily
    repetitions = models.IntegerField(default=1)
    total_items = models.IntegerField()
    total_results = models.IntegerField()
    max_concurrency = models.IntegerField(default=8)
    timeout_s = models.FloatField(default=60)
    deadline_s = models.FloatField(default=600)  # for one result: tries, waiting and backing off
    retries = models.IntegerField(default=2)

    # Error policy and caps; None: none. `held_*` is promised to calls in flight, `used_*` is spent.
    stop_after_errors = models.IntegerField(null=True)
    stop_error_share = models.FloatField(null=True)  # 0..1
    max_tokens = models.BigIntegerField(null=True)
    max_cost_usd = models.FloatField(null=True)
    held_tokens = models.BigIntegerField(default=0)
    used_tokens = models.BigIntegerField(default=0)
    held_cost_usd = models.FloatField(default=0)
    used_cost_usd = models.FloatField(default=0)

    # Seats that a target's 429 and 503 leave of `max_concurrency`; None: all of them.
    seat_limit = models.IntegerField(null=True)
    throttled_at = models.DateTimeField(null=True)
    seats_changed_at = models.DateTimeField(null=True)

    planned_after = models.IntegerField(default=0)
    planned_items = models.IntegerField(default=0)
    succeeded = models.IntegerField(
        default=0
    )  # recounted when the run ends; before that, ask the shards
    failed = models.IntegerField(default=0)
    summary = models.JSONField(null=True)  # engine/summary.py, written when the run ends
    retry_up_to = models.BigIntegerField(null=True)
    retry_after = models.IntegerField(default=0)
    score_revision = models.IntegerField(default=0)  # raised by retry and rescore

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
            models.Index(fields=["project", "target_ref", "-number"], name="runs_of_target"),
            models.Index(
                fields=["id"], condition=models.Q(deleted_at__isnull=False), name="runs_to_delete"
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


class RunEvent(models.Model):
    """Something that happened to a run and that its page tells: seats, pauses, retries, rescores.

    `seats` is the number of calls at once from then on, None for events that leave it alone.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="events")
    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=20)
    seats = models.IntegerField(null=True)
    message = models.CharField(max_length=300)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.run}: {self.message}"


class RunScorer(models.Model):
    """A scorer of a run, as it was when the run began or was scored again.

    One of a rescore that is still under way belongs to its job and to no run yet.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="scorers", null=True)
    rescore = models.ForeignKey(
        "runs_app.Rescore", models.SET_NULL, related_name="scorers", null=True
    )
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
