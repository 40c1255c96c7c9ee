"""A disk that is full when an upload is stored, which is before any view runs."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.test import Client
from django.urls import reverse

from datasets_app.models import Dataset
from evalhub.access.models import User
from tests.factories import make_dataset

FILE = b"question,answer\n1 + 1,2\n"


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*args: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TemporaryUploadedFile, "write", no_room, raising=False)


@pytest.mark.django_db
@pytest.mark.usefixtures("full")
def test_a_page_says_that_there_was_no_room(
    project: object, owner: User, client_for: Callable[..., Client]
) -> None:
    dataset: Dataset = make_dataset(project, owner, [])
    client = client_for(owner)
    client.raise_request_exception = False
    address = reverse("datasets:import", args=[dataset.project.slug, dataset.slug])
    answer = client.post(address, {"file": SimpleUploadedFile("sums.csv", FILE)})
    assert answer.status_code == 507
    assert "disk is full" in answer.content.decode()
    assert answer["X-Request-ID"] in answer.content.decode()
    assert not list(Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*.upload.*"))
