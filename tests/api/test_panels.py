"""Classes and calibration by the API."""

from __future__ import annotations

import pytest

from runs_app.api_panels import CalibrationAnswer, ClassesAnswer
from runs_app.models import Run
from tests.api.client import assert_described
from tests.factories import make_dataset, make_finished_run

pytestmark = pytest.mark.db


@pytest.fixture
def letters(dataset, editor):
    payloads = [{"input": n, "expected_output": "ab"[n % 2]} for n in range(6)]
    return make_dataset(dataset.project, editor, payloads)


def test_the_classes_of_a_run(api, letters, editor):
    run = make_finished_run(letters, editor, ["a"] * 6, {"exact": [1] * 6})
    found = api.get(f"/datasets/runs/{run.number}/classes?field=expected_output").json()
    assert_described(ClassesAnswer, found)
    assert found["fields"] == ["expected_output"]
    assert found["figures"]["accuracy"] == 0.5
    assert found["figures"]["matrix"] == [[3, 0], [3, 0]]


def test_a_run_without_classes_has_nulls(api, dataset, editor):
    run = make_finished_run(dataset, editor, ["2"], {"exact": [1]})
    found = api.get(f"/datasets/runs/{run.number}/classes").json()
    assert (found["fields"], found["figures"]) == ([], None)


def test_the_calibration_of_a_scorer(api, letters, editor):
    run = make_finished_run(letters, editor, ["a"] * 6, {"exact": [1] * 6})
    path = f"/datasets/runs/{run.number}/calibration"
    assert api.get(path).json()["n"] == 0
    Run.objects.filter(pk=run.pk).update(target={"kind": "scorer"})
    found = api.get(path).json()
    assert_described(CalibrationAnswer, found)
    assert (found["n"], found["disagreeing"]) == (6, 3)
    assert found["agreement"]["kappa"] == 0
    assert found["disagreements"][0] == {"number": 2, "label": "b", "given": "a", "error": None}
