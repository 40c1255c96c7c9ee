"""What chat and http targets share: the guarded way out, opened at the first call, and the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from evalhub.kit.errors import Invalid
from evalhub.kit.outgoing import OutgoingError
from runs_app.targets.base import TargetFailure
from runs_app.targets.replies import MIN_SECRET_IN_OUTPUT, mask, mask_body

if TYPE_CHECKING:
    from evalhub.kit.outgoing import Answer, Outgoing
    from runs_app.connections import Reach

MAX_CAPTURED: Final = 16_000  # characters of a captured body


class Caller:
    """Sends the calls of one target. `key` is the connection's, None without one."""

    def __init__(self, reach: Reach | None, outgoing: Outgoing | None) -> None:
        """Raises Invalid when the key cannot stand in a header."""
        self.key = reach.key if reach is not None else None
        if self.key is not None and not (self.key.isascii() and self.key.isprintable()):
            name = reach.name if reach is not None else ""
            raise Invalid(
                f"The key of the connection {name} holds a line break or another character that "
                "cannot be sent. Enter it again."
            )
        self._outgoing = outgoing
        self._own: Outgoing | None = None
        long = self.key is not None and len(self.key) >= MIN_SECRET_IN_OUTPUT
        self._secret = self.key if long else None

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        """The answer, whatever its status. Raises TargetFailure when none came."""
        outgoing = self._outgoing or self._open()
        try:
            return await outgoing.request(method, url, headers=headers, body=body)
        except OutgoingError as error:
            raise TargetFailure(
                error.type, mask(error.message, self.key), transient=error.transient
            ) from error

    async def close(self) -> None:
        """Close what was opened here; a way out that was handed in is its owner's."""
        if self._own is not None:
            await self._own.close()
            self._own = self._outgoing = None

    def kept(self, output: str) -> str:
        """An output as it is stored: without the key, should the server have echoed it."""
        if self._secret is not None and self._secret in output:
            return mask(output, self._secret)
        return output

    def request_shown(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> dict[str, Any]:
        """A request for a span: the key masked, the body cut."""
        return {
            "method": method,
            "url": mask(url, self.key),
            "headers": {name: mask(value, self.key) for name, value in headers.items()},
            "body": self.body_shown(body or b""),
        }

    def body_shown(self, body: bytes) -> str:
        """A body for a span: text without the key, cut."""
        text = mask_body(body, self.key)[: 4 * MAX_CAPTURED].decode("utf-8", "replace")
        if len(text) <= MAX_CAPTURED:
            return text
        return f"{text[:MAX_CAPTURED]}… ({len(body):,} bytes in all)"

    def _open(self) -> Outgoing:
        # Imported and made here: the web builds no way out, and it belongs to the running loop.
        from evalhub.kit.outgoing import Outgoing

        self._own = self._outgoing = Outgoing()
        return self._own
