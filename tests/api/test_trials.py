"""Trying a target over the API."""

from __future__ import annotations

from typing import Any

import pytest

from evalhub.access.models import Project, User
from runs_app.api_trials import TrialAnswer
from runs_app.engine.stay import work
from runs_app.models import Run
from tests.api.client import Api, assert_described, assert_problem

pytestmark = pytest.mark.django_db

BODY: dict[str, Any] = {
    "target": "echo",
    "input": {"q": 1},
    "expected_output": None,
    "context": {"locale": "en"},
    "metadata": {"topic": "sum"},
    "scorers": ["exact_match", {"use": "levenshtein", "name": "close"}],
    "timeout": 5,
}


@pytest.mark.db
@pytest.mark.django_db(transaction=True)
def test_a_trial_is_started_worked_on_and_read(api: Api, viewer_api: Api) -> None:
    made = api.post("/playground", BODY)
    assert made.status_code == 201
    trial = made.json()
    assert_described(TrialAnswer, trial)
    assert (trial["status"], trial["waiting_for_worker"]) == ("pending", True)
    assert "output" not in trial
    assert (trial["latency_ms"], trial["scores"], trial["spans"]) == (None, {}, [])
    work(Run.objects.get().pk)
    trial = viewer_api.get(f"/playground/{trial['id']}").json()
    assert_described(TrialAnswer, trial)
    assert (trial["status"], trial["output"]) == ("completed", {"q": 1})
    assert (trial["expected_output"], trial["context"]) == (None, {"locale": "en"})
    assert trial["scores"]["exact_match"]["passed"] is False
    assert list(trial["scores"]) == ["exact_match", "close"]
    assert trial["target"]["ref"] == "python:echo"
    assert trial["latency_ms"] > 0


@pytest.mark.django_db(transaction=True)
def test_without_an_expected_output_there_is_none_and_an_error_has_no_output(api: Api) -> None:
    body = {"target": "python:moody", "input": "raise", "scorers": ["exact_match"]}
    trial = api.post("/playground", body).json()
    assert "expected_output" not in trial
    work(Run.objects.get().pk)
    trial = api.get(f"/playground/{trial['id']}").json()
    assert trial["status"] == "failed"
    assert "no mood for this" in trial["error"]["message"]
    assert "output" not in trial


def test_each_problem_is_pointed_at(api: Api) -> None:
    bad = BODY | {"target": "nowhere", "context": [1], "scorers": ["nosuch"], "timeout": 0}
    assert_problem(
        api.post("/playground", bad), 422, "/timeout", "/context", "/target", "/scorers/0/use"
    )
    assert_problem(api.post("/playground", {"target": "echo"}), 422, "/input")
    assert_problem(api.post("/playground", BODY | {"retries": 1}), 422, "/retries")
    assert not Run.objects.exists()


def test_the_same_key_starts_one_trial(api: Api) -> None:
    first = api.post("/playground", BODY, key="k-1").json()
    assert api.post("/playground", BODY, key="k-1").json() == first
    assert Run.objects.count() == 1


def test_a_trial_is_cancelled_once(api: Api, viewer_api: Api) -> None:
    id = api.post("/playground", BODY).json()["id"]
    assert_problem(viewer_api.post(f"/playground/{id}/cancel"), 403)
    assert api.post(f"/playground/{id}/cancel").json()["status"] == "cancelled"
    assert api.post(f"/playground/{id}/cancel").status_code == 200
    Run.objects.update(cancel_requested_at=None)
    assert_problem(api.post(f"/playground/{id}/cancel"), 409)


def test_a_viewer_may_not_try(viewer_api: Api, project: Project, viewer: User) -> None:
    assert_problem(viewer_api.post("/playground", BODY), 403)


def test_what_is_no_trial_is_not_found(api: Api) -> None:
    assert_problem(api.get("/playground/nonsense"), 404)
