"""`evalhub datasets` and `evalhub export` against a server with recorded answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client import recorded
from tests.client.api_server import ApiServer, Reply, listing, problem
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]


def test_a_dataset_is_changed_in_what_was_said(
    sums: ApiServer, evalhub: Evalhub, tmp_path: Path
) -> None:
    about = tmp_path / "about.md"
    about.write_text("# Sums")
    sums.answer("PUT", "/datasets/sums", Reply(recorded.dataset()))
    assert (
        evalhub("datasets", "update", "sums", "--tag", "a", "--description", f"@{about}").code == 0
    )
    assert evalhub("datasets", "update", "sums", "--no-tags").code == 0
    first, second = sums.requests("PUT", "/datasets/sums")
    assert first.json == {"tags": ["a"], "description": "# Sums"}
    assert second.json == {"tags": []}


@pytest.mark.parametrize("act", ["archive", "unarchive", "pin", "unpin"])
def test_an_act_is_one_request(sums: ApiServer, evalhub: Evalhub, act: str) -> None:
    sums.answer("POST", f"/datasets/sums/{act}", Reply(recorded.dataset()))
    assert evalhub("datasets", act, "sums").out.startswith("Sums is ")
    assert len(sums.requests("POST", f"/datasets/sums/{act}")) == 1


def test_a_large_duplicate_says_that_it_is_being_filled(sums: ApiServer, evalhub: Evalhub) -> None:
    made = {"dataset": recorded.dataset("Copy of Sums", "copy-of-sums"), "job": "6f1c"}
    sums.answer("POST", "/datasets/sums/duplicate", Reply(made, 201))
    ran = evalhub("datasets", "duplicate", "sums")
    assert ran.out == "Copy of Sums is made and being filled, as copy-of-sums.\n"


def test_deleting_wants_to_be_sure(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("DELETE", "/datasets/sums", Reply(b"", 204))
    refused = evalhub("datasets", "delete", "sums")
    assert (refused.code, sums.requests("DELETE", "/datasets/sums")) == (2, [])
    assert evalhub("datasets", "delete", "sums", "--yes").code == 0
    assert len(sums.requests("DELETE", "/datasets/sums")) == 1


def test_the_archive_is_listed_when_asked_for(server: ApiServer, evalhub: Evalhub) -> None:
    server.answer("GET", "/datasets", listing(recorded.dataset(tags=["maths"])))
    assert "maths" in evalhub("datasets", "list", "--archived").out
    assert server.requests("GET", "/datasets")[0].query["archived"] == "true"


def test_an_export_goes_to_standard_output_as_it_is(sums: ApiServer, evalhub: Evalhub) -> None:
    sums.answer("GET", "/datasets/sums/export", Reply(b'{"input":"\xc3\xbc"}\n'))
    ran = evalhub("export", "sums", "--version", "3", "--where", 'split = "test"')
    assert (ran.code, ran.out, ran.err) == (0, '{"input":"ü"}\n', "")
    (asked,) = sums.requests("GET", "/datasets/sums/export")
    assert asked.query == {"format": "jsonl", "version": "3", "where": 'split = "test"'}


def test_an_export_to_a_file_takes_its_format_from_the_name(
    sums: ApiServer, evalhub: Evalhub, tmp_path: Path
) -> None:
    sums.answer("GET", "/datasets/sums/export", Reply(b"number\r\n1\r\n"))
    to = tmp_path / "sums.CSV"
    ran = evalhub("export", "sums", "-o", str(to), "--json")
    assert json.loads(ran.out) == {"file": str(to), "bytes": 11, "dataset": "sums"}
    assert to.read_bytes() == b"number\r\n1\r\n"
    assert sums.requests("GET", "/datasets/sums/export")[0].query["format"] == "csv"


def test_a_refused_export_leaves_no_file(sums: ApiServer, evalhub: Evalhub, tmp_path: Path) -> None:
    sums.answer(
        "GET", "/datasets/sums/export", problem(422, "Wrong at 7.", ("/where", "Wrong at 7."))
    )
    ran = evalhub("export", "sums", "-o", str(tmp_path / "sums.csv"), "--where", "split =")
    assert (ran.code, list(tmp_path.iterdir())) == (1, [])
    assert "--where" in ran.err


def test_a_file_that_cannot_be_written_is_told(
    sums: ApiServer, evalhub: Evalhub, tmp_path: Path
) -> None:
    sums.answer("GET", "/datasets/sums/export", Reply(b"x"))
    ran = evalhub("export", "sums", "-o", str(tmp_path / "no" / "sums.csv"))
    assert ran.code == 1
    assert "No such file or directory" in ran.err


def test_defaults_are_shown_and_set(sums: ApiServer, evalhub: Evalhub) -> None:
    found = {"target": None, "scorers": [{"use": "contains", "name": "c"}], "cluster_field": None}
    sums.answer("GET", "/datasets/sums/defaults", Reply(found))
    assert (
        evalhub("datasets", "defaults", "sums").out == "Target: –\nScorers: c\nCluster field: –\n"
    )
    sums.answer("PUT", "/datasets/sums/defaults", Reply(found | {"target": "recorded:input"}))
    ran = evalhub(
        "datasets", "defaults", "sums", "--target", "recorded:input", "--scorer", "contains"
    )
    assert ran.out.startswith("Target: recorded:input\n")
    (asked,) = sums.requests("PUT", "/datasets/sums/defaults")
    assert asked.json == {"target": "recorded:input", "scorers": ["contains"]}


def test_a_run_without_a_target_leaves_it_to_the_defaults(
    started: ApiServer, evalhub: Evalhub
) -> None:
    assert evalhub("run", "sums").code == 0
    assert started.requests("POST", "/datasets/sums/runs")[0].json == {}
