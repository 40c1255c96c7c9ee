"""How far the index for searching a dataset's items has been built, as leased work."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q

from datasets_app.models.datasets import Dataset
from evalhub.kit.leases import LeasedQuerySet, LeasedWork

INDEX_FROM = 10_000
"""Items from which on a dataset gets an index; fewer are looked through as quickly."""


class SearchIndexQuerySet(LeasedQuerySet["SearchIndex"]):
    def behind(self) -> Self:
        """Those with revisions to add."""
        return self.filter(dataset__deleted_at=None, version__lt=F("dataset__version"))

    def is_behind(self, dataset: Dataset) -> bool:
        """Whether an index of the dataset is being built, or will be."""
        if dataset.next_item_number <= INDEX_FROM:
            return False
        version = self.filter(dataset=dataset).values_list("version", flat=True).first()
        return version is None or version < dataset.version


class SearchIndex(LeasedWork):
    """All published revisions up to `version` are in the index, and of the next ones those up to
    item `after_number` of `at_version`.

    The index itself is the table `datasets_app_searchtext`: see migration 0003.
    """

    OPEN_STATES = ("building",)

    dataset = models.OneToOneField(
        Dataset, models.CASCADE, primary_key=True, related_name="search_index"
    )
    state = models.CharField(max_length=8, default="building")  # or ready
    version = models.IntegerField(default=0)
    at_version = models.IntegerField(default=0)
    after_number = models.IntegerField(default=0)
    # The lowest and the highest id of its revisions: SQLite looks for nothing beyond.
    first_id = models.BigIntegerField(null=True)
    last_id = models.BigIntegerField(null=True)

    objects = SearchIndexQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "search indexes"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["building", "ready"]), name="search_index_state"
            )
        ]

    def __str__(self) -> str:
        return f"Search index of {self.dataset}"
