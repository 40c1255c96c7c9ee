import errno
import json

import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile

from datasets_app.importing.job import work
from datasets_app.models import ImportJob
from datasets_app.models.imports import ImportState
from datasets_app.schemas_imports import ImportAnswer
from tests.api.client import assert_described, assert_problem

pytestmark = pytest.mark.db

IMPORTS = "/datasets/sums/imports"
CSV = b"question;answer;topic\n1 + 1;2;sum\n2 + 2;4;sum\n"


def test_an_upload_is_mapped_by_its_names_and_applied(api, dataset):
    answer = api.upload(IMPORTS, "sums.csv", CSV)
    job = answer.json()
    assert answer.status_code == 201
    assert_described(ImportAnswer, job)
    assert (job["filename"], job["state"], job["active"]) == ("sums.csv", "importing", True)
    assert {one["column"]: one["destination"] for one in job["mapping"]["columns"]} == {
        "question": "input",
        "answer": "expected_output",
        "topic": "metadata",
    }


def test_options_name_the_columns(api, dataset):
    options = {"input": ["topic"], "expected": ["answer"], "rest": "metadata", "on_error": "abort"}
    job = api.upload(IMPORTS, "sums.csv", CSV, json.dumps(options)).json()
    assert {one["column"]: one["destination"] for one in job["mapping"]["columns"]} == {
        "topic": "input",
        "answer": "expected_output",
        "question": "metadata",
    }
    assert job["on_error"] == "abort"


def test_with_apply_false_the_upload_waits(api, dataset):
    job = api.upload(IMPORTS, "sums.csv", CSV, '{"apply": false}').json()
    assert (job["state"], job["active"]) == ("staged", False)
    dataset.refresh_from_db()
    assert dataset.pending_version is None


def test_the_reading_can_be_told(api, dataset):
    options = {
        "apply": False,
        "format": "csv",
        "delimiter": ";",
        "encoding": "cp1252",
        "has_header": False,
    }
    job = api.upload(IMPORTS, "sums.txt", CSV, json.dumps(options)).json()
    assert job["reading"]["has_header"] is False
    assert job["reading"]["encoding"] == "cp1252"


@pytest.mark.parametrize(
    ("options", "status", "pointers"),
    [
        ('{"input": "question"}', 422, ["/options/input"]),
        ('{"colour": 1}', 422, ["/options/colour"]),
        ('{"on_error": "panic"}', 422, ["/options/on_error"]),
        ("[]", 422, ["/options"]),
        ("{", 400, []),
        ('{"apply": NaN}', 400, []),
    ],
)
def test_bad_options_stage_nothing(api, dataset, options, status, pointers):
    assert_problem(api.upload(IMPORTS, "sums.csv", CSV, options), status, *pointers)
    assert ImportJob.objects.count() == 0


@pytest.mark.parametrize(
    "options", ['{"input": ["questoin"]}', '{"expected": ["answer"]}', '{"input": ["a", "a"]}']
)
def test_a_mapping_that_cannot_be_leaves_no_import_open(api, dataset, options):
    assert_problem(api.upload(IMPORTS, "sums.csv", CSV, options), 422)
    job = ImportJob.objects.get()
    assert job.state == ImportState.CANCELLED
    dataset.refresh_from_db()
    assert (dataset.version, dataset.pending_version) == (1, None)


def test_while_another_import_writes_an_upload_is_409_and_cancelled(api, dataset):
    first = api.upload(IMPORTS, "sums.csv", CSV).json()
    assert_problem(api.upload(IMPORTS, "more.csv", CSV), 409)
    states = [(job["filename"], job["state"]) for job in api.get(IMPORTS).json()["items"]]
    assert states == [("more.csv", "cancelled"), ("sums.csv", "importing")]
    assert api.get(f"/imports/{first['id']}").json()["state"] == "importing"


def test_an_upload_without_a_file_is_422(api, dataset):
    assert_problem(
        api.client.post(
            "/api/v1" + IMPORTS,
            {"options": "{}"},
            headers={"Authorization": f"Bearer {api.secret}"},
        ),
        422,
        "/file",
    )


def test_an_unreadable_file_is_422_and_leaves_nothing(api, dataset):
    assert_problem(api.upload(IMPORTS, "empty.csv", b""), 422)
    assert ImportJob.objects.count() == 0


def test_a_body_that_is_no_form_is_422(api, dataset):
    assert_problem(api.post(IMPORTS, {"file": "x"}), 422, "/file")


def test_an_import_is_read_and_cancelled(api, dataset):
    job = api.upload(IMPORTS, "sums.csv", CSV).json()
    assert_described(ImportAnswer, api.get(f"/imports/{job['id']}").json())
    cancelled = api.post(f"/imports/{job['id']}/cancel").json()
    assert_described(ImportAnswer, cancelled)
    assert cancelled["state"] == "cancelled"
    assert api.post(f"/imports/{job['id']}/cancel").json()["state"] == "cancelled"


def test_problems_are_a_file_and_404_when_there_are_none(api, dataset):
    job = api.upload(IMPORTS, "sums.csv", CSV, '{"apply": false}').json()
    path = f"/imports/{job['id']}/problems"
    assert_problem(api.get(path), 404)
    ImportJob.objects.get().problems_file.write_text("line,reason\n2,Row too short\n")
    answer = api.get(path)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert b"".join(answer.streaming_content).startswith(b"line,reason")
    answer.close()


def test_rows_to_mend_are_a_file_in_the_columns_of_the_import(api, dataset):
    job = api.upload(IMPORTS, "sums.csv", CSV + b"9;9\n", '{"apply": false}').json()
    path = f"/imports/{job['id']}"
    assert_problem(api.get(f"{path}/rows-to-mend"), 404)
    api.post(f"{path}/check")
    work(ImportJob.objects.get().pk)
    answer = api.get(f"{path}/rows-to-mend")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[0].endswith(";question;answer;topic")
    assert lines[1].endswith(";9;9")


@pytest.mark.parametrize("ref", ["x", "7", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_import_is_404(api, ref):
    for call in (api.get(f"/imports/{ref}"), api.post(f"/imports/{ref}/cancel")):
        assert_problem(call, 404)


def test_a_staged_import_is_read_again_mapped_previewed_checked_and_applied(api, dataset):
    job = api.upload(IMPORTS, "sums.csv", CSV, '{"apply": false}').json()
    path = f"/imports/{job['id']}"
    again = api.call("PUT", f"{path}/reading", {"delimiter": ","}).json()
    assert again["columns"] == ["question;answer;topic"]
    api.call("PUT", f"{path}/reading", {})
    columns = [{"column": "topic", "destination": "metadata", "key": "about.topic"}]
    body = {"input": ["question"], "expected": ["answer"], "columns": columns}
    mapped = api.call("PUT", f"{path}/mapping", body | {"known_are": "update"}).json()
    assert (mapped["state"], mapped["known_are"]) == ("staged", "update")
    rows = api.get(f"{path}/preview?rows=1").json()["rows"]
    assert rows[0]["item"]["metadata"] == {"about": {"topic": "sum"}}
    assert rows[0]["item"]["source"] == "sums.csv, line 2"
    assert api.call("POST", f"{path}/check").json()["state"] == "checking"
    assert_problem(api.call("PUT", f"{path}/mapping", {"input": ["questoin"]}), 422)
    assert api.call("POST", f"{path}/apply", {"on_error": "skip"}).json()["state"] == "importing"
    assert_problem(api.call("POST", f"{path}/check"), 409)


def test_a_full_disk_is_told_as_such(api, dataset, monkeypatch):
    def no_room(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TemporaryUploadedFile, "write", no_room, raising=False)
    problem = assert_problem(api.upload(IMPORTS, "sums.csv", CSV), 507)
    assert problem["title"] == "The server's disk is full"
    assert not ImportJob.objects.exists()
