"""A purged item is gone from the results of every run, and no figure changes."""

from __future__ import annotations

import pytest

from datasets_app.actions import purge_item
from datasets_app.models import Dataset
from evalhub.access.models import User
from evalhub.kit.errors import Conflict
from runs_app.actions.trial import start_trial
from runs_app.models import Result, Run, Score
from runs_app.queries import find_result
from tests.factories import make_active_run, make_finished_run

pytestmark = pytest.mark.db


def test_what_runs_know_of_the_item_is_blanked_and_counts_stay(
    dataset: Dataset, owner: User
) -> None:
    outputs = ["Ada says 2", ValueError("Ada is unknown"), "4", "4"]
    run = make_finished_run(
        dataset,
        owner,
        outputs,
        {"answer": [1.0, None, 0.0, 1.0]},
        repetitions=2,
        results={"spans_json": ['[{"name": "Ada"}]', None, "[]", None], "trace_id": ["t"] * 4},
    )
    Score.objects.filter(item_number=1).update(reason="Ada is right")
    before = (run.succeeded, run.failed, run.summary)
    purge_item(dataset=dataset, number=1, by=owner)

    rows = Result.objects.filter(run=run, item_number=1).order_by("repetition")
    assert [(row.output_json, row.error_type, row.error_message) for row in rows] == [
        ("null", "", ""),
        (None, "ValueError", ""),
    ]
    assert [(row.spans_json, row.trace_id) for row in rows] == [(None, "")] * 2
    score = Score.objects.get(run_scorer__run=run, item_number=1)
    assert (score.value, score.reason) == (1.0, "")
    other = Result.objects.get(run=run, item_number=2, repetition=0)
    assert (other.output_json, other.spans_json, other.trace_id) == ('"4"', "[]", "t")
    run.refresh_from_db()
    assert (run.succeeded, run.failed, run.summary) == before
    assert find_result(run, 1).item.purged
    assert not find_result(run, 2).item.purged


def test_a_run_at_work_holds_a_purge_up(dataset: Dataset, owner: User) -> None:
    run = make_active_run(dataset, owner)
    with pytest.raises(Conflict, match=f"Run #{run.number} is at work on this dataset"):
        purge_item(dataset=dataset, number=1, by=owner)
    assert not find_result(run, 1).item.purged


def test_trials_with_the_items_input_go(dataset: Dataset, owner: User) -> None:
    def trial(text: str) -> Run:
        run = start_trial(
            project=dataset.project, target="recorded:metadata.a", input=text, by=owner
        )
        Run.objects.filter(pk=run.pk).update(status="completed")
        return run

    same, other = trial("1 + 1"), trial("5 + 5")
    purge_item(dataset=dataset, number=1, by=owner)
    assert set(Run.objects.values_list("pk", flat=True)) == {other.pk}
    assert same.pk != other.pk
