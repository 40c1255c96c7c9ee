"""The Celery application: JSON messages only, no result backend, no acknowledgement.

Messages are wake-ups (see kit/dispatch.py), so both transports may lose one with its worker.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

from celery import Celery
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings

from evalhub.kit.stopping import ask_to_stop

if TYPE_CHECKING:
    from evalhub.kit.heartbeat import Heartbeat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalhub.settings")

LEAVE_SECONDS = 10.0  # for embedded tasks to leave after they were asked to
BEAT_SECONDS = 30

app = Celery("evalhub")
app.set_current()


def transport() -> dict[str, object]:
    """Broker settings: a folder in EVALHUB_HOME when embedded, else the URL's server."""
    if not settings.EMBEDDED:
        return {
            "broker_url": settings.CELERY_BROKER_URL,
            "broker_transport_options": {
                # A message is gone when it is read: the database knows what is to be done. With
                # acknowledgements, a worker that is busy when Redis goes away dies of not being
                # able to put its messages back.
                "ack_emulation": False,
                "socket_timeout": 10,
                "socket_connect_timeout": 3,
                "retry_on_timeout": True,
                # One try to send: whoever wakes a worker does not wait for a broker that is away.
                "max_retries": 1,
                "interval_start": 0,
                "interval_step": 0,
                "interval_max": 0,
            },
        }
    return {
        "broker_url": "folder://localhost",
        "broker_transport": "evalhub.kit.folder_broker:Transport",
        "broker_transport_options": {
            "folder": str(settings.EVALHUB_HOME / "broker"),
            "polling_interval": 0.1,
        },
        "worker_enable_remote_control": False,  # workers are seen by their heartbeats
    }


app.conf.update(
    **transport(),
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    event_serializer="json",
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_soft_shutdown_timeout=8,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # for ever
    task_default_queue="evalhub",
    timezone="UTC",
    beat_schedule={
        name: {
            "task": name,
            # Every worker sweeps by itself; this is one sweep more. Seldom, because Redis keeps
            # expired messages until some worker reads them.
            "schedule": BEAT_SECONDS,
            "options": {"expires": BEAT_SECONDS},
        }
        for name in ("runs.sweep", "datasets.sweep")
    },
)
app.autodiscover_tasks(["datasets_app", "runs_app"])


_heartbeats: list[Heartbeat] = []  # of this process: one, once its worker is ready


@worker_ready.connect
def _start_heartbeat(sender: Any, **_: object) -> None:
    """Beat and sweep from now on, beside the pool, so that long tasks hold up neither."""
    from datasets_app.bulk.sweeper import sweep as sweep_jobs
    from datasets_app.importing.sweeper import sweep as sweep_imports
    from datasets_app.indexing import sweep as sweep_indexes
    from evalhub.kit.heartbeat import Heartbeat
    from runs_app.engine.sweeper import sweep as sweep_runs

    parent = int(os.environ.get("EVALHUB_PARENT", "0"))
    sweepers = (sweep_runs, sweep_imports, sweep_jobs, sweep_indexes)
    heartbeat = Heartbeat(sender.hostname, sweepers=sweepers, parent=parent)
    heartbeat.start()
    _heartbeats.append(heartbeat)


@worker_shutting_down.connect
def _leave_work(**_: object) -> None:
    """Ask the tasks to leave. Embedded, the process ends as soon as they have: a broker of files
    notices a shutdown only after seconds, and nothing is left that a crash would not survive.
    """
    ask_to_stop()
    if settings.EMBEDDED:
        threading.Thread(target=_end_soon, name="leaving", daemon=True).start()


def _end_soon() -> None:
    from celery.worker.state import active_requests

    end = time.monotonic() + LEAVE_SECONDS
    while active_requests and time.monotonic() < end:
        time.sleep(0.05)
    _stop_heartbeat()
    os._exit(0)


@worker_shutdown.connect
def _stop_heartbeat(**_: object) -> None:
    while _heartbeats:
        _heartbeats.pop().stop()
