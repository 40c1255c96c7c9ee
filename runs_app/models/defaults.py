"""What the runs of a dataset use unless they say otherwise."""

from __future__ import annotations

from django.db import models


class DatasetDefaults(models.Model):
    """Filled into the form of a new run, and used by a start that names no target or scorers.

    `scorers` are specifications as `scorers.parse_spec` takes them, the first one the primary.
    `cluster_field` is a path into the item (metadata.customer): items that share its value are not
    independent of each other. `baseline` is the run that others are compared with, pinned by a
    person.
    """

    dataset = models.OneToOneField(
        "datasets_app.Dataset", models.CASCADE, primary_key=True, related_name="+"
    )
    target_ref = models.CharField(max_length=300, blank=True, default="")
    scorers = models.JSONField(default=list)
    cluster_field = models.CharField(max_length=200, blank=True, default="")
    baseline = models.ForeignKey("runs_app.Run", models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name_plural = "dataset defaults"

    def __str__(self) -> str:
        return f"Defaults of {self.dataset}"


class RunChange(models.Model):
    """What a run changed against its dataset's baseline, computed by a worker for the lists.

    `data` is {scorer name: figures} (changes.py). Worth nothing once `key` no longer tells the
    state of both runs.
    """

    run = models.OneToOneField(
        "runs_app.Run", models.CASCADE, primary_key=True, related_name="change"
    )
    key = models.CharField(max_length=200)
    data = models.JSONField()

    def __str__(self) -> str:
        return f"Change of {self.run}"
