"""Turns host names into addresses that calls may go to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time

from aiohappyeyeballs import AddrInfoType

from evalhub.kit.outgoing.addresses import Allowed, literal, refusal
from evalhub.kit.outgoing.errors import OutgoingError

KEPT_SECONDS = 30.0


class CheckedResolver:
    """Asks once, checks every address, and hands out exactly those that it checked.

    Connections go to what comes from here and nobody is asked again, so a name that answers
    differently the second time ("rebinding") gains nothing.
    """

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._known: dict[tuple[str, int], tuple[float, list[AddrInfoType]]] = {}

    async def resolve(self, host: str, port: int) -> list[AddrInfoType]:
        """Where to connect to, in the order of preference. Raises OutgoingError."""
        until, found = self._known.get((host, port), (0.0, []))
        if time.monotonic() < until:
            return found
        try:
            answers = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
            )
        except (OSError, UnicodeError) as error:  # the latter: no name can be like this
            raise _not_found(host, error) from error
        found = list(answers)
        for *_, place in found:
            self.check(str(place[0]), host)
        if not found:
            raise OutgoingError("dns", f"The host name {host} has no address.")
        if literal(host) is None:
            self._known[host, port] = (time.monotonic() + KEPT_SECONDS, found)
        return found

    def check(self, address: str, host: str) -> None:
        """Raises OutgoingError when calls may not go to `address`, which `host` led to."""
        reason = refusal(ipaddress.ip_address(address), host, self._allowed)
        if reason:
            raise OutgoingError("refused_address", reason)


def _not_found(host: str, error: Exception) -> OutgoingError:
    if isinstance(error, OSError) and error.errno == socket.EAI_AGAIN:
        return OutgoingError(
            "dns", f"The name server does not answer about {host} right now.", transient=True
        )
    return OutgoingError(
        "dns", f"There is no host named {host[:100]}. Check the address for a typo."
    )
