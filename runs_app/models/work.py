"""Work in progress: shards of a run as leased work, and the stays of workers on a run."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from evalhub.kit.leases import LeasedQuerySet, LeasedWork
from runs_app.models.runs import Run


class ShardState(models.TextChoices):
    OPEN = "open", "Open"
    DONE = "done", "Done"
    DROPPED = "dropped", "Dropped"  # the run was cancelled


class Shard(LeasedWork):
    """A few hundred results of a run. `items` is [[revision id, item number], ...] in number order;
    each is done for every repetition, or for those in `repetitions` alone ([[item number,
    repetition], ...], when errors are tried again). `size` counts results.

    `strikes` counts workers in a row that called items of it and died without a result: the sign of
    an item that kills its worker. From two strikes on the items are called one at a time, and
    `suspect` is the one that is being called.
    """

    OPEN_STATES = (ShardState.OPEN,)

    run = models.ForeignKey(Run, models.CASCADE, related_name="shards")
    state = models.CharField(max_length=8, choices=ShardState, default=ShardState.OPEN)
    items = models.JSONField()
    repetitions = models.JSONField(null=True)
    retry = models.IntegerField(default=0)  # 0: cut from the plan; n: from the errors of retry n
    first_number = models.IntegerField()
    last_number = models.IntegerField()
    size = models.IntegerField()
    succeeded = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    strikes = models.IntegerField(default=0)
    suspect = models.IntegerField(null=True)

    objects = LeasedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "retry", "first_number"], name="one_shard_per_place"
            )
        ]
        indexes = [
            models.Index(fields=["run", "id"], condition=models.Q(state="open"), name="open_shards")
        ]

    def __str__(self) -> str:
        return f"{self.run} items {self.first_number} to {self.last_number}"


class StayQuerySet(models.QuerySet["Stay"]):
    def live(self) -> Self:
        return self.filter(lease_until__gte=Now())


class Stay(models.Model):
    """A worker at work on a run, with the seats (calls in flight) that it may use until its lease
    ends.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="stays")
    owner = models.CharField(max_length=64, unique=True)
    seats = models.IntegerField(default=0)
    lease_until = models.DateTimeField()

    objects = StayQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.owner} on {self.run}"


class RescoreState(models.TextChoices):
    OPEN = "open", "Open"
    DONE = "done", "Done"
    CANCELLED = "cancelled", "Cancelled"


class Rescore(LeasedWork):
    """Scoring the results of a finished run again, without calling its target.

    Its scorers write scores that nobody sees until one small transaction gives them to the run;
    those of the same name that they replace go then. `after_number` is how far it came.
    """

    OPEN_STATES = (RescoreState.OPEN,)

    run = models.ForeignKey(Run, models.CASCADE, related_name="rescores")
    state = models.CharField(max_length=10, choices=RescoreState, default=RescoreState.OPEN)
    after_number = models.IntegerField(default=0)
    done = models.IntegerField(default=0)  # results
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = LeasedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run"], condition=models.Q(state="open"), name="one_open_rescore_per_run"
            )
        ]

    def __str__(self) -> str:
        return f"Rescore of {self.run}"
