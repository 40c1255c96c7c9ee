"""The rows of a run as numpy arrays: one query for its results, one for each scorer.

Null columns come as -1, which no count, time or price is, so that one array takes all columns.
numpy is imported when needed only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Case, FloatField, IntegerField, Value, When
from django.db.models.functions import Cast, Coalesce

from evalhub.kit.bulk_reading import read_numbers
from runs_app.models import Result, Score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Table = NDArray[np.float64]


def read_results(run_id: int) -> Table:
    """A row for each result: item number, revision, 1 for an error, latency in ms, input tokens,
    output tokens, cost in USD."""
    missing = Value(-1.0, output_field=FloatField())
    rows = (
        Result.objects.filter(run=run_id)
        .order_by()
        .annotate(
            failed_mark=Case(
                When(error_type="", then=Value(0)), default=Value(1), output_field=IntegerField()
            ),
            known_input=Coalesce("input_tokens", Value(-1)),
            known_output=Coalesce("output_tokens", Value(-1)),
            known_cost=Coalesce(Cast("cost_usd", FloatField()), missing),
        )
        .values_list(
            "item_number",
            "revision_id",
            "failed_mark",
            "latency_ms",
            "known_input",
            "known_output",
            "known_cost",
        )
    )
    return read_numbers(rows, 7)


def read_values(scorer_id: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Item numbers and values of everything that the scorer scored, in no useful order; with
    repetitions a number comes more than once. Answered from the index of values alone."""
    import numpy as np

    found = Score.objects.filter(run_scorer=scorer_id, state="scored", value__isnull=False)
    table = read_numbers(found.order_by().values_list("item_number", "value"), 2)
    return table[:, 0].astype(np.int64), np.ascontiguousarray(table[:, 1])
