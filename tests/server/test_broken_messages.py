"""An embedded worker that finds broken messages in its folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.installation import embedded, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="embedded mode alone"),
]


@pytest.mark.timeout(120)
def test_a_worker_outlives_messages_that_are_none(tmp_path: Path) -> None:
    installation = embedded(tmp_path)
    try:
        worker = installation.start_ready_worker()
        broker = tmp_path / "broker"
        for n, content in enumerate((b"", b'{"body": "W1', b"[]")):
            (broker / f"0_{n}.evalhub.msg").write_bytes(content)
        wait_for(lambda: not list(broker.iterdir()), 10, "an empty broker")
        run = installation.ask("start", inputs=[{"n": n} for n in range(20)])
        installation.until_called(19)
        assert worker.poll() is None, installation.log()
        wait_for(lambda: not list(broker.iterdir()), 10, f"an empty broker after run {run}")
    finally:
        installation.stop()
