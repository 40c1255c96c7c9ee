"""What comparisons read of a large run, packed: a copy of its rows that can be made again."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from runs_app.models.runs import Run


class RunVector(models.Model):
    """One packed part of a run that is over: its results, costs, a scorer's values or a field of
    its items (see `packing.py`). Worth nothing once `key` is not that of the run any more.

    The row of kind "" is the claim of the worker that packs the run, held since `made_at`.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="vectors", db_index=False)
    kind = models.CharField(max_length=300)
    key = models.CharField(max_length=120)
    data = models.BinaryField()
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "kind"], name="one_vector_of_a_kind_per_run")
        ]

    def __str__(self) -> str:
        return f"{self.run}: {self.kind}"
