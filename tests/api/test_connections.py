"""The API of connections: whole, for admins to change, and silent about keys."""

from __future__ import annotations

import pytest

from evalhub.access.models import Role
from runs_app.api_connections import ConnectionAnswer
from runs_app.connections import reach
from runs_app.models import Connection
from tests.api.client import assert_described, assert_problem

pytestmark = pytest.mark.db
SECRET = "sk-secret-42"
NEW = {"name": "OpenAI", "base_url": "https://api.example/v1", "key": SECRET}


@pytest.fixture
def admin_api(api_for, owner, project):
    return api_for(owner, project)


def test_a_connection_is_made_read_changed_and_deleted(admin_api, project):
    answer = admin_api.post("/connections", NEW | {"tokens_per_minute": 90_000})
    assert answer.status_code == 201
    made = answer.json()
    assert_described(ConnectionAnswer, made)
    assert (made["id"], made["key"], made["tokens_per_minute"]) == ("openai", "set", 90_000)
    assert admin_api.get("/connections/openai").json() == made
    assert admin_api.get("/connections").json()["items"] == [made]
    changed = admin_api.put("/connections/openai", {"name": "Other", "tokens_per_minute": None})
    assert changed.json()["name"] == "Other"
    assert (changed.json()["key"], changed.json()["tokens_per_minute"]) == ("set", None)
    assert reach(project, "openai").key == SECRET
    assert admin_api.put("/connections/openai", {"key": None}).json()["key"] is None
    assert reach(project, "openai").key is None
    named = admin_api.put("/connections/openai", {"key": "env:SOME_API_KEY"})
    assert named.json()["key"] == "env:SOME_API_KEY"
    assert admin_api.delete("/connections/openai").status_code == 204
    assert_problem(admin_api.get("/connections/openai"), 404)


def test_a_key_is_in_no_answer(admin_api):
    answers = [
        admin_api.post("/connections", NEW, key="once"),
        admin_api.post("/connections", NEW, key="once"),  # the answer that was kept
        admin_api.get("/connections/openai"),
        admin_api.get("/connections"),
        admin_api.put("/connections/openai", {"key": SECRET + "2"}),
        admin_api.put("/connections/openai", {"key": SECRET, "base_url": "nowhere"}),
        admin_api.post("/connections", NEW | {"key": SECRET + "\n" + SECRET}),
        admin_api.post("/connections", NEW | {"key": {"a": SECRET}}),
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 200, 200, 200, 422, 422, 422]
    assert Connection.objects.count() == 1
    stored = Connection.objects.get().key
    for answer in answers:
        assert SECRET not in answer.content.decode()
        assert stored not in answer.content.decode()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": "A"}, "/base_url"),
        (NEW | {"base_url": "x"}, "/base_url"),
        (NEW | {"key": "env:DATABASE_URL"}, "/key"),
        (NEW | {"key": ""}, "/key"),
        (NEW | {"requests_per_minute": 0}, "/requests_per_minute"),
        (NEW | {"requests_per_minute": "5"}, "/requests_per_minute"),
        (NEW | {"color": 1}, "/color"),
    ],
)
def test_a_bad_body_is_422_and_points_at_the_fault(admin_api, body, pointer):
    problem = assert_problem(
        admin_api.post("/connections", body), 422, *([pointer] if body else ["/name", "/base_url"])
    )
    assert problem["detail"]
    assert not Connection.objects.exists()


@pytest.mark.parametrize("body", [{"name": None}, {"base_url": None}, {"name": ""}, {"slug": "x"}])
def test_a_bad_change_is_422(admin_api, body):
    admin_api.post("/connections", NEW)
    assert_problem(admin_api.put("/connections/openai", body), 422, f"/{next(iter(body))}")


@pytest.mark.parametrize("role", ["viewer", "editor", "read only"])
def test_only_admins_change_connections(api_for, admin_api, owner, viewer, editor, project, role):
    admin_api.post("/connections", NEW)
    user = {"viewer": viewer, "editor": editor, "read only": owner}[role]
    api = api_for(user, project, read_only=role == "read only")
    assert api.get("/connections/openai").json()["key"] == "set"
    for answer in (
        api.post("/connections", NEW),
        api.put("/connections/openai", {"name": "Mine"}),
        api.delete("/connections/openai"),
    ):
        problem = assert_problem(answer, 403)
        assert role == "read only" or Role.ADMIN in problem["detail"]
    assert Connection.objects.get().name == "OpenAI"


def test_a_stranger_finds_404(stranger_api, admin_api):
    admin_api.post("/connections", NEW)
    for method, body in (("GET", None), ("PUT", {"name": "Mine"}), ("DELETE", None)):
        assert_problem(stranger_api.call(method, "/connections/openai", body), 404)
    assert stranger_api.get("/connections").json()["items"] == []
    assert Connection.objects.get().name == "OpenAI"


def test_the_list_is_paged(admin_api):
    for n in range(5):
        admin_api.post("/connections", NEW | {"name": f"C{n}"})
    pages = admin_api.pages("/connections", 2)
    assert [[row["id"] for row in page] for page in pages] == [["c4", "c3"], ["c2", "c1"], ["c0"]]
