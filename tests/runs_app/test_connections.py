"""Connections: what they take, whom they serve, and that a key goes in and never comes out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from evalhub.access.models import AuditEntry, Project, User
from evalhub.kit.errors import Conflict, Invalid, NotFound
from runs_app.actions.connections import create_connection, delete_connection, update_connection
from runs_app.connections import connections, find_connection, key_state, reach, targets_using
from runs_app.models import Connection, SavedTarget, TargetVersion
from tests.factories import make_project

pytestmark = [pytest.mark.django_db, pytest.mark.db]
SECRET = "sk-secret-42"


def make(project: Project, by: User, **values: Any) -> Connection:
    given = {"name": "OpenAI", "base_url": "https://api.example/v1", **values}
    return create_connection(project=project, by=by, **given)


def make_target(project: Project, name: str, *slugs: str | None) -> SavedTarget:
    """A saved target with a version for each connection, the last one the newest."""
    target = SavedTarget.objects.create(
        project=project, slug=name.lower(), name=name, kind="agent", transport="chat",
        version=len(slugs),
    )  # fmt: skip
    for number, slug in enumerate(slugs, 1):
        TargetVersion.objects.create(target=target, number=number, config={"connection": slug})
    return target


def test_a_connection_is_made_with_a_key_that_only_a_worker_reads(
    project: Project, owner: User
) -> None:
    made = make(project, owner, key=f" {SECRET}\n", requests_per_minute=60)
    assert (made.slug, made.base_url, made.requests_per_minute) == (
        "openai",
        "https://api.example/v1",
        60,
    )
    assert key_state(made) == "set"
    found = reach(project.pk, "openai")
    assert (found.connection_id, found.name, found.base_url, found.key) == (
        made.pk,
        "OpenAI",
        "https://api.example/v1",
        SECRET,
    )
    assert SECRET not in repr(found)
    assert SECRET not in (made.key or "")


def test_slugs_are_numbered_where_names_meet(project: Project, owner: User) -> None:
    slugs = [make(project, owner, name=name).slug for name in ("A b", "a B", "模型", "new", "a-b")]
    assert slugs == ["a-b", "a-b-2", "connection", "new-connection", "a-b-3"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", " ", "1 to 120"),
        ("name", "x" * 121, "1 to 120"),
        ("base_url", "api.example/v1", "http"),
        ("base_url", "ftp://api.example", "http"),
        ("base_url", "https://user:pass@api.example", "user name or password"),
        ("base_url", "https://api.example/v1?key=1", "query"),
        ("base_url", "https://api.example/v1?", "query"),
        ("base_url", "https://api.example/#a", "anchor"),
        ("base_url", "http://2130706433", "in full"),
        ("base_url", "https://" + "a" * 500, "500"),
        ("requests_per_minute", 0, "at least 1"),
        ("tokens_per_minute", -1, "at least 1"),
        ("tokens_per_minute", 2**31, "at least 1"),
        ("key", "", "line of plain letters"),
        ("key", "two\nlines", "line of plain letters"),
        ("key", "schlüssel", "line of plain letters"),
        ("key", "x" * 5000, "line of plain letters"),
        ("key", "env:DATABASE_URL", "belongs to evalhub"),
        ("key", "env:EVALHUB_SECRET_KEY", "belongs to evalhub"),
        ("key", "env:EVALHUB_X_API_KEY", "belongs to evalhub"),
        ("key", "env:evalhub_x_API_KEY", "belongs to evalhub"),
        ("key", "env:PATH", "EVALHUB_KEY_VARIABLES"),
        ("key", "env:AWS_SECRET_ACCESS_KEY", "EVALHUB_KEY_VARIABLES"),
        ("key", "env:", "no name"),
        ("key", "env:A-B_API_KEY", "no name"),
    ],
)
def test_what_is_wrong_is_refused_beside_its_field(
    project: Project, owner: User, field: str, value: Any, said: str
) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        make(project, owner, **{field: value})
    assert [error.pointer for error in caught.value.errors] == [f"/{field}"]
    assert not Connection.objects.exists()
    assert not AuditEntry.objects.filter(action="connection.created").exists()


def test_a_key_may_stay_in_the_environment_of_the_worker(
    project: Project, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(project, owner, key="env:SOME_API_KEY")
    assert (key_state(made), made.key) == ("env:SOME_API_KEY", None)
    monkeypatch.delenv("SOME_API_KEY", raising=False)
    with pytest.raises(Invalid, match="SOME_API_KEY, which is not set where the worker runs"):
        reach(project, made.slug)
    monkeypatch.setenv("SOME_API_KEY", f"{SECRET}\n")
    assert reach(project, made.slug).key == SECRET


def test_an_administrator_lists_other_variables_and_may_take_them_back(
    settings: Any, project: Project, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", SECRET)
    settings.KEY_VARIABLES = ["HF_TOKEN"]
    made = make(project, owner, key="env:HF_TOKEN")
    assert reach(project, made.slug).key == SECRET
    settings.KEY_VARIABLES = []
    with pytest.raises(Invalid, match="EVALHUB_KEY_VARIABLES"):
        reach(project, made.slug)


def test_a_connection_that_is_gone_is_told_by_name(project: Project) -> None:
    with pytest.raises(Invalid, match="“openai” is gone"):
        reach(project, "openai")


def test_a_change_without_a_key_keeps_it_and_none_removes_it(project: Project, owner: User) -> None:
    made = make(project, owner, key=SECRET, tokens_per_minute=5)
    changed = update_connection(
        connection=made, by=owner, name="Renamed", base_url="https://api.example/v2/"
    )
    assert (changed.slug, changed.name, changed.base_url) == (
        "openai",
        "Renamed",
        "https://api.example/v2",
    )
    assert changed.tokens_per_minute == 5
    assert reach(project, "openai").key == SECRET
    update_connection(connection=made, by=owner, key="env:A_API_KEY", tokens_per_minute=None)
    made.refresh_from_db()
    assert (key_state(made), made.key, made.tokens_per_minute) == ("env:A_API_KEY", None, None)
    update_connection(connection=made, by=owner, key=None)
    assert reach(project, "openai").key is None


@pytest.mark.parametrize(
    "url", ["https://evil.example/v1", "http://api.example/v1", "https://api.example:8443"]
)
def test_a_stored_key_does_not_follow_the_address_to_another_server(
    project: Project, owner: User, url: str
) -> None:
    made = make(project, owner, key=SECRET)
    with pytest.raises(Invalid, match="enter the key again") as caught:
        update_connection(connection=made, by=owner, base_url=url)
    assert caught.value.errors[0].pointer == "/key"
    assert reach(project, made.slug).base_url == "https://api.example/v1"
    update_connection(connection=made, by=owner, base_url=url, key="another")
    assert (reach(project, made.slug).base_url, reach(project, made.slug).key) == (url, "another")


def test_the_audit_trail_says_what_changed_and_no_secret(project: Project, owner: User) -> None:
    made = make(project, owner, key=SECRET)
    update_connection(connection=made, by=owner, name="B", key=SECRET + "2")
    delete_connection(connection=made, by=owner)
    rows = AuditEntry.objects.filter(action__startswith="connection.").order_by("pk")
    assert [(row.action, row.subject, row.detail.get("changed")) for row in rows] == [
        ("connection.created", "openai", None),
        ("connection.updated", "openai", ["name", "key"]),
        ("connection.deleted", "openai", None),
    ]
    assert SECRET not in json.dumps([row.detail for row in rows])
    assert {row.actor for row in rows} == {owner}


def test_a_connection_in_use_stays_and_names_its_targets(project: Project, owner: User) -> None:
    made = make(project, owner)
    make_target(project, "Bot", None, "openai")
    make_target(project, "Moved", "openai", "another")
    gone = make_target(project, "Gone", "openai")
    SavedTarget.objects.filter(pk=gone.pk).update(deleted_at="2026-01-01T00:00Z")
    make_target(make_project(owner), "Foreign", "openai")
    assert [target.name for target in targets_using(made)] == ["Bot"]
    with pytest.raises(Conflict, match="OpenAI is used by Bot"):
        delete_connection(connection=made, by=owner)
    SavedTarget.objects.filter(name="Bot").update(version=1)
    delete_connection(connection=made, by=owner)
    assert not Connection.objects.exists()


def test_connections_belong_to_the_members_of_their_project(
    project: Project, owner: User, viewer: User, stranger: User
) -> None:
    made = make(project, owner)
    assert list(connections(viewer, project)) == [made]
    assert not connections(stranger, project)
    with pytest.raises(NotFound):
        find_connection(stranger, project, "openai")
    with pytest.raises(NotFound):
        find_connection(owner, make_project(owner), "openai")


# Pages


def page(client: Client, name: str, *args: str, data: dict[str, str] | None = None) -> Any:
    address = reverse(f"runs:{name}", args=args)
    return client.get(address) if data is None else client.post(address, data)


FORM = {"name": "OpenAI", "base_url": "https://api.example/v1", "key": SECRET}


def test_an_admin_sets_a_connection_up_and_its_key_is_in_no_page(
    client_for: Any, project: Project, owner: User
) -> None:
    client = client_for(owner)
    assert page(client, "connection_new", project.slug).status_code == 200
    answer = page(client, "connection_new", project.slug, data=FORM)
    assert (answer.status_code, answer["Location"]) == (
        302,
        reverse("runs:connections", args=[project.slug]),
    )
    made = Connection.objects.get()
    assert made.key
    pages = [
        page(client, "connections", project.slug),
        page(client, "connection", project.slug, "openai"),
        page(client, "connection_delete", project.slug, "openai"),
        # A form that is refused is shown again, without what was typed as the key.
        page(client, "connection_new", project.slug, data=FORM | {"name": ""}),
        page(client, "connection", project.slug, "openai", data=FORM | {"base_url": "x"}),
    ]
    assert [answer.status_code for answer in pages] == [200, 200, 200, 422, 422]
    for answer in pages:
        text = answer.content.decode()
        assert SECRET not in text
        assert made.key not in text
    assert "Set" in pages[0].content.decode()


def test_the_form_keeps_the_key_unless_told_otherwise(
    client_for: Any, project: Project, owner: User
) -> None:
    make(project, owner, key=SECRET)
    client = client_for(owner)
    form = FORM | {"key": "", "requests_per_minute": "30"}
    assert page(client, "connection", project.slug, "openai", data=form).status_code == 302
    assert reach(project, "openai").key == SECRET
    assert Connection.objects.get().requests_per_minute == 30
    moved = form | {"base_url": "https://b.example"}
    answer = page(client, "connection", project.slug, "openai", data=moved)
    assert answer.status_code == 422
    assert "enter the key again" in answer.content.decode()
    page(client, "connection", project.slug, "openai", data=moved | {"remove_key": "on"})
    assert (reach(project, "openai").key, reach(project, "openai").base_url) == (
        None,
        "https://b.example",
    )


def test_errors_of_the_form_stand_beside_their_field(
    client_for: Any, project: Project, owner: User
) -> None:
    bad = {"name": "A", "base_url": "https://a.example", "key": "env:PATH"}
    answer = page(client_for(owner), "connection_new", project.slug, data=bad)
    assert answer.status_code == 422
    assert "EVALHUB_KEY_VARIABLES" in answer.context["form"].errors["key"][0]


@pytest.mark.parametrize("who", ["viewer", "editor"])
def test_who_is_no_admin_reads_and_changes_nothing(
    client_for: Any, project: Project, owner: User, who: str, request: pytest.FixtureRequest
) -> None:
    make(project, owner, key=SECRET)
    client = client_for(request.getfixturevalue(who))
    assert page(client, "connections", project.slug).status_code == 200
    shown = page(client, "connection", project.slug, "openai").content.decode()
    assert "https://api.example/v1" in shown
    assert 'method="post"' not in shown.split("<main")[1]
    for name, args, data in (
        ("connection_new", (), FORM),
        ("connection", ("openai",), FORM | {"name": "Mine"}),
        ("connection_delete", ("openai",), {}),
    ):
        assert page(client, name, project.slug, *args, data=data).status_code == 403
    assert Connection.objects.get().name == "OpenAI"


def test_the_page_deletes_a_connection_that_nothing_uses(
    client_for: Any, project: Project, owner: User
) -> None:
    make(project, owner)
    target = make_target(project, "Bot", "openai")
    client = client_for(owner)
    answer = page(client, "connection_delete", project.slug, "openai", data={})
    assert answer.status_code == 409
    assert "used by Bot" in answer.content.decode()
    target.delete()
    assert page(client, "connection_delete", project.slug, "openai", data={}).status_code == 302
    assert not Connection.objects.exists()


def test_a_stranger_finds_nothing(
    client_for: Any, project: Project, owner: User, stranger: User
) -> None:
    make(project, owner)
    client = client_for(stranger)
    for name, args in (("connections", ()), ("connection_new", ()), ("connection", ("openai",)),
                       ("connection_delete", ("openai",))):  # fmt: skip
        for data in (None, FORM):
            assert page(client, name, project.slug, *args, data=data).status_code == 404
    assert Connection.objects.get().name == "OpenAI"


@pytest.mark.parametrize(
    ("embedded", "allowed", "said"),
    [
        (True, ["127.0.0.0/8"], "targets may call this machine"),
        (True, ["10.1.0.0/16"], "that the administrator has listed: 10.1.0.0/16."),
        (False, ["10.1.0.0/16"], "that the administrator has listed: 10.1.0.0/16."),
        (False, [], "EVALHUB_ALLOWED_ADDRESSES"),
    ],
)
def test_the_page_says_which_private_addresses_may_be_called(
    client_for: Any, settings: Any, project: Project, owner: User,
    embedded: bool, allowed: list[str], said: str,
) -> None:  # fmt: skip
    settings.EMBEDDED, settings.ALLOWED_ADDRESSES = embedded, allowed
    assert said in page(client_for(owner), "connections", project.slug).content.decode()


def test_targets_and_settings_lead_to_the_connections(
    client_for: Any, project: Project, owner: User
) -> None:
    address = reverse("runs:connections", args=[project.slug])
    for path in (reverse("runs:targets", args=[project.slug]), f"/p/{project.slug}/settings"):
        assert f'href="{address}"' in client_for(owner).get(path).content.decode()


def test_the_list_takes_as_many_queries_for_many_as_for_few(
    client_for: Any, project: Project, owner: User, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_for(owner)
    counts = []
    for n in (3, 30):
        for k in range(n):
            make(project, owner, name=f"C {n} {k}", key="k")
        with CaptureQueriesContext(connection) as queries:
            page(client, "connections", project.slug)
        counts.append(len(queries))
    assert counts[0] == counts[1]
