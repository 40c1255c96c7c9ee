"""Bad rows are downloaded in the columns of their file, mended, and imported without a new map."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from django.test import Client

from datasets_app.actions.imports import apply_import
from datasets_app.actions.items import current_item
from datasets_app.importing.job import work
from datasets_app.importing.mending import NOTES
from datasets_app.models import Dataset, ImportJob
from evalhub.access.models import User
from tests.datasets_app.pages import ClientFor, url
from tests.datasets_app.test_import_pages import MAPPING, alone, staged

__all__ = ["alone"]

UGLY = """Frage;Antwort;Stufe
Gebühr?;12,50 €;1
Maß?;viel;zwei
-5;=1+1;drei
Zu; viele; Zellen;4
;;
""".encode("cp1252")
GERMAN = MAPPING | {"key_0": "Frage", "key_1": "Antwort", "key_2": "Stufe"}


def imported(client: Client, dataset: Dataset, content: bytes, answers: dict[str, str]) -> Any:
    job = staged(client, dataset, content)
    client.post(url("import_map", dataset, job.uuid), answers)
    work(job.pk)
    client.post(url("import_check", dataset, job.uuid), {"bad": "skip"})
    work(job.pk)
    return ImportJob.objects.get(pk=job.pk)


def rows_of(client: Client, dataset: Dataset, job: ImportJob) -> str:
    answer = client.get(url("import_rows", dataset, job.uuid))
    assert 'filename="sums.mend.csv"' in answer["Content-Disposition"]
    return b"".join(answer.streaming_content).decode()


def test_bad_rows_are_mended_in_their_own_columns_and_imported(
    empty: Dataset, owner: User, client_for: ClientFor
) -> None:
    client = client_for(owner)
    job = imported(client, empty, UGLY, GERMAN)
    assert (job.rows_good, job.rows_bad) == (1, 4)
    page = client.get(url("import_progress", empty, job.uuid)).content.decode()
    assert url("import_rows", empty, job.uuid) in page
    text = rows_of(client, empty, job)
    assert text.startswith("\ufefferror:line;")
    told = "The row has 4 cells; the file has 3 columns. Quote cells that hold the delimiter."
    assert list(csv.reader(text[1:].splitlines(), delimiter=";")) == [
        ["error:line", "error:column", "error:reason", "Frage", "Antwort", "Stufe"],
        ["3", "Stufe", "Not a number.", "Maß?", "viel", "zwei"],
        ["4", "Stufe", "Not a number.", "-5", "'=1+1", "drei"],
        ["5", "", told, "Zu", " viele", " Zellen", "4"],
    ]
    mended = text.replace("zwei", "2").replace("drei", "3").replace("Zu; viele; Zellen", "Zu;viele")
    again = staged(client, empty, mended.encode())
    goes = [(one["column"], one["destination"]) for one in again.mapping["columns"]]
    assert goes == [
        *((note, "ignore") for note in NOTES),
        ("Frage", "input"),
        ("Antwort", "expected_output"),
        ("Stufe", "metadata"),
    ]
    apply_import(job=again, by=owner)
    work(again.pk)
    empty.refresh_from_db()
    items = [current_item(empty, number) for number in (2, 3, 4)]
    assert empty.version == 2
    assert [(one.input, one.expected_output) for one in items] == [
        ("Maß?", "viel"),
        ("-5", "=1+1"),
        ("Zu", "viele"),
    ]
    assert [one.metadata for one in items] == [{"Stufe": 2}, {"Stufe": 3}, {"Stufe": 4}]


@pytest.mark.parametrize("name", ["sums.jsonl", "sums.csv"])
def test_without_such_rows_there_is_no_file_of_them(
    name: str, empty: Dataset, owner: User, client_for: ClientFor
) -> None:
    client = client_for(owner)
    content = b'{"q": 1}\nnot json\n' if name.endswith("l") else b"q,a\n1,2\n"
    job = staged(client, empty, content, name=name)
    work(job.pk)
    answer = client.get(url("import_rows", empty, job.uuid))
    assert answer.status_code == 404
    assert "no bad rows to mend" in answer.content.decode()
