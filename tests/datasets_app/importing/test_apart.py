"""A file read in a process of its own is the same file, and the process ends with its reader."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from datasets_app.importing import apart
from datasets_app.importing.detect import detect
from datasets_app.importing.guessing import guess
from datasets_app.importing.mapping import Mapping, MappingError
from datasets_app.importing.problems import ImportFileError
from datasets_app.importing.reading import Reading, portions
from datasets_app.importing.rows import open_rows
from tests.messy import write_messy

SCHEMA = '{"type": "object", "properties": {"queue": {"enum": ["billing", "account", "sales"]}}}'


@pytest.fixture(autouse=True)
def always_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "APART_FROM", 0)


def reading_of(path: Path, done: int = 0, schemas: dict[str, str] | None = None) -> Reading:
    detected = detect(path, path.name)
    with open_rows(path, detected) as source:
        mapping = guess(source.columns, [])
    return Reading(str(path), detected.to_dict(), mapping.to_dict(), schemas or {}, done)


def children() -> list[int]:
    """Processes of this one that read a file."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"importing.apart" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("done", [0, 1_200])
def test_the_portions_are_those_that_are_read_here(tmp_path: Path, done: int) -> None:
    reading = reading_of(write_messy(tmp_path), done, {"metadata": SCHEMA})
    with apart.read(reading) as found:
        there = list(found)
    assert there == list(portions(reading))
    assert sum(len(portion.records) for portion in there) == 2_000
    assert {type(record).__name__ for portion in there for record in portion.records} == {
        "ItemDraft",
        "Problem",
    }
    assert [portion.done for portion in there] == [True] * (done // 400) + [False]
    assert children() == []


def unclosed(folder: Path) -> Reading:
    path = folder / "a.csv"
    path.write_text('question,answer\na,b\n"c,d\n')
    return Reading(str(path), detect(path, path.name).to_dict(), guess(["question"], []).to_dict(),
                   {}, 0)  # fmt: skip


def unmapped(folder: Path) -> Reading:
    path = folder / "a.csv"
    path.write_text("question,answer\na,b\n")
    mapping = Mapping.from_options(["why"], input=["why"]).to_dict()
    return Reading(str(path), detect(path, path.name).to_dict(), mapping, {}, 0)


def shorter(folder: Path) -> Reading:
    path = folder / "a.csv"
    path.write_text("question,answer\na,b\n")
    return reading_of(path, done=2)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (unclosed, ImportFileError, "Line 3: a quote opens"),
        (unmapped, MappingError, "“why”|'why'"),
        (shorter, ImportFileError, "has become shorter"),
    ],
)
def test_what_is_wrong_with_the_file_is_raised_here(
    tmp_path: Path, make: Callable[[Path], Reading], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said), apart.read(make(tmp_path)) as found:
        list(found)
    assert children() == []


def test_a_file_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    reading = shorter(tmp_path)
    Path(reading.path).unlink()
    with pytest.raises(FileNotFoundError), apart.read(reading) as found:
        list(found)


def large(folder: Path) -> Reading:
    path = folder / "large.csv"
    path.write_text("question,answer\n" + f"{'why ' * 60},because\n" * 60_000)
    return reading_of(path)


def test_the_process_ends_when_its_reader_leaves(tmp_path: Path) -> None:
    with apart.read(large(tmp_path)) as found:
        next(found)
        assert len(children()) == 1
    assert children() == []


def test_the_death_of_the_process_is_an_error(tmp_path: Path) -> None:
    with apart.read(large(tmp_path)) as found:
        next(found)
        os.kill(children()[0], signal.SIGKILL)
        with pytest.raises(RuntimeError, match="has died"):
            list(found)
