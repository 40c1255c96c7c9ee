"""Progress on standard error: a line written over on a terminal, else one now and then."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from typing import Any, TextIO

from evalhub_client.output import count, counted, duration, rate

EVERY_S = 3.0
SETTLING_S = 1.0  # before that, a rate says more about the start than about the work


class Progress:
    """Shows how far some work is, and says things in between."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._overwrites = self._stream.isatty()
        self._written = float("-inf")
        self._open = False

    def show(self, text: str) -> None:
        """How far it is now."""
        if self._overwrites:
            self._stream.write(f"\r{text}\x1b[K")
            self._open = True
        elif time.monotonic() - self._written >= EVERY_S:
            self._stream.write(f"{text}\n")
            self._written = time.monotonic()
        self._stream.flush()

    def say(self, text: str) -> None:
        """A line that stays."""
        self.clear()
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def clear(self) -> None:
        """Take the line of progress off the terminal."""
        if self._open:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._open = False


class ImportPace:
    """The rate and the time left of an import, from what was seen of it since it moved."""

    def __init__(self) -> None:
        self._state = ""
        self._since = self._rows = self._share = 0.0

    def text(self, job: dict[str, Any]) -> str:
        """The line for an import as it is now."""
        now, rows, share = time.monotonic(), job["rows_done"], job["share_done"]
        if job["state"] != self._state or rows < self._rows:
            self._state = job["state"]
            self._since, self._rows, self._share = now, rows, share
        what = {"checking": "Checking", "undoing": "Removing rows"}.get(self._state, "Importing")
        parts = [f"{what}: {count(rows)} rows", f"{share:.1%}"]
        elapsed = now - self._since
        if elapsed >= SETTLING_S and rows > self._rows:
            parts.append(rate((rows - self._rows) / elapsed, "rows"))
            if share > self._share:
                parts.append(_left(elapsed * (1 - share) / (share - self._share)))
        return ", ".join(parts)


def imported_text(job: dict[str, Any]) -> str:
    """The line for an import that is done."""
    parts = [f"Read {counted(job['rows_done'], 'row')}"]
    if job["started_at"] and job["finished_at"]:
        start, end = (datetime.fromisoformat(job[name]) for name in ("started_at", "finished_at"))
        seconds = (end - start).total_seconds()
        if seconds > 0:
            parts += [
                f"in {seconds:.1f} s" if seconds < 10 else f"in {duration(seconds)}",
                rate(job["rows_done"] / seconds, "rows"),
            ]
    return ", ".join(parts)


def run_text(run: dict[str, Any]) -> str:
    """The line for a run as it is now."""
    progress = run["progress"]
    if run["status"] == "pending" and not progress["done"]:
        return f"Run #{run['number']}: waiting for a worker"
    parts = [
        f"Run #{run['number']}: {count(progress['done'])} of {count(progress['total'])}",
        f"{progress['share']:.1%}",
    ]
    if progress["failed"]:
        parts.append(f"{count(progress['failed'])} failed")
    if progress["rate"]:
        parts.append(rate(progress["rate"], "results"))
    if progress["eta_s"] is not None:
        parts.append(_left(progress["eta_s"]))
    return ", ".join(parts)


def _left(seconds: float) -> str:
    return f"about {duration(seconds)} left"
