"""`evalhub import` against a server with recorded answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from evalhub_client import waiting

from tests.client import recorded
from tests.client.api_server import ApiServer, Reply, listing, problem
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]
JOB = f"/imports/{recorded.import_job()['id']}"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "sums.csv"
    path.write_text("q,a\n1+1,2\n")
    return str(path)


@pytest.fixture
def new(server: ApiServer) -> ApiServer:
    """There is no dataset yet; one can be made, imported into and deleted."""
    server.answer("GET", "/datasets", listing())
    server.answer("POST", "/datasets", Reply(recorded.dataset(version=0, item_count=0), 201))
    server.answer("GET", "/datasets/sums", Reply(recorded.dataset(version=0, item_count=0)))
    server.answer("DELETE", "/datasets/sums", Reply(status=204))
    server.answer("POST", "/datasets/sums/imports", Reply(recorded.import_job("importing"), 201))
    return server


def test_a_new_dataset_is_made_and_the_answer_is_one_line(
    new: ApiServer, evalhub: Evalhub, file: str
) -> None:
    new.answer("GET", JOB, Reply(recorded.import_job("importing")), Reply(recorded.import_job()))
    ran = evalhub("import", file, "--dataset", "Sums", "--input", "q", "--expected", "a")
    assert (ran.code, ran.out) == (0, "Imported 3 items into Sums (sums) as v1.\n")
    assert ran.err.endswith("Read 3 rows, in 2.0 s, 1.5 rows/s\n")
    (made,) = new.requests("POST", "/datasets")
    assert made.json["name"] == "Sums"
    assert new.requests("DELETE", "/datasets/sums") == []


def test_an_existing_dataset_is_used(new: ApiServer, evalhub: Evalhub, file: str) -> None:
    new.answer("GET", "/datasets/sums", Reply(recorded.dataset()))
    new.answer("GET", JOB, Reply(recorded.import_job(rows_known=1, rows_bad=2)))
    ran = evalhub("import", file, "--dataset", "sums")
    assert ran.code == 0
    assert ran.out == (
        "Imported 2 items into Sums (sums) as v1. 1 item was there already. 2 rows skipped.\n"
    )
    assert new.requests("POST", "/datasets") == []


def test_all_options_reach_the_api(new: ApiServer, evalhub: Evalhub, file: str) -> None:
    new.answer("GET", JOB, Reply(recorded.import_job()))
    columns = "--input q --input r --expected a --metadata m --external-id id"
    others = "--format tsv --rest metadata --on-error abort"
    evalhub("import", file, "--dataset", "Sums", *columns.split(), *others.split())
    (sent,) = new.requests("POST", "/datasets/sums/imports")
    options = {
        "format": "tsv",
        "external_id": "id",
        "rest": "metadata",
        "on_error": "abort",
        "apply": True,
        "input": ["q", "r"],
        "expected": ["a"],
        "metadata": ["m"],
    }
    assert json.dumps(options).encode() in sent.body


def test_the_answer_in_json_is_the_import(new: ApiServer, evalhub: Evalhub, file: str) -> None:
    new.answer("GET", JOB, Reply(recorded.import_job()))
    ran = evalhub("import", file, "--dataset", "Sums", "--json")
    assert json.loads(ran.out) == recorded.import_job()


def test_a_refused_file_leaves_no_new_dataset_behind(
    new: ApiServer, evalhub: Evalhub, file: str
) -> None:
    new.answer("POST", "/datasets/sums/imports", problem(422, "The file has no column 'x'."))
    ran = evalhub("import", file, "--dataset", "Sums", "--input", "x")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "evalhub: The file has no column 'x'.\n"
    assert len(new.requests("DELETE", "/datasets/sums")) == 1


def test_a_refused_file_leaves_a_dataset_that_was_there_alone(
    new: ApiServer, evalhub: Evalhub, file: str
) -> None:
    new.answer("GET", "/datasets/sums", Reply(recorded.dataset()))
    new.answer("POST", "/datasets/sums/imports", problem(422, "The file is empty."))
    assert evalhub("import", file, "--dataset", "sums").code == 1
    assert new.requests("DELETE", "/datasets/sums") == []


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_failed_import_is_exit_code_1_with_each_problem_and_nothing_left(
    new: ApiServer, evalhub: Evalhub, file: str, state: str
) -> None:
    example = {"line": 1204, "column": "a", "value": "x", "kind": "not_a_number"}
    example |= {"reason": "“x” is no number.", "suggestion": "Write 10."}
    group = {"title": "Not a number: a", "count": 3, "examples": [example]}
    failed = recorded.import_job(
        state, rows_bad=3, problems=[group], message="3 rows have a problem. Nothing was imported."
    )
    new.answer("GET", JOB, Reply(failed))
    ran = evalhub("import", file, "--dataset", "Sums", "--on-error", "abort")
    assert (ran.code, ran.out) == (1, "")
    assert "  Line 1,204, column a: “x” is no number. Write 10.\n" in ran.err
    assert "  and 2 more of “Not a number: a”\n" in ran.err
    assert ran.err.endswith("evalhub: 3 rows have a problem. Nothing was imported.\n")
    assert len(new.requests("DELETE", "/datasets/sums")) == 1


def test_a_file_that_cannot_be_read_makes_nothing(
    new: ApiServer, evalhub: Evalhub, tmp_path: Path
) -> None:
    for path, reason in ((tmp_path / "none.csv", "No such file"), (tmp_path, "Is a directory")):
        ran = evalhub("import", str(path), "--dataset", "Sums")
        assert ran.code == 1
        assert f"Cannot read {path}: {reason}" in ran.err
    assert new.asked == []


def test_progress_has_rate_and_time_left(
    new: ApiServer, evalhub: Evalhub, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalhub_client.progress.EVERY_S", 0.0)
    monkeypatch.setattr("evalhub_client.progress.SETTLING_S", 0.0)
    new.answer(
        "GET",
        JOB,
        Reply(recorded.import_job("importing", rows_done=0, share_done=0.0)),
        Reply(recorded.import_job("importing", rows_done=5000, share_done=0.5)),
        Reply(recorded.import_job()),
    )
    err = evalhub("import", file, "--dataset", "Sums").err
    line = next(line for line in err.splitlines() if "5,000" in line)
    assert line.startswith("Importing: 5,000 rows, 50.0%, ")
    assert line.endswith(" rows/s, about 0 s left")


def test_ctrl_c_while_waiting_leaves_the_import_and_its_dataset(
    new: ApiServer, evalhub: Evalhub, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    new.answer("GET", JOB, Reply(recorded.import_job("importing")))

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting.time, "sleep", interrupt)
    ran = evalhub("import", file, "--dataset", "Sums")
    assert (ran.code, ran.out) == (130, "")
    assert "The import goes on on the server" in ran.err
    assert new.requests("DELETE", "/datasets/sums") == []


def test_a_new_dataset_that_another_import_filled_meanwhile_is_not_taken_away(
    new: ApiServer, evalhub: Evalhub, file: str
) -> None:
    new.answer("POST", "/datasets/sums/imports", problem(422, "The file is empty."))
    new.answer("GET", "/datasets/sums", Reply(recorded.dataset(version=1)))
    assert evalhub("import", file, "--dataset", "Sums").code == 1
    assert new.requests("DELETE", "/datasets/sums") == []


def test_a_dataset_that_somebody_else_made_at_the_same_moment_is_used(
    new: ApiServer, evalhub: Evalhub, file: str
) -> None:
    new.answer("POST", "/datasets", problem(409, "There is a dataset “sums” already."))
    new.answer("GET", "/datasets", listing(), listing(recorded.dataset(name="Sums")))
    new.answer("GET", JOB, Reply(recorded.import_job()))
    assert evalhub("import", file, "--dataset", "Sums").code == 0


def test_a_taken_slug_of_another_dataset_is_told(
    new: ApiServer, evalhub: Evalhub, file: str
) -> None:
    new.answer("POST", "/datasets", problem(409, "There is a dataset “sums” already."))
    ran = evalhub("import", file, "--dataset", "Sums")
    assert (ran.code, ran.err) == (1, "evalhub: There is a dataset “sums” already.\n")


@pytest.fixture
def busy(new: ApiServer) -> ApiServer:
    """Another file is being imported into the dataset; when that has ended, ours can begin."""
    other = recorded.import_job("importing", filename="other.csv") | {"id": "other"}
    new.answer("GET", "/datasets/sums", Reply(recorded.dataset()))
    new.answer(
        "POST",
        "/datasets/sums/imports",
        problem(409, "An import is writing version 1."),
        Reply(recorded.import_job("importing"), 201),
    )
    new.answer("GET", "/datasets/sums/imports", listing(recorded.import_job("failed"), other))
    new.answer("GET", "/imports/other", Reply(other), Reply(other | {"state": "done"}))
    new.answer("GET", JOB, Reply(recorded.import_job()))
    return new


def test_an_import_that_is_under_way_is_seen_to_its_end_before_ours_begins(
    busy: ApiServer, evalhub: Evalhub, file: str
) -> None:
    ran = evalhub("import", file, "--dataset", "sums")
    assert (ran.code, ran.out) == (0, "Imported 3 items into Sums (sums) as v1.\n")
    assert ran.err.startswith("An import of other.csv into this dataset is under way.")
    assert len(busy.requests("GET", "/imports/other")) == 2
    assert len(busy.requests("POST", "/datasets/sums/imports")) == 2


def test_a_file_whose_stopped_import_has_now_ended_is_not_imported_twice(
    busy: ApiServer, evalhub: Evalhub, file: str
) -> None:
    other = recorded.import_job("importing") | {"id": "other"}
    ended = other | {"state": "done", "message": "Imported 3 rows as version 1."}
    busy.answer("GET", "/datasets/sums/imports", listing(other))
    busy.answer("GET", "/imports/other", Reply(ended))
    ran = evalhub("import", file, "--dataset", "sums")
    assert (ran.code, ran.out) == (1, "")
    assert "has ended: Imported 3 rows as version 1. The file was not imported a second" in ran.err
    assert len(busy.requests("POST", "/datasets/sums/imports")) == 1


def test_a_refusal_that_no_import_explains_is_told(
    busy: ApiServer, evalhub: Evalhub, file: str
) -> None:
    busy.answer("GET", "/datasets/sums/imports", listing())
    ran = evalhub("import", file, "--dataset", "sums")
    assert (ran.code, ran.err) == (1, "evalhub: An import is writing version 1.\n")


def test_what_was_not_sure_about_the_file_is_told(
    new: ApiServer, evalhub: Evalhub, file: str
) -> None:
    note = "Not valid UTF-8, so read as Windows-1252."
    job = recorded.import_job("importing", reading={"notes": [note]})
    new.answer("POST", "/datasets/sums/imports", Reply(job, 201))
    new.answer("GET", JOB, Reply(recorded.import_job()))
    ran = evalhub("import", file, "--dataset", "Sums", "--input", "q")
    assert ran.err.startswith(f"Note: {note}\n")
    assert ran.out == "Imported 3 items into Sums (sums) as v1.\n"


def test_a_guessed_mapping_is_told_and_a_given_one_is_not(
    new: ApiServer, evalhub: Evalhub, file: str
) -> None:
    new.answer("GET", JOB, Reply(recorded.import_job()))
    guessed = evalhub("import", file, "--dataset", "Sums")
    assert "Columns by their names: input: q; expected output: a." in guessed.err
    given = evalhub("import", file, "--dataset", "Sums", "--input", "q", "--expected", "a")
    assert "Columns by their names" not in given.err


def test_any_field_can_be_mapped_and_known_rows_updated(
    new: ApiServer, evalhub: Evalhub, file: str
) -> None:
    new.answer("GET", JOB, Reply(recorded.import_job(rows_updated=1)))
    options = "--map q=input --map a=b=expected_output.x.y:number --known-by content --known update"
    ran = evalhub("import", file, "--dataset", "Sums", *options.split(), "--encoding", "cp1252")
    assert ran.out == "Imported 2 items into Sums (sums) as v1. 1 item was updated.\n"
    (sent,) = new.requests("POST", "/datasets/sums/imports")
    columns = [
        {"column": "q", "destination": "input", "read_as": "auto"},
        {"column": "a=b", "destination": "expected_output", "read_as": "number", "key": "x.y"},
    ]
    assert f'"columns": {json.dumps(columns)}'.encode() in sent.body
    for said in ('"known_by": "content"', '"known_are": "update"', '"encoding": "cp1252"'):
        assert said.encode() in sent.body


@pytest.mark.parametrize("wrong", ["q", "=input", "q=", "q=input:colour"])
def test_a_mapping_that_is_none_is_told(evalhub: Evalhub, file: str, wrong: str) -> None:
    ran = evalhub("import", file, "--dataset", "Sums", "--map", wrong)
    assert ran.code == 2
    assert "is not COL=FIELD[.KEY][:TYPE]" in ran.err


def test_a_check_imports_nothing_and_writes_the_errors(
    new: ApiServer, evalhub: Evalhub, file: str, tmp_path: Path
) -> None:
    checked = recorded.import_job("checked", rows_bad=1, version=None)
    new.answer("POST", f"{JOB}/check", Reply(recorded.import_job("checking")))
    new.answer("GET", JOB, Reply(checked))
    new.answer("POST", f"{JOB}/cancel", Reply(recorded.import_job("cancelled")))
    new.answer("GET", f"{JOB}/problems", Reply("line,column\n3,q\n"))
    new.answer("GET", f"{JOB}/rows-to-mend", Reply(b"error:line,q\n3,x\n"))
    errors, mend = tmp_path / "errors.csv", tmp_path / "mend.csv"
    files = ("--errors", str(errors), "--mend", str(mend))
    ran = evalhub("import", file, "--dataset", "Sums", "--check", *files)
    assert mend.read_bytes() == b"error:line,q\n3,x\n"
    assert ran.code == 1
    assert "Nothing was imported." in ran.out
    assert len(new.requests("POST", f"{JOB}/cancel")) == 1
    assert len(new.requests("DELETE", "/datasets/sums")) == 1
