"""What the target gave and what the scorers said of it."""

from __future__ import annotations

import json
from typing import Any

from django.db import models

from runs_app.models.runs import Run, RunScorer


class Result(models.Model):
    """What the target gave for one item and repetition. Exactly one row each, written once.

    `output_json` is None when the target failed; then `error_type` and `error_message` say how.
    `shard_id` and `revision_id` are plain numbers: a constraint would cost more than the row is
    worth.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="results", db_index=False)
    item_number = models.IntegerField()
    repetition = models.IntegerField(default=0)
    shard_id = models.BigIntegerField()
    revision_id = models.BigIntegerField()
    output_json = models.TextField(null=True)
    error_type = models.CharField(max_length=40, default="", blank=True)
    error_message = models.TextField(default="", blank=True)
    started_at = models.DateTimeField()
    completed_at = models.DateTimeField()
    latency_ms = models.FloatField()  # of the last try alone
    retries = models.IntegerField(default=0)
    input_tokens = models.IntegerField(null=True)  # of all tries; None: the target does not say
    output_tokens = models.IntegerField(null=True)
    cost_usd = models.FloatField(null=True)
    trace_id = models.CharField(max_length=64, default="", blank=True)
    spans_json = models.TextField(null=True)  # targets/trace.py

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "item_number", "repetition"], name="one_result_per_item"
            )
        ]
        indexes = [
            models.Index(
                fields=["run", "item_number"],
                condition=~models.Q(error_type=""),
                name="results_in_error",
            )
        ]

    def __str__(self) -> str:
        return f"{self.run} item #{self.item_number}"

    @property
    def failed(self) -> bool:
        return self.error_type != ""

    @property
    def output(self) -> Any:
        """The output; None when the target failed (see `failed`) or gave null."""
        return None if self.output_json is None else json.loads(self.output_json)


class ScoreState(models.TextChoices):
    SCORED = "scored", "Scored"
    NOT_SCORED = "not_scored", "Not scored"
    ERROR = "error", "Error"


class Score(models.Model):
    """What a scorer said of one result. `value` is None unless the state is "scored": never a
    silent 0.
    """

    pk = models.CompositePrimaryKey("run_scorer", "item_number", "repetition")
    run_scorer = models.ForeignKey(RunScorer, models.CASCADE, related_name="scores", db_index=False)
    item_number = models.IntegerField()
    repetition = models.IntegerField(default=0)
    state = models.CharField(max_length=10, choices=ScoreState)
    value = models.FloatField(null=True)
    reason = models.TextField(default="", blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["run_scorer", "value", "item_number"],
                condition=models.Q(state="scored"),
                name="scores_by_value",
            ),
            models.Index(
                fields=["run_scorer", "item_number"],
                condition=~models.Q(state="scored"),
                name="scores_not_scored",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_scorer} item #{self.item_number}: {self.value}"
