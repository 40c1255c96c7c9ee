"""Runs and results as the API's JSON."""

from __future__ import annotations

import json

import pytest

from evalhub.access.models import Project, User
from runs_app import payloads, payloads_targets, queries, targets
from runs_app.models import Run
from runs_app.scorers import catalogue
from tests.factories import make_dataset, make_finished_run

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def run(project: Project, owner: User) -> Run:
    dataset = make_dataset(
        project,
        owner,
        [
            {"input": {"b": 1, "a": 2}, "expected_output": None, "external_id": "x"},
            {"input": "second", "metadata": {"topic": "t"}},
        ],
        name="Sums",
    )
    return make_finished_run(
        dataset, owner, [None, TimeoutError("slow")], {"exact": [1, None]}, name="First"
    )


def test_a_run_says_what_ran_and_how(run: Run) -> None:
    answer = payloads.run_payload(run, dataset_slug="sums", progress=queries.progress(run))
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert (answer["id"], answer["number"], answer["dataset"]) == (str(run.uuid), 1, "sums")
    assert answer["target"]["ref"] == "python:echo"
    assert [(each["name"], each["primary"]) for each in answer["scorers"]] == [("exact", True)]
    progress = answer["progress"]
    assert (progress["done"], progress["failed"], progress["share"]) == (2, 1, 1.0)


def test_null_as_an_output_differs_from_no_output(run: Run) -> None:
    good = payloads.result_payload(queries.find_result(run, 1))
    assert good["output"] is None
    assert good["expected_output"] is None
    assert good["error"] is None
    assert good["scores"]["exact"]["passed"] is True
    failed = payloads.result_payload(queries.find_result(run, 2))
    assert "output" not in failed
    assert "expected_output" not in failed
    assert failed["error"] == {"type": "TimeoutError", "message": "slow"}
    assert json.loads(json.dumps(failed, allow_nan=False)) == failed


def test_the_catalogues_are_plain_json() -> None:
    scorers = [payloads.scorer_payload(builtin) for builtin in catalogue()]
    assert "exact_match" in [scorer["use"] for scorer in scorers]
    recorded = payloads_targets.target_payload(targets.find("recorded:metadata.answer", "support"))
    assert recorded["ref"] == "recorded:metadata.answer"
    json.dumps([scorers, recorded], allow_nan=False)
