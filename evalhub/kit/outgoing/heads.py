"""The head of a request, as it goes over the line. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from yarl import URL

from evalhub.kit.outgoing.errors import OutgoingError

_DEFAULTS = {"user-agent": "evalhub", "accept": "*/*", "accept-encoding": "gzip, deflate"}
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "expect"})
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSAFE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def request_head(method: str, url: URL, headers: Mapping[str, str]) -> bytes:
    """Everything up to Content-Length. Raises OutgoingError `bad_request` for what cannot stand in
    a head, above all line breaks, with which one request could carry another.
    """
    if not _TOKEN.fullmatch(method):
        raise OutgoingError("bad_request", f"“{method[:40]}” is no HTTP method.")
    lines = [f"{method} {url.raw_path_qs or '/'} HTTP/1.1", f"Host: {_host(url)}"]
    given = {name.lower() for name in headers}
    lines += [f"{name}: {value}" for name, value in _DEFAULTS.items() if name not in given]
    for name, value in headers.items():
        if name.lower() in _OURS:
            raise OutgoingError(
                "bad_request",
                f"The header {name} is set by the connection itself. Leave it out.",
            )
        if not _TOKEN.fullmatch(name):
            raise OutgoingError("bad_request", f"“{name[:40]!a}” is no name of a header.")
        if _UNSAFE.search(value):
            raise OutgoingError(
                "bad_request",
                f"The value of the header {name} holds a line break or another control character.",
            )
        lines.append(f"{name}: {value.strip()}")
    return ("\r\n".join(lines) + "\r\n").encode("utf-8", "surrogateescape")


def _host(url: URL) -> str:
    host = url.raw_host or ""
    host = f"[{host}]" if ":" in host else host
    return host if url.is_default_port() else f"{host}:{url.port}"
