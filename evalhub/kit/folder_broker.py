"""The embedded broker: each message is a file in one folder.

kombu's own filesystem transport reads files that are still being written, and its worker dies of an
empty one. Here a message gets its name once it is whole, and what is no message is thrown away:
messages are wake-ups (see dispatch.py), so one that is lost costs a sweep. Only one process needs
to read what another sent; there is no remote control, and so no routing table on disk.
"""

from __future__ import annotations

import json
import logging
import os
import time
import uuid
from functools import cached_property
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import virtual

log = logging.getLogger(__name__)

STALE_SECONDS = 120  # longer than any message is worth anything (dispatch.EXPIRES_SECONDS)


class Channel(virtual.Channel):
    """Puts and gets messages; several processes may do so at once."""

    supports_fanout = False

    @cached_property
    def folder(self) -> Path:
        return Path(self.connection.client.transport_options["folder"])

    def _put(self, queue: str, message: dict[str, Any], **_: object) -> None:
        """Raises OSError when nothing can be written to the folder."""
        self._drop_stale()
        name = f"{time.time_ns()}_{uuid.uuid4().hex}"
        partial = self.folder / f"{name}.partial"
        try:
            partial.write_text(json.dumps(message), encoding="utf-8")
            partial.rename(self.folder / f"{name}.{queue}.msg")
        except OSError:
            partial.unlink(missing_ok=True)
            raise

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        for path in self._messages(queue):
            try:
                content = path.read_bytes()
                path.unlink()  # whoever removes it has it
            except FileNotFoundError:
                continue
            try:
                message = json.loads(content)
            except ValueError as error:
                log.warning("Threw away the message %s: %s.", path.name, error)
                continue
            if isinstance(message, dict):
                return message
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._messages(queue))

    def _purge(self, queue: str) -> int:
        found = self._messages(queue)
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    def _messages(self, queue: str) -> list[Path]:
        """The files of a queue, oldest first."""
        end = f".{queue}.msg"
        return sorted(path for path in self.folder.iterdir() if path.name.endswith(end))

    def _drop_stale(self) -> None:
        """Remove what nobody read, and what a sender that was killed left behind."""
        oldest = time.time() - STALE_SECONDS
        with os.scandir(self.folder) as entries:
            for entry in entries:
                try:
                    if entry.is_file() and entry.stat().st_mtime < oldest:
                        os.unlink(entry)
                except FileNotFoundError:
                    continue


class Transport(virtual.Transport):
    """Names the folder in `broker_transport_options`."""

    Channel = Channel
    driver_type = driver_name = "folder"

    def driver_version(self) -> str:
        return "1"
