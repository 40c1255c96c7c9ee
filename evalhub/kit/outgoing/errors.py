"""What can go wrong on the way out, in words for whoever set up the target. Pure."""

from __future__ import annotations


class OutgoingError(Exception):
    """A call that brought no answer.

    `type` is one short stable word: refused_address, bad_url, bad_request, dns, connect, tls,
    connection_lost, redirect, too_large, bad_encoding or bad_response. `transient`: another try may
    help.
    """

    def __init__(self, type: str, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.type = type
        self.message = message
        self.transient = transient
