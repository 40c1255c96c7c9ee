"""Files of the wild: each gives its rows, or an error that names what is wrong and where."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import pytest

from datasets_app.importing.detect import detect
from datasets_app.importing.packed import unpack
from datasets_app.importing.problems import ImportFileError, Problem
from datasets_app.importing.rows import Row, open_rows
from tests.datasets_app.importing.wild import BAD_ROWS, GOOD, MB, REFUSED, zipped

MEMORY = 80 * MB
"""What reading any of these may take at most; the largest unpacks to 200 MB."""


@dataclass(frozen=True)
class Read:
    """What became of a file: the values of its good rows, problems, and what refused it whole."""

    rows: list[object]
    problems: list[Problem]
    refused: str


def read(tmp_path: Path, data: bytes, name: str) -> Read:
    path = tmp_path / "upload"
    path.write_bytes(data)
    rows: list[object] = []
    problems: list[Problem] = []
    try:
        unpacked = unpack(path, name)
        detected = detect(path, unpacked.name if unpacked else name)
        with open_rows(path, detected) as source:
            for row in source:
                if isinstance(row, Problem):
                    problems.append(row)
                elif len(rows) < 5:
                    rows.append(row.values)
    except ImportFileError as error:
        return Read(rows, problems, error.detail)
    return Read(rows, problems, "")


@pytest.mark.parametrize("case", GOOD)
def test_a_file_however_odd_gives_its_rows(tmp_path: Path, case: str) -> None:
    name, data, rows = GOOD[case]
    found = read(tmp_path, data, name)
    assert (found.refused, found.problems) == ("", [])
    assert found.rows == rows


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_trusted_is_refused_by_name_and_line_in_little_memory(
    tmp_path: Path, case: str
) -> None:
    name, made, reason = REFUSED[case]
    data = made() if callable(made) else made
    tracemalloc.start()
    try:
        found = read(tmp_path, data, name)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reason in found.refused
    assert most < MEMORY
    assert list(tmp_path.iterdir()) == [tmp_path / "upload"]


@pytest.mark.parametrize("case", BAD_ROWS)
def test_one_bad_row_is_told_with_its_line_and_the_others_are_read(
    tmp_path: Path, case: str
) -> None:
    name, data, line, kind, reason = BAD_ROWS[case]
    found = read(tmp_path, data, name)
    assert found.refused == ""
    (problem,) = found.problems
    assert (problem.line, problem.kind) == (line, kind)
    assert reason in problem.reason
    assert len(found.rows) == 2


def test_a_json_array_of_50_mb_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "big.json"
    line = json.dumps({"q": "x" * 900, "n": [1, {"deep": "\\ é"}]})
    with path.open("w") as file:
        file.write('{"about": {"n": 1}, "rows": [\n' + f"{line},\n" * 50_000 + f"{line}\n]}}")
    tracemalloc.start()
    try:
        with open_rows(path, detect(path, "big.json")) as source:
            count, last = 0, None
            for row in source:
                count, last = count + 1, row
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 50_001
    assert isinstance(last, Row)
    assert last.line == 50_002
    assert most < 30 * MB


def test_an_element_over_the_limit_is_refused_with_its_line(tmp_path: Path) -> None:
    data = b'[{"q": 1},\n{"q": "' + b"x" * (10 * MB) + b'"}]'
    found = read(tmp_path, data, "a.json")
    assert "Line 2: what begins here is over 8,388,608 characters long." in found.refused


def test_a_zip_archive_with_several_files_is_read_by_name(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(zipped(a_csv=b"q\n1\n", b_csv=b"q\n2\n"))
    unpacked = unpack(path, "a.zip", "b.csv")
    assert unpacked == ("zip", "b.csv")
    assert path.read_bytes() == b"q\n2\n"
