"""Token and cost caps, and requests per minute: what a gate lets through."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any

import pytest
from django.conf import settings

from evalhub.access.models import Project, User
from evalhub.kit.clock import in_seconds
from runs_app import targets
from runs_app.engine import pace as pacing
from runs_app.engine import stay
from runs_app.engine.budget import Answer, reserve, settle
from runs_app.engine.database import DatabaseThread
from runs_app.engine.pace import Pace, Rates, rates_of
from runs_app.engine.stay import work
from runs_app.models import Connection, Result, Run, Stay
from runs_app.targets import ItemCall
from runs_app.targets.base import Estimate, PlainTarget
from runs_app.targets.trace import Trace
from tests.runs_app.engine_help import StartRun, starter, worker

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def start(project: Project, owner: User) -> StartRun:
    return starter(project, owner)


class Metered(PlainTarget):
    """Uses 60 of the 100 tokens, and 6 of the 10 cents, that it announces."""

    priced = True
    cooperative = True

    def __init__(self) -> None:
        self.calls = 0

    def estimate(self, item: ItemCall) -> Estimate:
        return Estimate(tokens=100, cost_usd=0.10)

    async def call(self, item: ItemCall, trace: Trace) -> str:
        self.calls += 1
        await asyncio.sleep(0.01)
        trace.use(50, 10, 0.06)
        return '"x"'


@pytest.fixture
def metered(monkeypatch: pytest.MonkeyPatch) -> Metered:
    target = Metered()
    monkeypatch.setattr(targets, "build", lambda *_: target)
    return target


def cap(run: Run, **caps: Any) -> Run:
    Run.objects.filter(pk=run.pk).update(**caps)
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_token_cap_stops_the_run_before_the_call_that_would_pass_it(
    start: StartRun, metered: Metered, concurrency: int
) -> None:
    run = cap(start(["x"] * 50, concurrency=concurrency, scorers=[]), max_tokens=1000)
    work(run.pk)
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert run.reason.startswith("The token cap: ")
    # 16 calls have used 960; a further one may use 100. The 15th may begin at 840 + 100.
    assert metered.calls == 16 or (metered.calls == 15 and run.used_tokens == 900 + 60)
    assert run.used_tokens == metered.calls * 60 <= 1000
    assert run.held_tokens == 0
    assert Result.objects.filter(run=run).count() == metered.calls


def test_a_cost_cap_says_what_was_spent(start: StartRun, metered: Metered) -> None:
    run = cap(start(["x"] * 50, concurrency=4, scorers=[]), max_cost_usd=0.5)
    work(run.pk)
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert run.reason.startswith("The cost cap: $0.4")
    assert run.used_cost_usd <= 0.5
    assert run.used_cost_usd == pytest.approx(0.06 * metered.calls)


def test_a_cap_that_is_never_met_changes_nothing(start: StartRun, metered: Metered) -> None:
    run = cap(start(["x"] * 20, concurrency=4, scorers=[]), max_tokens=100_000)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.used_tokens, run.held_tokens) == ("completed", 1200, 0)


def test_room_that_calls_in_flight_may_leave_is_waited_for(start: StartRun) -> None:
    run = cap(start(["x"]), max_tokens=150)
    Stay.objects.create(run=run, owner="other", lease_until=in_seconds(60))
    one = Estimate(tokens=100)
    assert reserve(run.pk, "me", one, alone=True)[0] is Answer.GRANTED
    assert reserve(run.pk, "me", one, alone=False)[0] is Answer.WAIT
    settle(run.pk, one, tokens=40, cost_usd=0)
    assert reserve(run.pk, "me", one, alone=True)[0] is Answer.GRANTED
    settle(run.pk, one, tokens=40, cost_usd=0)
    assert reserve(run.pk, "me", one, alone=True)[0] is Answer.CAPPED


def test_what_a_dead_worker_held_counts_as_spent_and_nobody_waits_for_it(start: StartRun) -> None:
    run = cap(start(["x"]), max_tokens=150)
    one = Estimate(tokens=100)
    assert reserve(run.pk, "dead", one, alone=True)[0] is Answer.GRANTED
    Stay.objects.create(run=run, owner="dead", lease_until=in_seconds(-1))
    answer, text = reserve(run.pk, "me", one, alone=True)
    assert answer is Answer.CAPPED
    assert "100 of 150 tokens are used" in text


@pytest.mark.timeout(20)
def test_workers_do_not_wait_for_each_other_over_what_a_dead_one_held(
    start: StartRun, metered: Metered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sees the other alive, but after a call's time limit neither can have one in flight."""
    monkeypatch.setattr(stay, "SETTLED_SECONDS", 0.5)
    run = start(["x"] * 600, concurrency=4, scorers=[], timeout_s=1)
    run = cap(run, max_tokens=1000, held_tokens=300)
    threads = [worker(run) for _ in range(2)]
    for thread in threads:
        thread.join(10)
    run.refresh_from_db()
    assert (run.status, run.reason[:14]) == ("cancelled", "The token cap:")
    assert run.used_tokens + 300 <= 1000
    assert run.used_tokens == metered.calls * 60 >= 480


@pytest.fixture
def connection(project: Project, owner: User) -> Connection:
    return Connection.objects.create(
        project=project, slug="models", name="Models", base_url="http://127.0.0.1:1/v1"
    )


def turns(rates: Rates, sizes: list[int], stays: int = 1) -> list[float]:
    """When each of the turns came, in seconds from the beginning, in order."""

    async def stay(times: list[float], began: float) -> None:
        database = DatabaseThread()
        pace = Pace(rates, database)

        async def one(size: int) -> None:
            await pace.turn(size)
            times.append(time.monotonic() - began)

        await asyncio.gather(*(one(size) for size in sizes))
        pace.close()
        await database.close()

    async def all_of_them() -> list[float]:
        times: list[float] = []
        began = time.monotonic()
        await asyncio.gather(*(stay(times, began) for _ in range(stays)))
        return sorted(times)

    return asyncio.run(all_of_them())


def test_requests_per_minute_are_shared_by_all_stays(connection: Connection) -> None:
    times = turns(Rates(connection.pk, 1200, None), [0] * 15, stays=2)
    assert len(times) == 30
    assert 1.3 <= times[-1] <= 2.2, "30 requests at 20 a second"
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps) < 0.6


def test_tokens_per_minute_hold_as_well(connection: Connection) -> None:
    times = turns(Rates(connection.pk, None, 60_000), [100] * 10)
    assert 0.8 <= times[-1] <= 1.6, "1,000 tokens at 1,000 a second, the first at once"


def test_tokens_used_beyond_what_was_announced_delay_the_next(connection: Connection) -> None:
    take = pacing.take_in_database if settings.EMBEDDED else pacing.take_in_redis
    assert take(connection.pk, 0.0, 0.001, 1, 100) == pytest.approx(0, abs=0.05)
    assert take(connection.pk, 0.0, 0.001, 1, 100 + 900) == pytest.approx(0.1, abs=0.08)
    assert take(connection.pk, 0.0, 0.001, 1, 100) == pytest.approx(1.1, abs=0.15)


def test_without_redis_the_database_keeps_the_pace(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
    pacing._script.cache_clear()
    try:
        assert pacing.take_in_redis(connection.pk, 0.5, 0.0, 1, 0) == pytest.approx(0, abs=0.05)
        assert pacing.take_in_redis(connection.pk, 0.5, 0.0, 1, 0) == pytest.approx(0.5, abs=0.1)
    finally:
        pacing._script.cache_clear()


def test_a_connection_without_limits_has_no_pace(connection: Connection) -> None:
    assert rates_of(connection.pk) is None
    assert rates_of(None) is None
    Connection.objects.filter(pk=connection.pk).update(requests_per_minute=60)
    assert rates_of(connection.pk) == Rates(connection.pk, 60, None)


def test_a_failing_pace_is_told_to_those_who_wait(connection: Connection) -> None:
    async def fail() -> str:
        database = DatabaseThread()
        pace = Pace(Rates(10**9, 60, None), database)  # a connection that is gone
        try:
            await asyncio.wait_for(pace.turn(0), 5)
        except Exception as error:  # noqa: BLE001 (its name is what counts)
            return type(error).__name__
        finally:
            pace.close()
            await database.close()
        return "no error"

    if not settings.EMBEDDED:
        pytest.skip("Redis knows no foreign keys")
    assert asyncio.run(fail()) == "IntegrityError"
