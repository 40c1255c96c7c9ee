"""The one place that sends messages to workers.

A message is only a wake-up: it may be lost or doubled without harm, because the sweeper finds open
work in the database. So a broker that is away never fails the caller.
"""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


EXPIRES_SECONDS = (
    30  # the sweeper sends another; old wake-ups must not pile up while no worker runs
)


def wake(task: str, *args: int | str) -> None:
    """Send `task` once the current transaction commits."""
    transaction.on_commit(lambda: wake_now(task, *args))


def wake_now(task: str, *args: int | str) -> None:
    """Send `task` at once; a broker that is away is logged and left to the sweeper."""
    try:
        current_app.send_task(task, args=args, expires=EXPIRES_SECONDS, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("Broker not reached for %s%s: %s. The sweeper will wake it.", task, args, error)
