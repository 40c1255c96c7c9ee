"""The main job on real data, through the command line: four systems, and each pair against the figures
that an independent computation gave (EVALHUB_REFERENCE_DATA)."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.installation import ROOT, Installation, embedded, on_servers
from tests.reference import reference_dir

pytestmark = [pytest.mark.db, pytest.mark.slow]
CORRECT = {
    "6b_finetuning": 286,
    "6b_verification": 515,
    "175b_finetuning": 458,
    "175b_verification": 742,
}
ITEMS = 1319
SCORER = '{"use": "numeric_match", "name": "answer", "extract": "A:\\\\s*(.+)"}'


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("reference")
    if os.environ.get("DATABASE_URL"):
        with on_servers(
            folder, os.environ["DATABASE_URL"], os.environ["CELERY_BROKER_URL"]
        ) as made:
            yield made
    else:
        made = embedded(folder)
        yield made
        made.stop()


def evalhub(installation: Installation, *words: str) -> Any:
    """Run the command line in-process on the installation; its JSON answer."""
    done = subprocess.run(
        [sys.executable, "-m", "evalhub_client.cli", *words, "--json"],
        cwd=ROOT,
        env=installation.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def runs(installation: Installation) -> dict[str, Any]:
    """The finished run of each system."""
    source = reference_dir() / "data" / "gsm8k" / "example_model_solutions.jsonl"
    columns = ["--input", "question", "--expected", "ground_truth", "--rest", "metadata"]
    evalhub(installation, "import", str(source), "--dataset", "GSM8K", *columns)
    return {
        system: evalhub(
            installation,
            "run",
            "GSM8K",
            "--target",
            f"recorded:metadata.{system}.solution",
            "--scorer",
            SCORER,
            "--wait",
        )
        for system in CORRECT
    }


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(
        Path(reference_dir(), "reference", "gsm8k_statistics.json").read_text()
    )
    return figures


@pytest.mark.parametrize("system", CORRECT)
def test_each_system_scores_what_the_reference_says(
    runs: dict[str, Any], reference: dict[str, Any], system: str
) -> None:
    run, known = runs[system], reference["runs"][system]
    answer = run["scores"]["answer"]
    assert (run["status"], run["total_items"], run["succeeded"]) == ("completed", ITEMS, ITEMS)
    assert (answer["n"], answer["passed"]) == (ITEMS, CORRECT[system])
    assert (answer["errors"], answer["not_scored"]) == (0, 0)
    assert answer["mean"] == pytest.approx(known["mean"], rel=1e-12)
    assert answer["ci95"] == pytest.approx(known["wilson_95"], rel=1e-9)


@pytest.mark.parametrize("pair", [*itertools.combinations(CORRECT, 2)], ids=" to ".join)
def test_each_pair_compares_as_the_reference_says(
    installation: Installation,
    runs: dict[str, Any],
    reference: dict[str, Any],
    pair: tuple[str, str],
) -> None:
    a, b = pair
    known = reference["paired"][f"{a} -> {b}"]
    numbers = [str(runs[system]["number"]) for system in pair]
    comparison = evalhub(installation, "compare", *numbers)
    assert comparison["pairing"] == {
        "paired": ITEMS,
        "only_a": 0,
        "only_b": 0,
        "content_changed": 0,
        "errored_a": 0,
        "errored_b": 0,
        "not_scored": 0,
    }
    (answer,) = comparison["scorers"]
    assert answer["delta"] == pytest.approx(known["delta"], rel=1e-9)
    assert (answer["ci_method"], answer["p_method"]) == ("tango", "mcnemar_midp")
    assert answer["ci95"] == pytest.approx(known["tango_95"], rel=1e-7)
    assert answer["p"] == pytest.approx(known["mcnemar_mid_p"], rel=1e-7)
    counts = (answer["improved"], answer["regressed"], answer["unchanged"])
    assert counts == (known["improved"], known["regressed"], known["unchanged"])
    assert answer["verdict"] == ("better" if known["delta"] > 0 else "worse")
