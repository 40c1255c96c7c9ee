"""The installation that a fault test breaks, on the backend of this test run."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.installation import Installation, embedded, on_servers, short_leases


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with its tables, to be copied: that is faster than making them."""
    folder = tmp_path_factory.mktemp("prepared")
    if url := os.environ.get("DATABASE_URL"):
        with on_servers(folder, url, os.environ["CELERY_BROKER_URL"]) as made:
            made.ask("close")
            made.end_driver()
            yield made
    else:
        made = embedded(folder)
        made.ask("close")
        made.end_driver()
        yield made


@pytest.fixture
def installation(tmp_path: Path, prepared: Installation) -> Iterator[Installation]:
    """A copy of its own, with short leases."""
    if url := os.environ.get("DATABASE_URL"):
        name = prepared.environment["DATABASE_URL"].rpartition("/")[2]
        broker = os.environ["CELERY_BROKER_URL"]
        with on_servers(tmp_path, url, broker, copy_of=name) as made:
            short_leases(made)
            yield made
    else:
        made = embedded(tmp_path, copy_of=prepared.home)
        short_leases(made)
        yield made
        made.stop()


@pytest.fixture
def chance() -> random.Random:
    """Where and when the fault strikes; another FAULT_SEED is another run of events."""
    return random.Random(int(os.environ.get("FAULT_SEED", "1")))
