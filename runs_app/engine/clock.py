"""One clock for all calls of a stay, in place of a timer for each.

A timer costs more than the rest of a fast call's bookkeeping, and calls seldom run into it. This
one looks at all that is in flight, twenty times a second.
"""

from __future__ import annotations

import asyncio
import time

LOOK_SECONDS = 0.05  # how much later than its time a call may be cancelled


class Alarm:
    """The time of one call. `rung` is True when its task was cancelled by the clock."""

    __slots__ = ("at", "rung", "task")

    def __init__(self, task: asyncio.Task[object], at: float) -> None:
        self.task = task
        self.at = at
        self.rung = False


class CallClock:
    """Cancels the task of a call whose time is up. Used inside one event loop."""

    def __init__(self) -> None:
        self._alarms: set[Alarm] = set()
        self._handle: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> Alarm:
        """An alarm for the running task; `stop` it when the call is over."""
        task = asyncio.current_task()
        assert task is not None
        alarm = Alarm(task, time.monotonic() + seconds)
        self._alarms.add(alarm)
        if self._handle is None:
            self._wait()
        return alarm

    def stop(self, alarm: Alarm) -> None:
        self._alarms.discard(alarm)

    def _wait(self) -> None:
        self._handle = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        now = time.monotonic()
        for alarm in [alarm for alarm in self._alarms if alarm.at <= now]:
            self._alarms.discard(alarm)
            alarm.rung = True
            alarm.task.cancel()
        self._handle = None
        if self._alarms:
            self._wait()
