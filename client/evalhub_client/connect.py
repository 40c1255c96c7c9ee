"""Which API a command speaks to: a server's, or that of the data folder on this machine."""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from evalhub_client.client import Client
from evalhub_client.errors import ApiError, EvalhubClientError, ServerNotReached
from evalhub_client.failures import UsageError
from evalhub_client.waiting import PASSING

WATCH_S = 10.0
_SLUG = re.compile(r"[A-Za-z0-9_-]+\Z")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Door:
    """An open client; `local` when it enters the data folder on this machine."""

    client: Client
    local: bool

    @contextmanager
    def tended(self, say: Say) -> Iterator[Callable[[], None]]:
        """For the time of waiting: call what this gives now and then.

        Locally that keeps a worker running while there is no other; of a server it says when no
        worker is alive there.
        """
        if not self.local:
            yield ServerWatch(self.client, say).tend
            return
        from evalhub_client.inprocess import local_worker

        with local_worker() as worker:
            yield worker.tend

    def worker_alive(self) -> bool:
        """True when somebody is there to do the work."""
        return bool(self.client.list_workers()["alive"])


class ServerWatch:
    """Says when a server has no worker, and when it has one again."""

    def __init__(self, client: Client, say: Say) -> None:
        self._client, self._say = client, say
        self._next = float("-inf")
        self._alive = True

    def tend(self) -> None:
        """Look every WATCH_S seconds."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + WATCH_S
        try:
            alive = bool(self._client.list_workers()["alive"])
        except (ServerNotReached, ApiError) as error:
            if isinstance(error, ServerNotReached) or error.status in PASSING:
                return  # whoever waits meets the same silence, and decides how long to bear it
            raise
        if alive != self._alive:
            self._alive = alive
            self._say(
                "A worker is alive on the server now."
                if alive
                else "No worker is alive on the server. The work waits until one starts."
            )


@contextmanager
def connect(options: argparse.Namespace) -> Iterator[Door]:
    """The door that options and environment name. Raises UsageError for a bad combination."""
    server = options.server or os.environ.get("EVALHUB_SERVER", "")
    project = options.project or os.environ.get("EVALHUB_PROJECT", "") or None
    if project is not None and not _SLUG.match(project):
        raise UsageError(
            f"{project!r} is no project. Give its slug, as in the address of its pages."
        )
    if not server:
        if options.token:
            raise UsageError("--token belongs to a server: give its address with --server URL.")
        from evalhub_client.inprocess import local_client

        with local_client(project) as client:
            yield Door(client, local=True)
        return
    if not server.startswith(("http://", "https://")):
        raise UsageError(f"The server {server!r} is no address. Write http://... or https://...")
    token = (options.token or os.environ.get("EVALHUB_TOKEN", "")).strip()
    if not token:
        raise UsageError("--server needs a token: give it with --token or EVALHUB_TOKEN.")
    if not (token.isascii() and token.isprintable()):
        raise UsageError("The token has characters that no token has. Copy it again.")
    with Client(server, token) as client:
        if project is not None:
            _require_project(client, project)
        yield Door(client, local=False)


def _require_project(client: Client, project: str) -> None:
    """A token belongs to one project; work in another one would be a bad surprise."""
    found = client.me()["project"]["slug"]
    if found != project:
        raise EvalhubClientError(
            f"The token belongs to the project {found}, not to {project}. Use a token of {project}."
        )
