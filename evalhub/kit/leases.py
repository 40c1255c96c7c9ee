"""Leased work: the one mechanism behind run shards and imports.

A row is claimed by one conditional UPDATE that raises its fencing token and sets a lease by the
database clock. Who holds the token may extend and finish; after the lease anybody may claim it
again, and the token of the one before is worth nothing. Messages only wake workers up; the rows are
the truth.
"""

from __future__ import annotations

from typing import Self, TypeVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from evalhub.kit.clock import in_seconds

M = TypeVar("M", bound="LeasedWork")


class LeasedQuerySet(models.QuerySet[M]):
    def claimable(self) -> Self:
        """Work that is open and that no live lease holds."""
        return self.filter(
            Q(lease_until=None) | Q(lease_until__lt=Now()), state__in=self.model.OPEN_STATES
        )

    def claim(self, owner: str) -> M | None:
        """Claim the first claimable row for `owner`; None when there is none."""
        with transaction.atomic():
            work = (
                self.claimable()
                .select_for_update(skip_locked=True, of=("self",))
                .order_by("pk")
                .first()
            )
            if work is None:
                return None
            self.model._base_manager.filter(pk=work.pk).update(
                lease_token=F("lease_token") + 1,
                lease_owner=owner,
                lease_until=in_seconds(settings.LEASE_SECONDS),
                attempts=F("attempts") + 1,
            )
            work.lease_token += 1
            work.lease_owner = owner
            work.attempts += 1
            return work


class LeasedWork(models.Model):
    """Columns of a row that workers lease. Subclasses have `state` and name their OPEN_STATES."""

    OPEN_STATES: tuple[str, ...] = ()

    lease_token = models.IntegerField(default=0)
    lease_owner = models.CharField(max_length=64, blank=True, default="")
    lease_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)

    class Meta:
        abstract = True

    def held(self) -> models.QuerySet[Self]:
        """The row, as long as our token is still the valid one: filter every write by it."""
        return type(self)._base_manager.filter(pk=self.pk, lease_token=self.lease_token)

    def extend(self, **values: object) -> bool:
        """Push the lease forward, with other columns on the way; False when the lease was lost."""
        return bool(self.held().update(lease_until=in_seconds(settings.LEASE_SECONDS), **values))

    def release(self, **values: object) -> bool:
        """Give the lease back, so that others need not wait for it to run out."""
        return bool(self.held().update(lease_until=None, lease_owner="", **values))
