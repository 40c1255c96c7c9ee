"""Calls other machines: guarded, bounded, and with errors that say what to do."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.payload import BytesPayload
from django.conf import settings
from yarl import URL

from evalhub.kit.outgoing.addresses import literal, parse_allowed, refusal
from evalhub.kit.outgoing.decoding import decoder_for
from evalhub.kit.outgoing.errors import OutgoingError
from evalhub.kit.outgoing.resolver import CheckedResolver
from evalhub.kit.outgoing.urls import parse_url

LIMIT_BYTES = 8_000_000
_HEADERS = {"User-Agent": "evalhub", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "expect"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NO_CLOCK = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)
_URLS_KEPT = 1_000
_PLAIN_BODY = 1_000_000  # aiohttp warns about larger bodies that are bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: headers by name in any case, the body unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Outgoing:
    """A set of connections to the outside. Made and used inside one running event loop.

    It has no clock: the caller cancels a call that takes too long, which closes its connection.
    """

    def __init__(self, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._allowed = parse_allowed(settings.ALLOWED_ADDRESSES)
        self._urls: dict[str, URL] = {}
        self._sound: Mapping[str, str] | None = None
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, resolver=CheckedResolver(self._allowed), ttl_dns_cache=30
            ),
            headers=_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=_NO_CLOCK,
            auto_decompress=False,
            trust_env=False,
        )

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """The answer, whatever its status, but for redirects. Raises OutgoingError."""
        target = self._urls.get(url) or self._checked(url)
        if headers is not self._sound:  # a target sends the same ones with every call
            _check_headers(headers)
            self._sound = headers
        data: Any = None
        if body is not None:
            # Not the bytes themselves: aiohttp would look up what kind of payload they are.
            data = BytesPayload(body) if len(body) <= _PLAIN_BODY else io.BytesIO(body)
        try:
            response = await self._session.request(
                method, target, headers=headers, data=data, allow_redirects=False
            )
            try:
                return await self._answer(response, target)
            except BaseException:
                response.close()  # also when the call was cancelled: nobody will read the rest
                raise
        except OutgoingError:
            raise
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _explained(error, target) from error

    async def close(self) -> None:
        await self._session.close()

    def _checked(self, url: str) -> URL:
        target = parse_url(url)
        host = target.raw_host or ""
        address = literal(host)
        if address is not None:  # the connector asks the resolver about names only
            reason = refusal(address, host, self._allowed)
            if reason:
                raise OutgoingError("refused_address", reason)
        if len(self._urls) >= _URLS_KEPT:
            self._urls.clear()
        self._urls[url] = target
        return target

    async def _answer(self, response: aiohttp.ClientResponse, url: URL) -> Answer:
        headers = response.headers
        if response.status in _REDIRECTS and "location" in headers:
            raise _redirected(response.status, headers["location"], url)
        encoding = headers.get("content-encoding")
        if encoding:
            body = await self._decoded(response, encoding)
        else:
            body = await self._plain(response)
        response.release()
        return Answer(response.status, headers, body)

    async def _plain(self, response: aiohttp.ClientResponse) -> bytes:
        if (response.content_length or 0) > self._limit:
            raise self._too_large()
        content = response.content
        first = await content.readany()
        if content.at_eof() and len(first) <= self._limit:
            return first  # most answers arrive in one piece
        chunks, size = [first], len(first)
        while size <= self._limit and not content.at_eof():
            chunks.append(await content.readany())
            size += len(chunks[-1])
        if size > self._limit:
            chunks.clear()  # whoever keeps the error keeps this frame
            raise self._too_large()
        return b"".join(chunks)

    async def _decoded(self, response: aiohttp.ClientResponse, encoding: str) -> bytes:
        decoder = decoder_for(encoding)
        if decoder is None:
            return await self._plain(response)
        content = response.content
        decoded = bytearray()
        while not content.at_eof():
            decoded += decoder.feed(await content.readany(), self._limit - len(decoded))
            if len(decoded) > self._limit:
                decoded.clear()  # whoever keeps the error keeps this frame
                raise self._too_large()
        decoder.end()
        return bytes(decoded)

    def _too_large(self) -> OutgoingError:
        return OutgoingError(
            "too_large",
            f"The answer is larger than {self._limit / 1_000_000:g} MB, the most that is kept. "
            "Let the target return less.",
        )


def _check_headers(headers: Mapping[str, str]) -> None:
    for name in headers:
        if name.lower() in _OURS:
            raise OutgoingError(
                "bad_request",
                f"The header {name} is set by the connection itself. Leave it out.",
            )


def _redirected(status: int, location: str, url: URL) -> OutgoingError:
    try:
        aim = url.join(URL(location)).with_query(None).with_fragment(None).with_user(None)
        where = str(aim)[:300]
    except ValueError:
        where = "an address that cannot be read"
    return OutgoingError(
        "redirect",
        f"The target redirects to {where} (status {status}), and redirects are not followed. "
        "Use that address if it is the right one.",
    )


def _explained(error: Exception, url: URL) -> OutgoingError:
    """The error in words. They name host and port only: a path or query may hold what is secret."""
    at = f"{url.host}:{url.port}"
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            reason = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
            return OutgoingError("tls", f"No secure connection to {at}: {reason}.")
        case aiohttp.ClientConnectorError():
            return OutgoingError(
                "connect", f"No connection to {at}: {_reason(error.os_error)}.", transient=True
            )
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return OutgoingError("bad_url", f"The address of {at} cannot be called.")
        case aiohttp.ClientResponseError():
            return OutgoingError("bad_response", f"{at} does not answer in HTTP: {error.message}.")
        case aiohttp.ClientError() | OSError():
            return OutgoingError(
                "connection_lost",
                f"The connection to {at} was lost before the whole answer was here.",
                transient=True,
            )
    return OutgoingError("bad_request", f"The request cannot be sent: {error}.")


def _reason(error: OSError) -> str:
    if error.errno == errno.ECONNREFUSED:
        return "nothing listens there"
    return os.strerror(error.errno).lower() if error.errno else str(error)
