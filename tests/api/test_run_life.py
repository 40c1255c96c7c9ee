"""The API of a run's start with all that it takes, and of what becomes of it afterwards."""

import pytest

from runs_app.engine import deleting, rescoring
from runs_app.models import Rescore, Run, RunEvent
from runs_app.schemas import EventAnswer, RunAnswer
from tests.api.client import assert_described, assert_problem
from tests.factories import make_active_run, make_finished_run

pytestmark = pytest.mark.db

RUNS = "/datasets/sums/runs"


@pytest.fixture
def over(dataset, editor):
    return make_finished_run(dataset, editor, ["2", ValueError("no"), "x"], {"exact": [1, None, 0]})


@pytest.fixture
def going(dataset, editor):
    return make_active_run(dataset, editor)


def test_everything_that_a_run_can_be_started_with_is_shown_by_it(api, dataset):
    body = {
        "target": "echo",
        "selection": {"sample": 2, "seed": 7},
        "limit": 1,
        "repetitions": 3,
        "context": {"locale": "en"},
        "deadline": 99.5,
        "stop_after_errors": 4,
        "stop_error_share": 0.25,
        "max_tokens": 9000,
        "tags": ["nightly", " small ", "nightly"],
        "metadata": {"ticket": 7},
    }
    answer = api.post(RUNS, body)
    assert answer.status_code == 201, answer.content
    run = answer.json()
    assert_described(RunAnswer, run)
    shown = {name: run[name] for name in body.keys() - {"target", "limit", "selection", "tags"}}
    assert shown == {name: body[name] for name in shown}
    assert run["selection"] == {"sample": 2, "seed": 7, "limit": 1}
    assert run["tags"] == ["nightly", "small"]
    assert (run["total_items"], run["total_results"]) == (1, 3)
    assert (run["used_tokens"], run["used_cost_usd"], run["seat_limit"]) == (0, 0, None)
    assert (run["paused_at"], run["rescore"], run["events"]) == (None, None, 0)
    assert api.get(RUNS).json()["items"][0]["selection"] == run["selection"]


def test_the_deadline_is_long_enough_for_every_try_unless_it_is_given(api, dataset):
    run = api.post(RUNS, {"target": "echo", "timeout": 10, "retries": 3}).json()
    assert run["deadline"] == 160
    longest = api.post(RUNS, {"target": "echo", "timeout": 3600, "retries": 10}).json()
    assert longest["deadline"] == 3600 * 11 + 120


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"repetitions": 0}, ["/repetitions"]),
        ({"repetitions": 101}, ["/repetitions"]),
        ({"deadline": 0}, ["/deadline"]),
        ({"deadline": 86_401}, ["/deadline"]),
        ({"selection": {"split": "none"}}, ["/selection/split"]),
        ({"selection": {"sample": 0, "colour": 1}}, ["/selection/colour", "/selection/sample"]),
        ({"selection": {"failed_of": 9}}, ["/selection/failed_of"]),
        ({"selection": {"limit": 1}, "limit": 1}, ["/limit"]),
        ({"selection": [1]}, ["/selection"]),
        ({"context": [1]}, ["/context"]),
        ({"context": {"a": "x" * 100_001}}, ["/context"]),
        ({"metadata": {"a": "x" * 100_001}}, ["/metadata"]),
        ({"tags": ["", "x" * 61]}, ["/tags/0", "/tags/1"]),
        ({"tags": [f"t{n}" for n in range(21)]}, ["/tags"]),
        ({"stop_after_errors": 0}, ["/stop_after_errors"]),
        ({"stop_error_share": 1.1}, ["/stop_error_share"]),
        ({"stop_error_share": 0}, ["/stop_error_share"]),
        ({"max_tokens": 0}, ["/max_tokens"]),
        ({"max_tokens": 2**63}, ["/max_tokens"]),
        ({"max_cost_usd": -1, "target": "nobody"}, ["/max_cost_usd", "/target"]),
    ],
)
def test_what_a_run_cannot_be_started_with_is_422_and_pointed_at(api, dataset, changes, pointers):
    assert_problem(api.post(RUNS, {"target": "echo", **changes}), 422, *pointers)
    assert Run.objects.count() == 0


def test_a_cap_on_cost_needs_a_target_with_a_price(api, dataset):
    problem = assert_problem(
        api.post(RUNS, {"target": "echo", "max_cost_usd": 1.0}), 422, "/max_cost_usd"
    )
    assert "The price of Echo is not known" in problem["detail"]


def test_a_run_is_paused_and_resumed_and_tells_of_it(api, going):
    paused = api.post(f"/datasets/runs/{going.number}/pause").json()
    assert_described(RunAnswer, paused)
    assert (paused["status"], paused["paused_at"] is None, paused["events"]) == (
        "running",
        False,
        1,
    )
    assert api.post(f"/datasets/runs/{going.number}/resume").json()["paused_at"] is None
    events = api.get(f"/datasets/runs/{going.number}/events").json()
    assert [event["kind"] for event in events["items"]] == ["resumed", "paused"]
    assert events["total"] == 2
    for event in events["items"]:
        assert_described(EventAnswer, event)
    pages = api.pages(f"/datasets/runs/{going.number}/events", 1)
    assert [[event["kind"] for event in page] for page in pages] == [["resumed"], ["paused"]]


def test_a_seat_event_says_how_many_calls_are_left(api, over):
    RunEvent.objects.create(run=over, kind="throttled", seats=4, message="429 from the target.")
    (event,) = api.get(f"/datasets/runs/{over.number}/events").json()["items"]
    assert (event["seats"], event["message"]) == (4, "429 from the target.")


def test_a_run_is_opened_again_for_its_errors(api, over, going):
    run = api.post(f"/datasets/runs/{over.number}/retry").json()
    assert (run["status"], run["summary"]) == ("running", None)
    assert_problem(api.post(f"/datasets/runs/{going.number}/retry"), 409)


def test_a_run_is_scored_again(api, over, going):
    path = f"/datasets/runs/{over.number}/rescore"
    run = api.post(path, {"scorers": [{"use": "contains", "name": "has"}]}).json()
    assert_described(RunAnswer, run)
    assert run["rescore"] == {"scorers": ["has"], "done": 0, "total": 2}
    assert_problem(api.post(path, {"scorers": ["contains"]}), 409)
    rescoring.work(Rescore.objects.get().pk)
    scored = api.get(f"/datasets/runs/{over.number}").json()
    assert list(scored["summary"]["scores"]) == ["exact", "has"]
    assert scored["rescore"] is None
    assert api.post(path, {"scorers": ["contains"], "mode": "replace"}).status_code == 200
    rescoring.work(Rescore.objects.latest("pk").pk)
    replaced = api.get(f"/datasets/runs/{over.number}").json()
    assert [scorer["name"] for scorer in replaced["scorers"]] == ["contains"]
    assert_problem(
        api.post(f"/datasets/runs/{going.number}/rescore", {"scorers": ["contains"]}), 409
    )


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/scorers"),
        ({"scorers": []}, "/scorers"),
        ({"scorers": ["nothing"]}, "/scorers/0/use"),
        ({"scorers": ["contains"], "mode": "swap"}, "/mode"),
    ],
)
def test_a_rescore_that_cannot_be_is_422(api, over, body, pointer):
    assert_problem(api.post(f"/datasets/runs/{over.number}/rescore", body), 422, pointer)
    assert not Rescore.objects.exists()


def test_a_run_is_deleted_once_it_is_over(api, over, going):
    assert api.delete(f"/datasets/runs/{over.number}").status_code == 204
    assert_problem(api.get(f"/datasets/runs/{over.number}"), 404)
    assert_problem(api.delete(f"/datasets/runs/{over.number}"), 404)
    assert [run["number"] for run in api.get("/runs").json()["items"]] == [going.number]
    deleting.work(over.pk)
    assert not Run.objects.filter(pk=over.pk).exists()
    assert_problem(api.delete(f"/datasets/runs/{going.number}"), 409)


def test_a_viewer_changes_no_run(viewer_api, over, going):
    for act in ("pause", "resume", "retry"):
        assert_problem(viewer_api.post(f"/datasets/runs/{going.number}/{act}"), 403)
    rescore = {"scorers": ["contains"]}
    assert_problem(viewer_api.post(f"/datasets/runs/{over.number}/rescore", rescore), 403)
    assert_problem(viewer_api.delete(f"/datasets/runs/{over.number}"), 403)
    assert viewer_api.get(f"/datasets/runs/{over.number}/events").status_code == 200
