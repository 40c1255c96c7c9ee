"""Which addresses calls may go to: public ones, and what an administrator has listed. Pure."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")

# What is not for the public, with its name. `is_global` is asked as well, but it lets some of these
# through, and what it knows differs between versions of Python.
_SPECIAL: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(network), name)
    for network, name in (
        ("127.0.0.0/8", "this machine (loopback)"),
        ("::1/128", "this machine (loopback)"),
        ("0.0.0.0/8", "unspecified"),
        ("::/128", "unspecified"),
        ("169.254.0.0/16", "link-local, where clouds keep their metadata"),
        ("fe80::/10", "link-local"),
        ("168.63.129.16/32", "a service inside a cloud"),
        ("10.0.0.0/8", "private"),
        ("172.16.0.0/12", "private"),
        ("192.168.0.0/16", "private"),
        ("fc00::/7", "private"),
        ("fec0::/10", "private"),
        ("100.64.0.0/10", "shared inside a provider's network"),
        ("192.0.0.0/24", "reserved"),
        ("192.88.99.0/24", "a relay to other networks"),
        ("198.18.0.0/15", "reserved"),
        ("224.0.0.0/4", "multicast"),
        ("ff00::/8", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("64:ff9b::/96", "a translation to other addresses"),
        ("64:ff9b:1::/48", "a translation to other addresses"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "reserved"),
        ("2002::/16", "a tunnel to other addresses"),
        ("3fff::/20", "reserved"),
    )
)
_PUBLIC_V6 = IPv6Network("2000::/3")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an administrator lets calls go to besides public addresses."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()


def parse_allowed(entries: Iterable[str]) -> Allowed:
    """The list as written: networks, addresses, host names. Raises ValueError about a wrong one."""
    networks: list[Network] = []
    hosts: set[str] = set()
    for entry in filter(None, (one.strip() for one in entries)):
        try:
            networks.append(ipaddress.ip_network(entry))
            continue
        except ValueError as error:
            name = entry.lower().rstrip(".")
            if "/" in entry or ":" in entry or literal(name) or not _HOST_NAME.fullmatch(name):
                raise ValueError(
                    f"“{entry}” is neither a network (10.1.0.0/16), an address (10.1.2.3) nor a "
                    f"host name (models.internal): {error}."
                ) from error
        hosts.add(name)
    return Allowed(tuple(networks), frozenset(hosts))


def literal(host: str) -> Address | None:
    """The address that `host` spells, in any way that an operating system understands.

    None when it is a name. `2130706433`, `0x7f.1` and `0177.0.0.1` are all 127.0.0.1.
    """
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host.rstrip(".")))
    except (OSError, ValueError):
        return None


def refusal(address: Address, host: str, allowed: Allowed) -> str | None:
    """Why no call may go to `address`, which is where `host` leads. None when it may."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    name = _special(address)
    if name is None or host.lower().rstrip(".") in allowed.hosts:
        return None
    if any(address in network for network in allowed.networks):
        return None
    where = str(address) if literal(host) else f"{address} (the address of {host})"
    return (
        f"{where} is not a public address: it is {name}. To let targets call it, ask the "
        "administrator to list it in EVALHUB_ALLOWED_ADDRESSES."
    )


def _special(address: Address) -> str | None:
    """What an address is that is not for the public; None for a public one."""
    for network, name in _SPECIAL:
        if address in network:
            return name
    if isinstance(address, IPv6Address) and address not in _PUBLIC_V6:
        return "reserved"
    if not address.is_global or address.is_multicast or address.is_reserved:
        return "reserved"
    return None
