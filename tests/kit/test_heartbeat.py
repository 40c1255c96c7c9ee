"""The heartbeat goes on, whatever its sweepers do."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import OperationalError

from evalhub.kit.heartbeat import Heartbeat
from evalhub.kit.models import Worker

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("error", [OSError("disk"), ValueError("odd"), OperationalError("away")])
def test_a_sweeper_that_fails_ends_neither_the_heartbeat_nor_the_other_sweepers(
    settings: Any, error: Exception
) -> None:
    settings.HEARTBEAT_SECONDS = 0.05
    settings.SWEEP_SECONDS = 0.05
    swept: list[float] = []

    def fail() -> None:
        raise error

    beating = Heartbeat("w", sweepers=(fail, lambda: swept.append(time.monotonic())), parent=0)
    beating.start()
    try:
        end = time.monotonic() + 10
        while len(swept) < 4:
            assert time.monotonic() < end
            time.sleep(0.02)
        assert Worker.objects.alive().filter(name=beating.name).exists()
    finally:
        beating.stop()
    assert not Worker.objects.exists()
