"""Pages are compressed, each time to another length; what is downloaded is not."""

from __future__ import annotations

import gzip

from django.test import Client

from evalhub.access.models import Project, User
from tests.factories import make_dataset

GZIP = {"Accept-Encoding": "gzip"}


def test_a_page_is_compressed_for_those_who_ask(project: Project, owner: User) -> None:
    dataset = make_dataset(project, owner, [{"input": "Why?"}])
    client = Client()
    client.force_login(owner)
    address = f"/p/{dataset.project.slug}/datasets/{dataset.slug}/items"
    plain = client.get(address)
    answers = [client.get(address, headers=GZIP) for _ in range(8)]
    assert "Content-Encoding" not in plain
    assert all(answer["Content-Encoding"] == "gzip" for answer in answers)
    assert all("Accept-Encoding" in answer["Vary"] for answer in answers)
    assert "Why?" in gzip.decompress(answers[0].content).decode()
    assert len(answers[0].content) < len(plain.content) / 3
    assert len({len(answer.content) for answer in answers}) > 1, "lengths tell no secret"


def test_an_export_is_not(project: Project, owner: User) -> None:
    dataset = make_dataset(project, owner, [{"input": "x" * 1_000}])
    client = Client()
    client.force_login(owner)
    address = f"/p/{dataset.project.slug}/datasets/{dataset.slug}/export?format=csv"
    export = client.get(address, headers=GZIP)
    assert export.status_code == 200
    assert "Content-Encoding" not in export
    assert b"x" * 1_000 in b"".join(export.streaming_content)  # type: ignore[arg-type]
