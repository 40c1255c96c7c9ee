"""Notes that people write on an item."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from datasets_app.models.datasets import Dataset


class ItemNote(models.Model):
    """What somebody said of item `number`, of all its versions. Plain text; never changed."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="notes", db_index=False)
    number = models.IntegerField()
    text = models.TextField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["dataset", "number", "id"], name="note_by_item")]

    def __str__(self) -> str:
        return f"Note on #{self.number}"
