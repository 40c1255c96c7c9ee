"""Requests and tokens per minute of a connection, over all workers and runs.

A turn is a place in time. The shared part is two clocks per connection (when the next request, and
the next token, may go out; the generic cell rate algorithm without bursts), kept in Redis, or in
the database where there is none. A stay asks for the turns of all its waiting calls at once.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from evalhub.kit.clock import db_now
from runs_app.engine.database import DatabaseThread
from runs_app.models import Connection, RatePace

log = logging.getLogger(__name__)
MINUTE = 60.0
AHEAD_S = 1.0  # how far ahead turns are taken: not more than a stay uses up soon


@dataclass(frozen=True, slots=True)
class Rates:
    """Limits of a connection per minute; None: no such limit."""

    connection_id: int
    requests: int | None
    tokens: int | None


def rates_of(connection_id: int | None) -> Rates | None:
    """The limits of a connection; None when it has none."""
    if connection_id is None:
        return None
    found = Connection.objects.filter(pk=connection_id)
    limits = found.values_list("requests_per_minute", "tokens_per_minute").first()
    if limits is None or limits == (None, None):
        return None
    return Rates(connection_id, *limits)


class Pace:
    """The turns of one stay on one connection."""

    def __init__(self, rates: Rates, database: DatabaseThread) -> None:
        self._rates = rates
        self._database = database
        self._per_request = MINUTE / rates.requests if rates.requests else 0.0
        self._per_token = MINUTE / rates.tokens if rates.tokens else 0.0
        self._waiting: list[tuple[asyncio.Future[None], int]] = []
        self._correction = 0
        self._wake = asyncio.Event()
        self._dealer: asyncio.Task[None] | None = None

    async def turn(self, tokens: int) -> None:
        """Wait for the turn of one request with about so many tokens."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, tokens))
        self._wake.set()
        if self._dealer is None:
            self._dealer = asyncio.create_task(self._deal())
        await turn

    def correct(self, tokens: int) -> None:
        """So many tokens more than announced were used (negative: fewer)."""
        self._correction += tokens

    def close(self) -> None:
        if self._dealer is not None:
            self._dealer.cancel()

    async def _deal(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._waiting = [each for each in self._waiting if not each[0].done()]
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            batch = self._next_batch()
            tokens = sum(each[1] for each in batch)
            correction, self._correction = self._correction, 0
            try:
                wait = await self._database(
                    take_in_database if settings.EMBEDDED else take_in_redis,
                    self._rates.connection_id,
                    self._per_request,
                    self._per_token,
                    len(batch),
                    tokens + correction,
                )
            except Exception as error:  # noqa: BLE001 (those who wait must learn of it)
                for turn, _ in batch:
                    if not turn.done():
                        turn.set_exception(error)
                continue
            at = loop.time() + wait
            for turn, size in batch:
                loop.call_at(at, _give, turn)
                at += max(self._per_request, self._per_token * size)
            await asyncio.sleep(max(0.0, at - loop.time() - AHEAD_S))

    def _next_batch(self) -> list[tuple[asyncio.Future[None], int]]:
        """Those whose turns fit into the time ahead; one at least."""
        batch: list[tuple[asyncio.Future[None], int]] = []
        span = 0.0
        while self._waiting and (span < AHEAD_S or not batch):
            turn, tokens = self._waiting.pop(0)
            batch.append((turn, tokens))
            span += max(self._per_request, self._per_token * tokens)
        return batch


def _give(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


def take_in_database(
    connection_id: int, per_request: float, per_token: float, requests: int, tokens: float
) -> float:
    """Move both clocks on; the seconds from now at which the first of the turns begins."""
    with transaction.atomic():
        pace, _ = RatePace.objects.select_for_update().get_or_create(connection_id=connection_id)
        now = db_now().timestamp()
        start = max(now, pace.requests_at, pace.tokens_at)
        pace.requests_at = max(now, pace.requests_at) + requests * per_request
        pace.tokens_at = max(now, pace.tokens_at) + tokens * per_token
        pace.save(update_fields=["requests_at", "tokens_at"])
    return start - now


_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local requests = math.max(now, tonumber(redis.call('HGET', KEYS[1], 'requests') or '0'))
local tokens = math.max(now, tonumber(redis.call('HGET', KEYS[1], 'tokens') or '0'))
local wait = math.max(requests, tokens) - now
redis.call('HSET', KEYS[1], 'requests', string.format('%.6f', requests + ARGV[1]),
           'tokens', string.format('%.6f', tokens + ARGV[2]))
redis.call('EXPIRE', KEYS[1], 3600)
return string.format('%.6f', wait)
"""


def take_in_redis(
    connection_id: int, per_request: float, per_token: float, requests: int, tokens: float
) -> float:
    """The same, in Redis; in the database while Redis is away."""
    import redis  # only here: embedded workers have no use for it

    key = f"evalhub:pace:{connection_id}"
    moves = [requests * per_request, tokens * per_token]
    try:
        return float(_script()(keys=[key], args=moves))
    except redis.RedisError as error:
        log.warning("Redis keeps no pace, the database does: %s", error)
        return take_in_database(connection_id, per_request, per_token, requests, tokens)


@functools.cache
def _script() -> Callable[..., Any]:
    import redis

    server = redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=10)
    return server.register_script(_SCRIPT)
