"""The API of a dataset's baseline."""

import pytest

from runs_app.api_baseline import BaselineAnswer, ChangeAnswer
from tests.api.client import assert_described, assert_problem
from tests.factories import make_active_run, make_finished_run

pytestmark = pytest.mark.db

BASELINE = "/datasets/sums/baseline"


@pytest.fixture
def two(dataset, editor):
    return [
        make_finished_run(dataset, editor, ["2"] * 3, {"exact": exact})
        for exact in ([1, 0, 0], [1, 1, 0])
    ]


def test_a_run_is_pinned_shown_and_unpinned(api, viewer_api, two):
    base, run = two
    nothing = {"dataset": "sums", "run": None, "id": None, "name": None}
    assert api.get(BASELINE).json() == nothing
    pinned = api.put(BASELINE, {"run": base.number})
    assert pinned.status_code == 200
    assert_described(BaselineAnswer, pinned.json())
    assert (pinned.json()["run"], pinned.json()["id"]) == (base.number, str(base.uuid))
    assert viewer_api.get(BASELINE).json() == pinned.json()
    change = viewer_api.get(f"/datasets/runs/{run.number}/change").json()
    assert_described(ChangeAnswer, change)
    assert change["baseline"] == base.number
    assert change["scorers"]["exact"]["pairs"] == 3
    assert api.get(f"/datasets/runs/{base.number}/change").json()["scorers"] == {}
    assert api.put(BASELINE, {"run": None}).json() == nothing
    assert api.get(f"/datasets/runs/{run.number}/change").json() == {
        "baseline": None,
        "scorers": {},
    }


def test_what_cannot_be_a_baseline_is_refused(api, dataset, editor, two):
    going = make_active_run(dataset, editor)
    assert_problem(api.put(BASELINE, {"run": going.number}), 422, "/run")
    assert_problem(api.put(BASELINE, {"run": 999}), 404)
    assert_problem(api.put(BASELINE, {}), 422, "/run")
    assert api.get(BASELINE).json()["run"] is None


def test_a_viewer_pins_nothing(viewer_api, api, two):
    assert_problem(viewer_api.put(BASELINE, {"run": two[0].number}), 403)
    assert api.get(BASELINE).json()["run"] is None
