"""The client's methods for connections, targets and recordings against the real API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from evalhub_client import ApiError, Client
from evalhub_client.inprocess import BASE_URL, WsgiTransport

from evalhub import local

pytestmark = pytest.mark.django_db

URL = "https://api.example.org/v1"


@pytest.fixture
def hub() -> Iterator[Client]:
    """A client in this process, as the local administrator, in the test's transaction."""
    local.ensure_defaults()
    signals = (request_started, request_finished)
    for signal in signals:  # as Django's own test client does
        signal.disconnect(close_old_connections)
    with Client(BASE_URL, transport=WsgiTransport(local.application())) as made:
        yield made
    for signal in signals:
        signal.connect(close_old_connections)


def test_a_connection_is_made_changed_and_deleted_and_tells_no_key(hub: Client) -> None:
    made = hub.create_connection("Provider", URL, key="sk-secret", requests_per_minute=60)
    assert (made["id"], made["key"], made["requests_per_minute"]) == ("provider", "set", 60)
    changed = hub.update_connection("provider", name="Other", requests_per_minute=None)
    assert (changed["name"], changed["key"]) == ("Other", "set")
    assert changed["requests_per_minute"] is None
    assert hub.update_connection("provider", key="env:X_API_KEY")["key"] == "env:X_API_KEY"
    assert hub.update_connection("provider", key=None)["key"] is None
    assert list(hub.list_connections()) == [hub.get_connection("provider")]
    hub.delete_connection("provider")
    assert list(hub.list_connections()) == []


def test_a_target_has_versions_and_holds_its_connection(hub: Client) -> None:
    hub.create_connection("Provider", URL)
    config = {"connection": "provider", "model": "a"}
    made = hub.create_target("Mini", kind="agent", transport="chat", config=config)
    assert (made["ref"], made["version"]) == ("mini", "1")
    changed = hub.update_target("mini", config=config | {"model": "b"}, message="Other model")
    assert (changed["version"], changed["config"]["model"]) == ("2", "b")
    assert hub.update_target("mini", description="Small.")["version"] == "2"
    versions = list(hub.list_target_versions("mini"))
    assert [(one["version"], one["message"]) for one in versions] == [(2, "Other model"), (1, "")]
    assert hub.get_target("mini")["description"] == "Small."
    assert hub.test_target("mini", "1 + 1", metadata={"topic": "sum"})["status"] == "pending"
    with pytest.raises(ApiError, match="used by Mini"):
        hub.delete_connection("provider")
    hub.delete_target("mini")
    assert "mini" not in [one["ref"] for one in hub.list_targets()]


def test_a_recording_is_uploaded_and_deleted(hub: Client, tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text('id,answer\na,"{""n"": 1}"\nb,2\n')
    made = hub.upload_recording(
        file,
        name="Last week",
        key_column="id",
        output_column="answer",
        key_field="external_id",
        read_as="json",
    )
    assert (made["ref"], made["rows"], made["key_field"]) == ("file:last-week", 2, "external_id")
    assert list(hub.list_recordings()) == [made]
    hub.delete_recording("last-week")
    assert list(hub.list_recordings()) == []
