"""The whole surface: what is described is there, and a stranger finds nothing behind it."""

import json
import logging

import pytest

from datasets_app.actions import add_note
from datasets_app.actions.imports import stage_import
from datasets_app.bulk.schema_check import problems_file
from datasets_app.models import DatasetJob, ImportJob, ItemNote
from evalhub.api import api as described
from runs_app.actions.connections import create_connection
from runs_app.actions.targets import save_target
from runs_app.actions.trial import start_trial
from runs_app.models import Recording, Run, SavedTarget
from tests.api.client import BASE, Api, assert_problem
from tests.factories import make_finished_run

pytestmark = pytest.mark.db

CONTRACT = {
    "get /me",
    "get /datasets",
    "post /datasets",
    "get /datasets/{id}",
    "put /datasets/{id}",
    "delete /datasets/{id}",
    "get /datasets/{id}/export",
    "get /datasets/{id}/defaults",
    "put /datasets/{id}/defaults",
    "post /datasets/{id}/duplicate",
    "post /datasets/{id}/archive",
    "post /datasets/{id}/unarchive",
    "post /datasets/{id}/pin",
    "post /datasets/{id}/unpin",
    "get /datasets/{id}/versions",
    "get /datasets/{id}/versions/{version}",
    "patch /datasets/{id}/versions/{version}",
    "post /datasets/{id}/versions/{version}/restore",
    "get /datasets/{id}/diff",
    "get /datasets/{id}/schemas",
    "put /datasets/{id}/schemas",
    "get /datasets/{id}/schemas/inferred",
    "get /jobs/{id}/problems",
    "get /datasets/{id}/items",
    "post /datasets/{id}/items",
    "post /datasets/{id}/items/bulk",
    "post /datasets/{id}/items/batch",
    "post /datasets/{id}/versions/{number}/undo",
    "get /jobs/{id}",
    "post /jobs/{id}/cancel",
    "get /datasets/{id}/items/{number}",
    "patch /datasets/{id}/items/{number}",
    "delete /datasets/{id}/items/{number}",
    "get /datasets/{id}/items/{number}/history",
    "post /datasets/{id}/items/{number}/duplicate",
    "post /datasets/{id}/items/{number}/restore",
    "post /datasets/{id}/items/{number}/purge",
    "get /datasets/{id}/items/{number}/notes",
    "post /datasets/{id}/items/{number}/notes",
    "delete /datasets/{id}/items/{number}/notes/{note}",
    "post /datasets/{id}/imports",
    "get /datasets/{id}/imports",
    "get /imports/{id}",
    "put /imports/{id}/reading",
    "put /imports/{id}/mapping",
    "get /imports/{id}/preview",
    "post /imports/{id}/check",
    "post /imports/{id}/apply",
    "post /imports/{id}/cancel",
    "get /imports/{id}/problems",
    "get /imports/{id}/rows-to-mend",
    "get /datasets/{id}/runs",
    "post /datasets/{id}/runs",
    "get /runs",
    "get /datasets/runs/{run}",
    "get /datasets/runs/{run}/results",
    "post /datasets/runs/{run}/cancel",
    "post /datasets/runs/{run}/pause",
    "post /datasets/runs/{run}/resume",
    "post /datasets/runs/{run}/retry",
    "post /datasets/runs/{run}/rescore",
    "delete /datasets/runs/{run}",
    "get /datasets/runs/{run}/events",
    "get /datasets/runs/{run}/change",
    "get /datasets/runs/{run}/classes",
    "get /datasets/runs/{run}/calibration",
    "get /datasets/{id}/baseline",
    "put /datasets/{id}/baseline",
    "post /datasets/compare",
    "get /targets",
    "post /targets",
    "get /targets/{id}",
    "put /targets/{id}",
    "delete /targets/{id}",
    "get /targets/{id}/versions",
    "post /targets/{id}/check",
    "get /recordings",
    "post /recordings",
    "delete /recordings/{id}",
    "get /connections",
    "post /connections",
    "get /connections/{id}",
    "put /connections/{id}",
    "delete /connections/{id}",
    "get /scorers",
    "get /workers",
    "post /playground",
    "get /playground/{id}",
    "post /playground/{id}/cancel",
}
OWN = {"get /me", "get /datasets", "post /datasets", "get /runs", "get /targets", "get /scorers"}
OWN |= {"get /workers", "post /targets", "get /recordings", "post /recordings"}
OWN |= {"post /playground"}
OWN |= {"get /connections", "post /connections"}
# These speak of the caller's own project, whoever calls.
# A run that is over is not cancelled, paused or resumed; one without errors is not retried.
CONFLICTS = {f"post /datasets/runs/{{run}}/{act}" for act in ("cancel", "pause", "resume", "retry")}
CONFLICTS |= {"post /datasets/{id}/versions/{version}/restore"}  # the version is the latest
BODIES = {
    "post /datasets/{id}/items": {"input": "x"},
    "patch /datasets/{id}/items/{number}": {"input": "x"},
    "post /datasets/{id}/items/bulk": {
        "selection": {"all": True},
        "action": {"type": "set_split", "split": "test"},
    },
    "post /datasets/{id}/items/{number}/duplicate": {},
    "post /datasets/{id}/items/{number}/purge": {"confirm": True},
    "post /datasets/{id}/items/{number}/notes": {"text": "Taken over"},
    "post /datasets/{id}/items/batch": {"add": [{"input": "x"}]},
    "post /datasets/{id}/versions/{number}/undo": {},
    "post /datasets/{id}/versions/{version}/restore": {},
    "patch /datasets/{id}/versions/{version}": {"label": "taken over"},
    "put /datasets/{id}/schemas": {"metadata": {"type": "object"}},
    "put /datasets/{id}": {"name": "Taken over"},
    "post /datasets/{id}/duplicate": {"name": "Taken over"},
    "put /datasets/{id}/defaults": {"cluster_field": "metadata.topic"},
    "post /datasets/{id}/runs": {"target": "echo"},
    "put /datasets/{id}/baseline": {"run": None},
    "put /imports/{id}/reading": {"encoding": "utf-8"},
    "put /imports/{id}/mapping": {"input": ["input"], "expected": ["expected"]},
    "post /imports/{id}/apply": {"on_error": "skip"},
    "post /datasets/runs/{run}/rescore": {"scorers": ["contains"]},
    "post /datasets": {"name": "x"},
    "post /targets": {
        "name": "x",
        "kind": "agent",
        "transport": "python",
        "config": {"id": "echo"},
    },
    "put /targets/{id}": {"name": "Taken over"},
    "post /connections": {"name": "x", "base_url": "https://api.example"},
    "put /connections/{id}": {"name": "Taken over"},
    "post /targets/{id}/check": {"input": 1},
    "post /playground": {"target": "echo", "input": 1},
}
ADMINS = {"post /connections", "put /connections/{id}", "delete /connections/{id}"}


def operations() -> list[str]:
    paths = described.get_openapi_schema(path_prefix="/")["paths"]
    return [f"{method} {path}" for path, methods in paths.items() for method in methods]


@pytest.fixture
def places(dataset, editor):
    """What stands for the names in the paths: everything is there, in the project."""
    run = make_finished_run(dataset, editor, ["2"], {"exact": [1]})
    job = stage_import(
        dataset=dataset, filename="a.csv", chunks=[b"input,expected\n3 + 3,6\n"], by=editor
    )
    job.problems_file.write_text("line,reason\n")
    failed = DatasetJob.objects.create(dataset=dataset, kind="set_schemas", state="failed")
    failed.folder.mkdir(parents=True)
    problems_file(failed).write_text("item,reason\n")
    note = add_note(dataset=dataset, number=1, text="Said before", by=editor)
    target = save_target(
        project=dataset.project,
        name="Mine",
        kind="agent",
        transport="python",
        config={"id": "echo"},
        by=editor,
    )
    recording = Recording.objects.create(project=dataset.project, slug="kept", name="Kept")
    return {
        "dataset": dataset,
        "run": run,
        "note": note,
        "job": job,
        "jobs": failed.uuid,
        "targets": target.slug,
        "recordings": recording.slug,
        "connections": create_connection(
            project=dataset.project, name="Mine", base_url="https://api.example", by=editor
        ).slug,
        "playground": start_trial(project=dataset.project, target="echo", input=1, by=editor).uuid,
    }


def address(operation: str, places, by: str) -> tuple[str, str]:
    method, path = operation.split()
    is_import = path.startswith("/imports/")
    dataset = places["dataset"]
    ref = places["job"].uuid if is_import else getattr(dataset, by)
    ref = places.get(path.split("/")[1], ref)
    path = path.replace("{id}", str(ref)).replace("{number}", "1")
    path = path.replace("{version}", "1").replace("{note}", str(places["note"].pk))
    return method.upper(), path.replace("{run}", str(places["run"].uuid))


def call(client: Api, operation: str, places, by: str = "slug"):
    method, path = address(operation, places, by)
    if operation == "post /datasets/{id}/imports":
        return client.upload(path, "a.csv", b"input\nx\n")
    if operation == "post /recordings":
        fields = {"name": "x", "key_column": "id", "output_column": "answer"}
        return client.upload(path, "a.csv", b"id,answer\n1,x\n", fields=fields)
    body = BODIES.get(operation)
    if operation == "post /datasets/{id}/items/{number}/restore":
        body = {"revision": places["dataset"].revisions.get(number=1).pk}
    if operation == "post /datasets/compare":
        body = {"runs": [str(places["run"].uuid)] * 2}
    return client.call(method, path, body)


def test_the_api_has_the_routes_of_the_contract_and_no_others():
    assert set(operations()) == CONTRACT


@pytest.mark.parametrize("operation", sorted(CONTRACT))
def test_without_a_token_every_route_is_401(operation, places):
    assert_problem(call(Api(None), operation, places), 401)


@pytest.mark.parametrize("by", ["slug", "uuid"])
@pytest.mark.parametrize("operation", sorted(CONTRACT - OWN))
def test_a_stranger_finds_404_behind_every_route(operation, places, stranger_api, by):
    assert_problem(call(stranger_api, operation, places, by), 404)
    places["dataset"].refresh_from_db()
    assert (places["dataset"].version, places["dataset"].name) == (1, "Sums")
    assert places["dataset"].deleted_at is None
    assert [note.text for note in ItemNote.objects.all()] == ["Said before"]
    assert Run.objects.count() == 2
    assert not Run.objects.exclude(cancel_requested_at=None).exists()
    assert SavedTarget.objects.get().name == "Mine"
    assert SavedTarget.objects.get().deleted_at is None
    assert Recording.objects.count() == 1
    assert ImportJob.objects.get().state == "staged"


@pytest.mark.parametrize("operation", sorted(OWN - {"get /targets", "get /scorers"}))
def test_what_a_stranger_reads_of_their_own_names_nothing_of_others(
    operation, places, stranger_api
):
    answer = call(stranger_api, operation, places)
    assert answer.status_code in (200, 201)
    for secret in ("Sums", "support", "editor", str(places["run"].uuid)):
        assert secret not in answer.content.decode()


@pytest.mark.parametrize("operation", sorted(CONTRACT))
def test_a_member_is_let_in_at_every_route(operation, places, api):
    answer = call(api, operation, places)
    expected = {409} if operation in CONFLICTS else {200, 201, 204}
    if operation in ADMINS:
        expected = {403}  # the member is an editor
    assert answer.status_code in expected
    answer.close()


def test_the_description_is_served_and_complete(client, db):
    answer = client.get(f"{BASE}/openapi.json")
    assert answer.status_code == 200
    schema = json.loads(answer.content)
    assert schema["info"] == {"title": "evalhub", "version": described.version, "description": ""}
    names = []
    for path, methods in schema["paths"].items():
        assert path.startswith(f"{BASE}/")
        for operation in methods.values():
            names.append(operation["operationId"])
            assert operation["description"]
            assert operation["security"] == [{"ApiToken": []}]
            assert "default" in operation["responses"]
    assert len(names) == len(set(names)) == len(CONTRACT)
    for reference in find_references(schema):
        assert reference.removeprefix("#/components/schemas/") in schema["components"]["schemas"]


def find_references(value) -> list[str]:
    if isinstance(value, dict):
        here = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return here + [one for child in value.values() for one in find_references(child)]
    if isinstance(value, list):
        return [one for child in value for one in find_references(child)]
    return []


def test_there_is_no_page_that_loads_scripts_from_elsewhere(client, db):
    assert client.get(f"{BASE}/docs").status_code == 401


@pytest.mark.parametrize(
    "path", ["", "/", "/v1", "/datasets/x/nothing", "/datasets/", "/v1/datasets"]
)
def test_an_address_that_the_api_does_not_have_is_a_404_problem(api, path):
    assert_problem(api.get(path or "/"), 404)


def test_an_unversioned_address_is_told_to_go_to_v1_with_its_query(client, db):
    answer = client.post("/api/datasets?x=1", {"name": "x"}, content_type="application/json")
    assert (answer.status_code, answer["Location"]) == (308, "/api/v1/datasets?x=1")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/datasets", "GET, POST"),
        ("POST", "/datasets/sums", "DELETE, GET, PUT"),
        ("GET", "/datasets/compare/", None),
        ("PUT", "/me", "GET"),
    ],
)
def test_a_method_that_is_not_there_is_405_and_names_those_that_are(api, method, path, allowed):
    answer = api.call(method, path, {})
    assert_problem(answer, 405 if allowed else 404)
    if allowed:
        assert answer.headers["Allow"] == allowed


def test_an_error_of_our_own_is_a_500_problem_with_an_id_that_the_log_has(
    api, dataset, monkeypatch, caplog
):
    def broken(*args, **kwargs):
        raise RuntimeError("canary: a secret of the database")

    monkeypatch.setattr("datasets_app.item_pages.page", broken)
    with caplog.at_level(logging.ERROR, "evalhub.kit.api"):
        answer = api.get("/datasets/sums/items")
    problem = assert_problem(answer, 500)
    assert b"canary" not in answer.content
    record = next(one for one in caplog.records if one.name == "evalhub.kit.api")
    assert problem["request_id"] in record.getMessage()
    assert record.exc_info is not None
    assert "canary" in str(record.exc_info[1])
