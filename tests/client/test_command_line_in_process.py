"""The command line on a data folder of its own: no server, real processes, a real worker."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.client.api_server import ApiServer, Reply

CSV = "question,right,good,guess,note\n1+1,2,2,2,\n2+2,4,4,5,hard\n2+2,4,4,5,hard\n3+3,6,6,=6,\n"
IMPORT = ["--input", "question", "--expected", "right", "--rest", "metadata"]


class Folder:
    """A data folder and the command line on it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        gone = ("EVALHUB_SERVER", "EVALHUB_TOKEN", "EVALHUB_PROJECT", "DATABASE_URL", "REDIS_URL")
        kept = {name: value for name, value in os.environ.items() if name not in gone}
        self.environment = kept | {"EVALHUB_HOME": str(home)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "evalhub_client.cli", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
        )

    def run(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """What it wrote to standard output and standard error; the exit code has to be `code`."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, err
        return out, err

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code)[0])

    def workers(self) -> list[int]:
        """Processes that work on this folder."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                command = (entry / "cmdline").read_bytes()
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if b"celery" in command and str(self.home).encode() in environment:
                found.append(int(entry.name))
        return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder with the dataset Sums of four items and two finished runs, #1 and #2."""
    place = tmp_path_factory.mktemp("command-line")
    made = Folder(place / "home")
    file = place / "sums.csv"
    file.write_text(CSV)
    made.run("import", str(file), "--dataset", "Sums", *IMPORT)
    for target in ("recorded:metadata.good", "recorded:metadata.guess"):
        made.run("run", "Sums", "--target", target, "--scorer", "exact_match", "--wait")
    return made


@pytest.fixture
def empty(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "home")


def test_an_empty_folder_is_made_ready_without_a_demo(empty: Folder) -> None:
    assert empty.json("datasets") == []
    assert empty.json("runs") == []
    assert (empty.home / "evalhub.sqlite3").exists()


def test_importing_waits_for_its_job_and_leaves_no_worker(folder: Folder) -> None:
    (dataset,) = folder.json("datasets")
    assert (dataset["id"], dataset["version"], dataset["item_count"]) == ("sums", 1, 4)
    assert folder.workers() == []


def test_empty_cells_stay_and_identical_rows_stay_separate(folder: Folder) -> None:
    out, _ = folder.run("results", "2")
    results = [json.loads(line) for line in out.splitlines()]
    assert [one["number"] for one in results] == [1, 2, 3, 4]
    assert results[0]["metadata"] == {"good": "2", "guess": "2", "note": ""}
    assert results[1]["input"] == results[2]["input"] == "2+2"


def test_a_waited_run_prints_its_figures_alone(folder: Folder) -> None:
    figures = folder.json(
        "run", "sums", "--target", "recorded:metadata.guess", "--scorer", "exact_match", "--wait"
    )
    assert figures["status"] == "completed"
    assert (figures["total_items"], figures["succeeded"], figures["failed"]) == (4, 4, 0)
    score = figures["scores"]["exact_match"]
    assert (score["n"], score["passed"], score["errors"], score["not_scored"]) == (4, 1, 0, 0)
    assert score["mean"] == 0.25
    assert folder.workers() == []


def test_two_runs_compare(folder: Folder) -> None:
    compared = folder.json("compare", "1", "2")
    assert list(compared) == ["pairing", "scorers"]
    assert compared["pairing"]["paired"] == 4
    (scorer,) = compared["scorers"]
    assert (scorer["a"]["mean"], scorer["b"]["mean"]) == (1.0, 0.25)
    assert scorer["verdict"] == "too_few"
    out, err = folder.run("compare", "1", "2")
    assert "Pairing: 4 items in both" in out
    assert err == ""


def test_results_as_csv_are_safe_to_open(folder: Folder) -> None:
    out, err = folder.run("results", "2", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert [row["output"] for row in rows] == ["2", "5", "5", "'=6"]
    assert err == ""


def test_an_unknown_column_leaves_no_dataset(folder: Folder, tmp_path: Path) -> None:
    file = tmp_path / "sums.csv"
    file.write_text(CSV)
    out, err = folder.run("import", str(file), "--dataset", "New", "--input", "qestion", code=1)
    assert out == ""
    assert err.startswith("evalhub: The file has no column 'qestion'. Did you mean 'question'?")
    assert err.count("\n") == 1
    assert [one["id"] for one in folder.json("datasets")] == ["sums"]


def test_a_bad_row_with_abort_leaves_no_dataset(folder: Folder, tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"q": 1}\n{"q": \n')
    _, err = folder.run(
        "import", str(file), "--dataset", "New", "--input", "q", "--on-error", "abort", code=1
    )
    assert "Line 2" in err
    assert [one["id"] for one in folder.json("datasets")] == ["sums"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "nosuch", "--target", "x"], "There is no dataset “nosuch”"),
        (["run", "sums", "--target", "nosuch"], "--target: "),
        (["run", "sums", "--target", "recorded:input", "--scorer", "near"], "--scorer 1"),
        (
            [
                "run",
                "sums",
                "--target",
                "recorded:input",
                "--scorer",
                '{"use": "regex", "pattern": "("}',
            ],
            "--scorer 1",
        ),
        (["run", "sums", "--target", "recorded:input", "--version", "9"], "--version: "),
        (["compare", "1", "99"], "99"),
        (["results", "99"], "99"),
        (["datasets", "--project", "nosuch"], "no such project"),
    ],
)
def test_what_is_not_there_is_said_and_nothing_is_started(
    folder: Folder, arguments: list[str], said: str
) -> None:
    before = len(folder.json("runs"))
    out, err = folder.run(*arguments, code=1)
    assert out == ""
    assert err.startswith("evalhub: ")
    assert said in err
    assert "Traceback" not in err
    assert "WARNING" not in err
    assert len(folder.json("runs")) == before


def test_a_target_is_saved_and_tested_without_a_server(folder: Folder) -> None:
    with ApiServer() as service:
        service.answer("POST", "/answer", Reply({"data": {"answer": "2"}}))
        config = {"url": f"{service.url}/api/v1/answer", "output": "data.answer"}
        save = ("targets", "save", "Service", "--kind", "agent", "--transport", "http")
        folder.run(*save, "--config", json.dumps(config))
        out, err = folder.run("targets", "test", "service", "--input", '{"q": "1+1"}')
        (asked,) = service.asked
    assert asked.json == {"input": {"q": "1+1"}}
    assert "Response after" in out
    assert "Output:\n2\n" in out
    assert err == ""


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    _, err = Folder(tmp_path / "file" / "home").run("datasets", code=1)
    assert err.startswith("evalhub: ")
    assert err.count("\n") == 1


@pytest.mark.slow
def test_ctrl_c_stops_the_worker_and_the_next_one_finishes_the_work(
    empty: Folder, tmp_path: Path
) -> None:
    file = tmp_path / "many.jsonl"
    file.write_text("".join(f'{{"q": {number}}}\n' for number in range(20_000)))
    process = empty.start("import", str(file), "--dataset", "Many", "--input", "q")
    deadline = time.monotonic() + 60
    while not empty.workers():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.3)  # the worker is there a moment before its parent knows it as started
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "The import goes on with the next worker." in err
    assert empty.workers() == []

    other = tmp_path / "one.jsonl"
    other.write_text('{"q": 1}\n')
    counts: dict[str, int] = {}
    for turn in range(10):
        empty.run("import", str(other), "--dataset", f"Other {turn}", "--input", "q")
        counts = {one["name"]: one["item_count"] for one in empty.json("datasets")}
        if counts["Many"]:
            break
    assert counts["Many"] == 20_000
    assert counts["Other 0"] == 1
