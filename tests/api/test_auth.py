from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from evalhub.access.actions import create_project, create_token, remove_member, revoke_token
from evalhub.access.models import ApiToken
from evalhub.kit.clock import db_now
from tests.api.client import Api, assert_problem

pytestmark = pytest.mark.db


def test_a_token_says_who_calls_and_in_which_project(api):
    assert api.get("/me").json() == {
        "user": "editor",
        "project": {"slug": "support", "name": "Support"},
        "role": "editor",
    }


def test_without_a_token_the_answer_is_401_and_says_how_to_send_one(db):
    answer = Api(None).get("/me")
    assert "Authorization: Bearer" in assert_problem(answer, 401)["detail"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("secret", ["", "eh_wrong", "x" * 5000])
def test_an_unknown_token_is_401(db, secret):
    assert_problem(Api(secret).get("/me"), 401)


def test_another_scheme_than_bearer_is_401(api):
    answer = Client().get("/api/v1/me", headers={"Authorization": f"Basic {api.secret}"})
    assert_problem(answer, 401)


def test_only_the_hash_of_a_token_is_stored(api):
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM access_apitoken")
        stored = str(cursor.fetchall())
    assert api.secret not in stored
    assert api.secret[len("eh_") + 10 :] not in stored


def test_a_revoked_token_is_401(project, editor):
    token, secret = create_token(project=project, name="CI", by=editor)
    assert Api(secret).get("/me").status_code == 200
    revoke_token(project=project, token_id=token.pk, by=editor)
    assert_problem(Api(secret).get("/me"), 401)


def test_an_expired_token_is_401(project, editor):
    expires = db_now() - timedelta(seconds=1)
    secret = create_token(project=project, name="CI", by=editor, expires_at=expires)[1]
    assert_problem(Api(secret).get("/me"), 401)


def test_the_token_of_somebody_who_left_the_project_is_401(api, project, owner):
    remove_member(project=project, username="editor", by=owner)
    assert_problem(api.get("/me"), 401)


def test_the_token_of_somebody_who_may_not_sign_in_is_401(api, editor):
    editor.is_active = False
    editor.save()
    assert_problem(api.get("/me"), 401)


def test_the_last_use_of_a_token_is_kept(api):
    api.get("/me")
    assert ApiToken.objects.get().last_used_at is not None


def test_a_session_of_the_browser_is_no_key_to_the_api(client_for, owner, project):
    browser = client_for(owner)
    assert browser.get(f"/p/{project.slug}/datasets/").status_code == 200
    assert_problem(browser.get("/api/v1/me"), 401)
    posted = browser.post("/api/v1/datasets", {"name": "x"}, content_type="application/json")
    assert_problem(posted, 401)


def test_a_token_needs_no_csrf_cookie(api):
    strict = Api(api.secret, Client(enforce_csrf_checks=True))
    assert strict.post("/datasets", {"name": "Refunds"}).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/datasets", {"name": "New"}),
        ("PUT", "/datasets/sums", {"name": "New"}),
        ("DELETE", "/datasets/sums", None),
        ("POST", "/datasets/sums/items", {"input": "x"}),
        ("PATCH", "/datasets/sums/items/1", {"input": "x"}),
        ("DELETE", "/datasets/sums/items/1", None),
        ("POST", "/datasets/sums/runs", {"target": "echo"}),
    ],
)
def test_viewers_and_read_only_tokens_change_nothing(
    method, path, body, viewer_api, api_for, owner, project, dataset
):
    read_only = api_for(owner, project, read_only=True)
    assert "viewer" in assert_problem(viewer_api.call(method, path, body), 403)["detail"]
    assert "read-only" in assert_problem(read_only.call(method, path, body), 403)["detail"]
    dataset.refresh_from_db()
    assert (dataset.version, dataset.name, dataset.deleted_at) == (1, "Sums", None)


def test_viewers_and_read_only_tokens_may_not_upload(viewer_api, dataset):
    assert_problem(viewer_api.upload("/datasets/sums/imports", "a.csv", b"input\nx\n"), 403)
    assert dataset.imports.count() == 0


def test_in_process_the_environ_names_the_local_administrator(project, owner):
    local = Api(None).get(
        "/me", **{"evalhub.local_user": "owner"}, HTTP_X_EVALHUB_PROJECT="support"
    )
    assert local.json()["project"]["slug"] == "support"
    assert local.json()["role"] == "admin"


def test_in_process_the_project_default_is_taken_unless_a_header_says_another(owner):
    create_project(name="Mine", slug="default", by=owner)
    answer = Api(None).get("/me", **{"evalhub.local_user": "owner"})
    assert answer.json()["project"]["slug"] == "default"


def test_in_process_too_a_project_of_others_is_404(project, stranger):
    answer = Api(None).get(
        "/me", **{"evalhub.local_user": "stranger"}, HTTP_X_EVALHUB_PROJECT="support"
    )
    assert_problem(answer, 404)


@pytest.mark.parametrize(
    "header", ["evalhub.local_user", "Evalhub.Local.User", "evalhub-local-user", "X-Evalhub-User"]
)
def test_no_header_makes_a_caller_the_local_administrator(header, owner, project):
    answer = Client().get("/api/v1/me", headers={header: "owner", "X-Evalhub-Project": "support"})
    assert_problem(answer, 401)
