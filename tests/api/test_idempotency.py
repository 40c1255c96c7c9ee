import threading
from datetime import timedelta

import pytest
from django.db import connection

from datasets_app.models import Dataset
from evalhub.access.actions import create_project, create_token, set_member
from evalhub.access.models import IdempotencyKey, User
from evalhub.kit.clock import db_now
from runs_app.models import Run
from tests.api.client import Api, assert_problem

pytestmark = pytest.mark.db


@pytest.mark.parametrize(
    ("path", "body", "other"),
    [
        ("/datasets", {"name": "Refunds"}, {"name": "Other"}),
        ("/datasets/sums/items", {"input": "x"}, {"input": "y"}),
        ("/datasets/sums/runs", {"target": "echo"}, {"target": "echo", "limit": 1}),
    ],
)
def test_the_same_request_again_gets_the_first_answer(api, dataset, path, body, other):
    def state():
        dataset.refresh_from_db()
        return (Dataset.objects.count(), dataset.version, Run.objects.count())

    before = state()
    first = api.post(path, body, key="k-1")
    after = state()
    assert (first.status_code, after) != (201, before)
    again = api.post(path, body, key="k-1")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Content-Type"] == "application/json"
    assert "another request" in assert_problem(api.post(path, other, key="k-1"), 422)["detail"]
    assert state() == after


def test_a_key_is_for_one_address(api, dataset):
    assert api.post("/datasets/sums/items", {"input": "x"}, key="k").status_code == 201
    uuid_path = f"/datasets/{dataset.uuid}/items"
    assert_problem(api.post(uuid_path, {"input": "x"}, key="k"), 422)


def test_without_a_key_a_request_is_done_each_time(api, dataset):
    for _ in range(2):
        api.post("/datasets/sums/items", {"input": "x"})
    assert api.get("/datasets/sums/items").json()["total"] == 5


def test_an_error_leaves_the_key_free(api, dataset):
    assert_problem(api.post("/datasets", {"name": "Sums"}, key="k"), 409, "/name")
    assert IdempotencyKey.objects.count() == 0
    api.delete("/datasets/sums")
    assert api.post("/datasets", {"name": "Sums"}, key="k").status_code == 201


def test_a_key_belongs_to_its_project(api, stranger_api):
    assert api.post("/datasets", {"name": "Refunds"}, key="k").status_code == 201
    mine = stranger_api.post("/datasets", {"name": "Refunds"}, key="k")
    assert mine.status_code == 201
    assert Dataset.objects.filter(name="Refunds").count() == 2


def test_a_viewer_gets_no_answer_by_a_key_of_another(api, viewer_api):
    api.post("/datasets", {"name": "Refunds"}, key="k")
    assert_problem(viewer_api.post("/datasets", {"name": "Refunds"}, key="k"), 403)


def test_keys_are_forgotten_after_a_day(api):
    api.post("/datasets", {"name": "Refunds"}, key="old")
    IdempotencyKey.objects.update(created_at=db_now() - timedelta(hours=25))
    assert api.post("/datasets", {"name": "Other"}, key="new").status_code == 201
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["new"]


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb"])
def test_a_key_that_is_no_key_is_422(api, key):
    assert_problem(api.post("/datasets", {"name": "Refunds"}, key=key), 422)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_done_and_all_get_its_answer():
    owner = User.objects.create_user(username="owner")
    project = create_project(name="Race", by=owner)
    editor = set_member(project=project, username="editor", role="editor", by=owner)[0].user
    secret = create_token(project=project, name="CI", by=editor)[1]
    answers: list[tuple[int, bytes]] = []
    start = threading.Barrier(4)

    def post() -> None:
        start.wait()
        try:
            answer = Api(secret).post("/datasets", {"name": "Refunds"}, key="k")
            answers.append((answer.status_code, answer.content))
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert {status for status, _ in answers} == {201}
    assert len({content for _, content in answers}) == 1
    assert Dataset.objects.count() == 1
