"""The installation that a fault test breaks, on the backend of this test run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.installation import Installation, embedded, on_servers


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    if os.environ.get("DATABASE_URL"):
        with on_servers(
            tmp_path, os.environ["DATABASE_URL"], os.environ["CELERY_BROKER_URL"]
        ) as made:
            made.start_beat()
            yield made
    else:
        made = embedded(tmp_path)
        yield made
        made.stop()
