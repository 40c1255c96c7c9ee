"""Waiting for work that goes on in the background."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from evalhub_client.errors import ApiError, ServerNotReached, WaitTimeout

Json = dict[str, Any]

FIRST_POLL_S = 0.1
LAST_POLL_S = 1.0
AWAY_S = 60.0
"""How long a server may be away (restarting, say) before waiting gives up."""

PASSING = (502, 503, 504)
RUN_ENDED = ("completed", "failed", "cancelled")
IMPORT_ENDED = ("checked", "done", "failed", "cancelled")


def run_ended(run: Json) -> bool:
    return run["status"] in RUN_ENDED


def rescore_ended(run: Json) -> bool:
    return run["rescore"] is None


def import_ended(job: Json) -> bool:
    return job["state"] in IMPORT_ENDED


def wait(
    get: Callable[[], Json],
    ended: Callable[[Json], bool],
    timeout: float | None,
    on_poll: Callable[[Json], None] | None,
) -> Json:
    """What `get` gives once it has `ended`; asked often at first, then every second.

    Raises WaitTimeout after `timeout` seconds (None: never), and what `get` raises, an unreachable
    server only once it has been away for AWAY_S.
    """
    start = reached = time.monotonic()
    pause = FIRST_POLL_S
    while True:
        try:
            found = get()
        except (ServerNotReached, ApiError) as error:
            passing = isinstance(error, ServerNotReached) or error.status in PASSING
            if not passing or time.monotonic() - reached > AWAY_S:
                raise
        else:
            reached = time.monotonic()
            if on_poll is not None:
                on_poll(found)
            if ended(found):
                return found
        if timeout is not None and time.monotonic() - start >= timeout:
            raise WaitTimeout(f"It had not ended after {timeout:g} s. It goes on by itself.")
        time.sleep(pause)
        pause = min(pause * 1.5, LAST_POLL_S)
