"""Waiting for a job over many items."""

from __future__ import annotations

from typing import Any

from evalhub_client.connect import Door
from evalhub_client.failures import Interrupted
from evalhub_client.output import count, counted
from evalhub_client.progress import Progress

Json = dict[str, Any]


def wait_for_job(door: Door, job: Json, progress: Progress) -> Json:
    """The job once it has ended, with its progress on the way. Raises Interrupted on Ctrl-C."""
    with door.tended(progress.say) as tend:

        def on_poll(job: Json) -> None:
            if job["active"]:
                of = f" of {counted(job['total'], 'item')}" if job["total"] else " items"
                progress.show(f"{count(job['done'])}{of}")
                tend()

        try:
            return door.client.wait_for_job(job["id"], on_poll=on_poll)
        except KeyboardInterrupt:
            progress.say("Stopped waiting. The work goes on in the background.")
            raise Interrupted from None
        finally:
            progress.clear()
