"""Turns host names into addresses that calls may go to."""

from __future__ import annotations

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from evalhub.kit.outgoing.addresses import Allowed, refusal
from evalhub.kit.outgoing.errors import OutgoingError


class CheckedResolver(AbstractResolver):
    """Asks once, checks every address, and hands out exactly those that it checked.

    The connector connects to what it gets here and asks nobody again, so a name that answers
    differently the second time ("rebinding") gains nothing.
    """

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._lookup = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        try:
            found = await self._lookup.resolve(host, port, family)
        except (OSError, UnicodeError) as error:  # the latter: no name can be like this
            raise _not_found(host, error) from error
        for result in found:
            reason = refusal(ipaddress.ip_address(result["host"]), host, self._allowed)
            if reason:
                raise OutgoingError("refused_address", reason)
        if not found:
            raise OutgoingError("dns", f"The host name {host} has no address.")
        return found

    async def close(self) -> None:
        await self._lookup.close()


def _not_found(host: str, error: Exception) -> OutgoingError:
    if isinstance(error, OSError) and error.errno == socket.EAI_AGAIN:
        return OutgoingError(
            "dns", f"The name server does not answer about {host} right now.", transient=True
        )
    return OutgoingError(
        "dns", f"There is no host named {host[:100]}. Check the address for a typo."
    )
