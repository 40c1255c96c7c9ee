"""Workers that are alive: a row each, with the time they were last seen."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models.functions import Now

from evalhub.kit.clock import in_seconds

ALIVE_SECONDS = 5


class WorkerQuerySet(models.QuerySet["Worker"]):
    def alive(self) -> Self:
        """Workers seen in the last ALIVE_SECONDS by the database clock."""
        return self.filter(seen_at__gte=in_seconds(-ALIVE_SECONDS))


class Worker(models.Model):
    """One worker process, kept fresh by its heartbeat."""

    name = models.CharField(max_length=120, unique=True)
    pid = models.IntegerField()
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    objects = WorkerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
