import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from evalhub.kit.clock import in_seconds
from evalhub.kit.models import Worker
from runs_app import queries
from runs_app.models import Run, Stay
from runs_app.schemas import (
    ComparisonAnswer,
    ListedRunAnswer,
    ResultAnswer,
    RunAnswer,
    ScorerAnswer,
)
from runs_app.schemas_targets import TargetAnswer
from tests.api.client import assert_described, assert_problem
from tests.factories import make_active_run, make_finished_run

pytestmark = pytest.mark.db

RUNS = "/datasets/sums/runs"


@pytest.fixture
def runs(dataset, editor):
    """Two runs that are over: the first gets one of three right, the second two."""
    first = make_finished_run(dataset, editor, ["2", 5, ValueError("no")], {"exact": [1, 0, None]})
    second = make_finished_run(dataset, editor, ["2", 4, "x"], {"exact": [1, 1, None]})
    return [first, second]


def test_a_run_is_started(api, dataset):
    body = {
        "target": "echo",
        "scorers": ["exact_match", {"use": "contains", "name": "has"}],
        "name": "Nightly",
        "concurrency": 4,
        "timeout": 5,
        "retries": 0,
        "limit": 2,
    }
    answer = api.post(RUNS, body)
    run = answer.json()
    assert answer.status_code == 201
    assert_described(RunAnswer, run)
    assert (run["number"], run["status"], run["name"]) == (1, "pending", "Nightly")
    assert (run["dataset"], run["dataset_version"], run["total_results"]) == ("sums", 1, 2)
    assert (run["concurrency"], run["timeout"], run["retries"]) == (4, 5.0, 0)
    assert [scorer["name"] for scorer in run["scorers"]] == ["exact_match", "has"]
    assert run["progress"]["done"] == 0
    assert run["summary"] is None


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"target": "nobody"}, ["/target"]),
        ({"target": 5}, ["/target"]),
        ({"scorers": "exact_match"}, ["/scorers"]),
        ({"scorers": ["exact_match", "nothing"]}, ["/scorers/1/use"]),
        ({"scorers": [5]}, ["/scorers/0"]),
        ({"scorers": [{"use": "contains", "colour": 1}]}, ["/scorers/0/colour"]),
        ({"concurrency": 0, "retries": -1}, ["/concurrency", "/retries"]),
        ({"concurrency": "8"}, ["/concurrency"]),
        ({"concurrency": True}, ["/concurrency"]),
        ({"timeout": 10**300}, ["/timeout"]),
        ({"timeout": 10**399}, ["/timeout"]),
        ({"limit": 0}, ["/limit"]),
        ({"version": 9}, ["/version"]),
        ({"version": -1}, ["/version"]),
        ({"version": 10**30}, ["/version"]),
        ({"colour": "red"}, ["/colour"]),
    ],
)
def test_a_run_that_cannot_be_is_422_and_points_at_every_fault(api, dataset, changes, pointers):
    assert_problem(api.post(RUNS, {"target": "echo", **changes}), 422, *pointers)
    assert Run.objects.count() == 0


def test_runs_are_listed_for_the_dataset_and_for_the_project(api, dataset, runs):
    api.post("/datasets", {"name": "Other"})
    for path in (RUNS, "/runs"):
        listed = api.get(path).json()
        assert [run["number"] for run in listed["items"]] == [2, 1]
        assert listed["total"] == 2
        for run in listed["items"]:
            assert_described(ListedRunAnswer, run)
    assert api.get("/datasets/other/runs").json()["items"] == []


def test_the_list_says_how_far_each_run_is_in_as_many_queries_as_for_one(
    api, dataset, editor, runs, django_assert_num_queries
):
    def listed():
        return [run["progress"]["share"] for run in api.get("/runs").json()["items"]]

    make_active_run(dataset, editor, done=1)
    with CaptureQueriesContext(connection) as one:
        assert listed() == [pytest.approx(1 / 3), 1.0, 1.0]
    first = Run.objects.order_by("-number").first()
    Stay.objects.create(run=first, owner="w", seats=4, lease_until=in_seconds(60))
    make_active_run(dataset, editor, done=2)
    make_active_run(dataset, editor, done=0)
    with django_assert_num_queries(len(one)):
        assert listed() == pytest.approx([0.0, 2 / 3, 1 / 3, 1.0, 1.0])
    runs_now = list(Run.objects.order_by("number"))
    assert [queries.progress_of(runs_now)[run.pk].seats for run in runs_now] == [0, 0, 4, 0, 0]


def test_runs_are_filtered(api, runs, dataset):
    api.post(RUNS, {"target": "echo", "name": "Fresh"})
    assert [run["name"] for run in api.get("/runs?status=active").json()["items"]] == ["Fresh"]
    assert [run["number"] for run in api.get(f"{RUNS}?q=Run 2").json()["items"]] == [2]
    assert_problem(api.get("/runs?status=asleep"), 422, "/status")


def test_a_run_is_found_by_number_and_by_uuid(api, runs):
    by_number = api.get("/datasets/runs/1").json()
    assert_described(RunAnswer, by_number)
    assert by_number["summary"]["failed"] == 1
    assert by_number["progress"]["share"] == 1.0
    assert api.get(f"/datasets/runs/{runs[0].uuid}").json() == by_number


@pytest.mark.parametrize("ref", ["9", "99999999999999999999", "x", "-1", "runs"])
def test_an_unknown_run_is_404(api, runs, ref):
    for path in (f"/datasets/runs/{ref}", f"/datasets/runs/{ref}/results"):
        assert_problem(api.get(path), 404)
    assert_problem(api.post(f"/datasets/runs/{ref}/cancel"), 404)


def test_results_are_listed_in_item_order(api, runs):
    listed = api.get("/datasets/runs/1/results").json()
    assert [row["number"] for row in listed["items"]] == [1, 2, 3]
    assert listed["total"] == 3
    for row in listed["items"]:
        assert_described(ResultAnswer, row)
    good, _, failed = listed["items"]
    assert (good["output"], good["error"], good["scores"]["exact"]["value"]) == ("2", None, 1.0)
    assert failed["error"] == {"type": "ValueError", "message": "no"}
    assert "output" not in failed


def test_results_are_filtered_and_paged(api, runs):
    failed = api.get("/datasets/runs/1/results?show=error").json()
    assert [row["number"] for row in failed["items"]] == [3]
    assert failed["total"] is None
    pages = api.pages("/datasets/runs/1/results", 2)
    assert [[row["number"] for row in page] for page in pages] == [[1, 2], [3]]
    assert_problem(api.get("/datasets/runs/1/results?show=odd"), 422, "/show")
    assert_problem(api.get("/datasets/runs/1/results?show=fail&scorer=odd"), 404)


def test_a_run_is_cancelled_and_one_that_is_over_is_not(api, dataset):
    assert api.post(RUNS, {"target": "echo"}).status_code == 201
    cancelled = api.post("/datasets/runs/1/cancel").json()
    assert_described(RunAnswer, cancelled)
    assert cancelled["status"] == "cancelled"


def test_a_run_that_has_ended_cannot_be_cancelled(api, runs):
    assert_problem(api.post("/datasets/runs/1/cancel"), 409)


def test_two_runs_are_compared(api, runs):
    answer = api.post("/datasets/compare", {"runs": [1, str(runs[1].uuid)], "margin": 5})
    assert answer.status_code == 200
    comparison = answer.json()
    assert_described(ComparisonAnswer, comparison)
    assert [run["number"] for run in comparison["runs"]] == [1, 2]
    assert comparison["margin"] == 5
    assert [scorer["name"] for scorer in comparison["scorers"]] == ["exact"]


def test_classes_are_compared_when_asked_for(api, runs):
    body = {"runs": [1, 2], "classes": "expected_output"}
    comparison = api.post("/datasets/compare", body).json()
    assert_described(ComparisonAnswer, comparison)
    found = comparison["classes"]
    assert found["difference"]["n"] == found["a"]["n"] > 0
    assert found["difference"]["accuracy"] == found["b"]["accuracy"] - found["a"]["accuracy"]
    assert api.post("/datasets/compare", {"runs": [1, 2]}).json()["classes"] is None


def test_gates_decide_on_a_comparison(api, runs):
    body = {"runs": [1, 2], "gate": ["threshold:0", "max-regressed-items:9"]}
    gate = api.post("/datasets/compare", body).json()["gate"]
    assert (gate["passed"], gate["inconclusive"], gate["exit_code"]) == (True, False, 0)
    assert [reason["gate"] for reason in gate["reasons"]] == body["gate"]
    assert api.post("/datasets/compare", {"runs": [1, 2]}).json()["gate"] is None


def test_a_viewer_may_compare(viewer_api, runs):
    assert viewer_api.post("/datasets/compare", {"runs": ["1", "2"]}).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/runs"),
        ({"runs": [1]}, "/runs"),
        ({"runs": [1, 2] * 11}, "/runs"),
        ({"runs": [1, 2, 2]}, "/runs"),
        ({"runs": [1, 2], "baseline": 2}, "/baseline"),
        ({"runs": [1, 2], "slices": "id"}, "/slices"),
        ({"runs": [1, 2], "classes": "expected_output."}, "/classes"),
        ({"runs": [1, 2], "classes": "metadata.topic"}, "/classes"),
        ({"runs": [1, 2], "cluster": "metadata"}, "/cluster"),
        ({"runs": [1, 2], "gate": "hope"}, "/gate"),
        ({"runs": [1, 2], "gate": ["threshold:0.5", "threshold"]}, "/gate/1"),
        ({"runs": [1, 2], "margins": {"exact": 101}}, "/margins/exact"),
        ({"runs": [1, None]}, "/runs/1"),
        ({"runs": [1, True]}, "/runs/1"),
        ({"runs": [1, 2], "margin": -1}, "/margin"),
    ],
)
def test_a_comparison_that_cannot_be_is_422(api, runs, body, pointer):
    assert_problem(api.post("/datasets/compare", body), 422, pointer)


def test_a_comparison_with_an_unknown_run_is_404(api, runs):
    assert_problem(api.post("/datasets/compare", {"runs": [1, 9]}), 404)


def test_the_runs_of_a_deleted_dataset_stay_readable(api, runs):
    api.delete("/datasets/sums")
    assert [run["dataset"] for run in api.get("/runs").json()["items"]] == ["sums", "sums"]
    assert api.get("/datasets/runs/1").status_code == 200
    assert api.get("/datasets/runs/1/results").json()["total"] == 3


def test_targets_and_scorers_say_what_can_be_used(api):
    targets = api.get("/targets").json()
    assert "python:echo" in [target["ref"] for target in targets["items"]]
    scorers = api.get("/scorers").json()
    assert "exact_match" in [scorer["use"] for scorer in scorers["items"]]
    for model, listed in ((TargetAnswer, targets), (ScorerAnswer, scorers)):
        assert listed["total"] == len(listed["items"])
        for row in listed["items"]:
            assert_described(model, row)


def test_workers_are_those_seen_lately(api):
    assert api.get("/workers").json() == {"alive": 0, "workers": []}
    Worker.objects.create(name="one@host", pid=17)
    gone = Worker.objects.create(name="two@host", pid=18)
    Worker.objects.filter(pk=gone.pk).update(seen_at="2020-01-01T00:00:00Z")
    found = api.get("/workers").json()
    assert found["alive"] == 1
    assert (found["workers"][0]["name"], found["workers"][0]["pid"]) == ("one@host", 17)
    assert 0 <= found["workers"][0]["seconds_ago"] < 5
