"""What a URL must be like to be called. Pure; looks nothing up."""

from __future__ import annotations

from yarl import URL

from evalhub.kit.outgoing.addresses import literal
from evalhub.kit.outgoing.errors import OutgoingError


def parse_url(url: str) -> URL:
    """An http or https URL without credentials. Raises OutgoingError `bad_url`."""
    try:
        target = URL(url)
        port = target.port
    except (ValueError, TypeError) as error:
        raise OutgoingError("bad_url", f"The address cannot be read: {error}.") from error
    host = target.raw_host
    if target.scheme not in ("http", "https") or not host or not port:
        raise OutgoingError(
            "bad_url", "The address must start with http:// or https:// and a host."
        )
    if target.raw_user is not None or target.raw_password is not None:
        raise OutgoingError(
            "bad_url", "The address holds a user name or password. Put the key into a connection."
        )
    address = literal(host)
    if address is not None and ":" not in host and str(address) != host:
        raise OutgoingError("bad_url", f"Write the address {host} in full: {address}.")
    return target


def same_origin(one: str, other: str) -> bool:
    """Whether both lead to one server: scheme, host and port are the same.

    What is meant for one origin, such as a key, must not go to another. Raises OutgoingError.
    """
    first, second = (
        (url.scheme, (url.raw_host or "").rstrip("."), url.port)
        for url in (parse_url(one), parse_url(other))
    )
    return first == second
