import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from evalhub.kit.plugins import PluginError
from runs_app.actions.targets import save_target
from runs_app.models import Recording, Run, SavedTarget
from runs_app.schemas_targets import (
    CheckAnswer,
    RecordingAnswer,
    SavedTargetAnswer,
    TargetAnswer,
    TargetVersionAnswer,
)
from tests.api.client import assert_described, assert_problem
from tests.factories import make_finished_run

pytestmark = pytest.mark.db

ECHO = {"name": "My echo", "kind": "agent", "transport": "python", "config": {"id": "echo"}}
FIELDS = {"name": "Answers", "key_column": "id", "output_column": "answer"}


@pytest.fixture
def saved(api):
    answer = api.post("/targets", ECHO)
    assert answer.status_code == 201
    return answer.json()


def test_a_target_is_saved_and_read(api, saved):
    assert_described(SavedTargetAnswer, saved)
    assert (saved["ref"], saved["id"], saved["version"]) == ("my-echo", "my-echo", "1")
    assert saved["config"] == {"id": "echo"}
    assert saved["created_by"] == "editor"
    assert api.get("/targets/my-echo").json() == saved


def test_a_target_is_saved_once_under_one_key(api):
    first = api.post("/targets", ECHO, key="k1").json()
    assert api.post("/targets", ECHO, key="k1").json() == first
    assert SavedTarget.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"name": ""}, ["/name"]),
        ({"kind": "robot"}, ["/kind"]),
        ({"transport": "pigeon"}, ["/transport"]),
        ({"config": {"id": "nobody"}}, ["/config/id"]),
        ({"config": []}, ["/config"]),
        ({"config": {"id": 3}}, ["/config/id"]),
        ({"colour": "red"}, ["/colour"]),
        (
            {
                "transport": "scorer",
                "kind": "scorer",
                "config": {"scorer": {"use": "levenshtein", "x": 1}},
            },
            ["/config/scorer/x"],
        ),
    ],
)
def test_a_target_that_cannot_be_is_422_and_points_at_every_fault(api, changes, pointers):
    assert_problem(api.post("/targets", ECHO | changes), 422, *pointers)
    assert SavedTarget.objects.count() == 0


def test_a_change_of_the_configuration_makes_a_version_and_another_does_not(api, saved):
    renamed = api.put("/targets/my-echo", {"name": "Echo"}).json()
    assert (renamed["name"], renamed["version"], renamed["id"]) == ("Echo", "1", "my-echo")
    changed = api.put("/targets/my-echo", {"config": {"id": "echo-sync"}, "message": "why"}).json()
    assert (changed["name"], changed["version"]) == ("Echo", "2")
    versions = api.get("/targets/my-echo/versions").json()
    assert [row["version"] for row in versions["items"]] == [2, 1]
    assert versions["total"] == 2
    for row in versions["items"]:
        assert_described(TargetVersionAnswer, row)
    assert versions["items"][0]["message"] == "why"
    assert versions["items"][1]["config"] == {"id": "echo"}


def test_a_deleted_target_is_404(api, saved):
    assert api.delete("/targets/my-echo").status_code == 204
    for path in ("/targets/my-echo", "/targets/my-echo/versions"):
        assert_problem(api.get(path), 404)
    assert_problem(api.delete("/targets/my-echo"), 404)


def test_a_viewer_reads_and_changes_nothing(api, viewer_api, saved):
    assert viewer_api.get("/targets/my-echo").status_code == 200
    for answer in (
        viewer_api.post("/targets", ECHO),
        viewer_api.put("/targets/my-echo", {"name": "x"}),
        viewer_api.delete("/targets/my-echo"),
        viewer_api.post("/targets/my-echo/check", {"input": 1}),
        viewer_api.upload("/recordings", "a.csv", b"id,answer\n1,x\n", fields=FIELDS),
    ):
        assert_problem(answer, 403)


def test_the_list_has_saved_and_registered_targets_with_their_health(api, saved, dataset, editor):
    run = make_finished_run(dataset, editor, ["a", ValueError("no")], {"exact": [1, None]})
    Run.objects.filter(pk=run.pk).update(target_ref="my-echo")
    listed = api.get("/targets").json()
    assert listed["items"][0]["ref"] == "my-echo"
    assert listed["items"][0]["health"]["ok"] == 0.5
    assert listed["items"][0]["health"]["state"] == "troubled"
    assert "python:echo" in [row["ref"] for row in listed["items"]]
    assert listed["broken"] == []
    for row in listed["items"]:
        assert_described(TargetAnswer, row)


def test_a_plugin_that_failed_is_listed_with_its_error_and_hurts_nothing(api, monkeypatch):
    broken = PluginError("my_targets", "ModuleNotFoundError: nope", "Traceback with /a/path")
    monkeypatch.setattr("evalhub.kit.plugins.registry._errors", [broken])
    listed = api.get("/targets").json()
    assert listed["broken"] == [{"module": "my_targets", "error": "ModuleNotFoundError: nope"}]
    assert "python:echo" in [row["ref"] for row in listed["items"]]


def test_the_list_takes_as_many_queries_for_twenty_targets_as_for_two(api, project, editor):
    def grow(n):
        for index in range(n):
            save_target(project=project, by=editor, **(ECHO | {"name": f"Echo {index}"}))

    def count():
        with CaptureQueriesContext(connection) as captured:
            assert api.get("/targets").status_code == 200
        return len(captured)

    grow(2)
    few = count()
    grow(18)
    assert count() == few


@pytest.mark.parametrize("ref", ["my-echo", "my-echo@1", "python:echo", "Echo"])
def test_a_check_starts_a_run_of_one_item_that_no_list_shows(api, saved, ref):
    answer = api.post(f"/targets/{ref}/check", {"input": {"q": 1}, "context": {"a": 1}})
    assert answer.status_code == 201, answer.content
    assert_described(CheckAnswer, answer.json())
    run = Run.objects.get(uuid=answer.json()["id"])
    assert (run.purpose, run.status, run.total_results) == ("check", "pending", 1)
    assert run.inline_item["input_json"] == '{"q":1}'
    assert run.inline_item["expected_json"] is None
    assert api.get("/runs").json()["items"] == []


def test_an_expected_output_of_null_reaches_the_check(api, saved):
    api.post("/targets/my-echo/check", {"input": 1, "expected_output": None})
    assert Run.objects.get().inline_item["expected_json"] == "null"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/input"),
        ({"input": 1, "context": 3}, "/context"),
        ({"input": 1, "timeout": 0}, "/timeout"),
    ],
)
def test_a_check_that_cannot_be_is_422(api, saved, body, pointer):
    assert_problem(api.post("/targets/my-echo/check", body), 422, pointer)
    assert Run.objects.count() == 0


def test_a_check_of_an_unknown_target_is_404(api):
    assert_problem(api.post("/targets/nobody/check", {"input": 1}), 404)


def test_outputs_are_uploaded_listed_and_removed(api):
    content = b'{"id": "q-1", "answer": {"n": 1}}\n'
    options = FIELDS | {"key_field": "external_id", "read_as": "json"}
    answer = api.upload("/recordings", "a.jsonl", content, fields=options)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert_described(RecordingAnswer, made)
    assert (made["ref"], made["rows"], made["key_field"]) == ("file:answers", 1, "external_id")
    assert api.get("/recordings").json()["items"] == [made]
    assert api.delete("/recordings/answers").status_code == 204
    assert_problem(api.delete("/recordings/answers"), 404)
    assert Recording.objects.count() == 0


def test_a_bad_file_is_422_and_names_its_lines(api):
    answer = api.upload("/recordings", "a.csv", b"id,answer\n1,x\n1,y\nz,y\n", fields=FIELDS)
    problem = assert_problem(answer, 422, "/file", "/file")
    assert problem["errors"][0]["detail"].startswith("Line 3:")
    assert_problem(
        api.upload("/recordings", "a.csv", b"id,answer\n"),
        422,
        "/name",
        "/key_column",
        "/output_column",
    )


def test_a_recording_in_use_is_409(api):
    api.upload("/recordings", "a.csv", b"id,answer\n1,x\n", fields=FIELDS)
    body = ECHO | {"transport": "recorded", "config": {"recording": "answers"}}
    assert api.post("/targets", body).status_code == 201
    assert_problem(api.delete("/recordings/answers"), 409)
