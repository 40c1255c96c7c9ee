"""A worker's background thread: its heartbeat, its sweeps, and a watch on its parent."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable

from django.conf import settings
from django.db import Error, connection
from django.db.models.functions import Now

from evalhub.kit.clock import in_seconds
from evalhub.kit.models import Worker

log = logging.getLogger(__name__)
FORGET_SECONDS = 3600


class Heartbeat:
    """Keeps the row of worker `name` fresh from a thread of its own, until `stop`.

    `sweepers` are called every SWEEP_SECONDS, the first time at once. With `parent` set, the worker
    is asked to end as soon as that process is gone, so that no worker outlives its supervisor.
    """

    def __init__(
        self, name: str, *, sweepers: tuple[Callable[[], object], ...], parent: int
    ) -> None:
        self.name = f"{name}:{os.getpid()}"[:120]
        self._sweepers = sweepers
        self._parent = parent
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop beating and remove the row, so that nobody waits for this worker."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _beat(self) -> None:
        Worker.objects.update_or_create(
            name=self.name, defaults={"pid": os.getpid(), "seen_at": Now()}
        )

    def _attempt(self, step: Callable[[], object]) -> None:
        """Do a step; whatever it raises, the next ones and the watch on the parent go on."""
        try:
            step()
        except Error as error:
            log.warning("Heartbeat or sweep failed, trying again: %s", error)
            connection.close()
        except Exception:
            log.exception("A sweep failed, trying again")

    def _run(self) -> None:
        beats_per_sweep = max(1, round(settings.SWEEP_SECONDS / settings.HEARTBEAT_SECONDS))
        beats = 0
        while not self._stop.is_set():
            if self._parent and os.getppid() != self._parent:
                self._parent = 0
                os.kill(os.getpid(), signal.SIGTERM)
            self._attempt(self._beat)
            if beats % beats_per_sweep == 0:
                for sweep in self._sweepers:
                    self._attempt(sweep)
            beats += 1
            self._stop.wait(settings.HEARTBEAT_SECONDS)
        try:
            old = Worker.objects.filter(seen_at__lt=in_seconds(-FORGET_SECONDS))
            (old | Worker.objects.filter(name=self.name)).delete()
        except Error as error:
            log.warning("The heartbeat's row stays behind: %s", error)
        finally:
            connection.close()
