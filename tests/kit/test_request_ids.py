"""Every answer has an id, and the log and the error page say the same one."""

from __future__ import annotations

import logging

import pytest
from django.test import Client

from evalhub import views
from evalhub.kit import request_ids


def test_every_answer_has_an_id_of_its_own(db: None) -> None:
    client = Client()
    ids = [client.get(path)["X-Request-ID"] for path in ("/health", "/sign-in", "/nowhere")]
    assert all(len(each) == 12 for each in ids)
    assert len(set(ids)) == 3


def test_a_fault_shows_its_id_on_the_page_and_in_the_log(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("evalhub.access.views.actions.use_sign_in_link", lambda **_: broken())
    caplog.handler.addFilter(request_ids.InLogs())
    answer = Client(raise_request_exception=False).get("/sign-in/secret")
    request_id = answer["X-Request-ID"]
    assert answer.status_code == 500
    assert f"<code>{request_id}</code>" in answer.content.decode()
    record = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert record.in_request == f" [{request_id}]"  # type: ignore[attr-defined]
    assert record.exc_info is not None


def test_outside_of_a_request_the_log_names_none() -> None:
    record = logging.makeLogRecord({})
    assert request_ids.InLogs().filter(record)
    assert record.in_request == ""  # type: ignore[attr-defined]


def test_the_fault_page_needs_no_middleware(rf: object) -> None:
    answer = views.server_error(rf.get("/"))  # type: ignore[attr-defined]
    assert answer.status_code == 500
    assert "tell your administrator" in answer.content.decode()
