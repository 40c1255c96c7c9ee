"""The reference data that some tests hold the product against; the product itself needs none."""

import os
from pathlib import Path

import pytest

VARIABLE = "EVALHUB_REFERENCE_DATA"
NEEDED = (
    "data/gsm8k/example_model_solutions.jsonl",
    "reference/gsm8k_statistics.json",
)


def reference_dir() -> Path:
    """The folder that EVALHUB_REFERENCE_DATA names.

    Skips the test when the variable is unset; fails it when the folder lacks a file, because a
    half-copied folder would otherwise pass for a green run.
    """
    value = os.environ.get(VARIABLE, "")
    if not value:
        pytest.skip(f"{VARIABLE} is not set: the tests on reference data need that folder")
    folder = Path(value)
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        pytest.fail(f"{VARIABLE} is set to {folder}, which lacks {', '.join(missing)}")
    return folder
