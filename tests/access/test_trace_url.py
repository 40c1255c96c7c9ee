"""The link from results to the project's own tracing tool."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from evalhub.access.actions import set_trace_url
from evalhub.access.models import AuditEntry, Project, User
from evalhub.kit.errors import Invalid

ClientFor = Callable[..., Client]
LINK = "https://traces.test/trace/{trace_id}?tab=1"


def url(name: str, project: Project) -> str:
    return reverse(name, args=[project.slug])


def test_an_admin_sets_the_link_and_takes_it_away(
    project: Project, owner: User, client_for: ClientFor
) -> None:
    client = client_for(owner)
    answer = client.post(url("project_trace_url", project), {"trace_url": f" {LINK} "})
    assert answer["Location"] == url("project_settings", project)
    assert LINK in client.get(url("project_settings", project)).content.decode()
    project.refresh_from_db()
    assert project.trace_url == LINK
    entry = AuditEntry.objects.get(project=project, action="project.trace_url_set")
    assert (entry.actor, entry.detail) == (owner, {"trace_url": LINK})
    client.post(url("project_trace_url", project), {"trace_url": ""})
    project.refresh_from_db()
    assert project.trace_url == ""


def test_saving_the_same_link_is_no_change(project: Project, owner: User) -> None:
    set_trace_url(project=project, trace_url=LINK, by=owner)
    set_trace_url(project=project, trace_url=LINK, by=owner)
    assert AuditEntry.objects.filter(action="project.trace_url_set").count() == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("javascript:alert('{trace_id}')", "Begin with http:// or https://"),
        ("//traces.test/{trace_id}", "Begin with http:// or https://"),
        ("https:///{trace_id}", "the name of the host"),
        ("http://[/{trace_id}", "no address"),
        ("https://traces.test/", "Write {trace_id}"),
        ("https://{trace_id}.test/{trace_id}", "after the host"),
        ("https://traces.test/ {trace_id}", "no spaces"),
        (f"https://traces.test/{{trace_id}}{'x' * 500}", "500 characters"),
    ],
)
def test_a_link_that_cannot_be_is_explained_and_kept_in_the_form(
    given: str, said: str, project: Project, owner: User, client_for: ClientFor
) -> None:
    answer = client_for(owner).post(url("project_trace_url", project), {"trace_url": given})
    assert answer.status_code == 422
    html = answer.content.decode()
    assert said in html
    assert 'aria-invalid="true"' in html
    with pytest.raises(Invalid) as caught:
        set_trace_url(project=project, trace_url=given, by=owner)
    assert caught.value.errors[0].pointer == "/trace_url"
    project.refresh_from_db()
    assert project.trace_url == ""


def test_only_an_admin_may_set_it(project: Project, editor: User, client_for: ClientFor) -> None:
    client = client_for(editor)
    assert client.post(url("project_trace_url", project), {"trace_url": LINK}).status_code == 403
    assert "Save link" not in client.get(url("project_settings", project)).content.decode()
