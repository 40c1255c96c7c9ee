"""A provider that does everything wrong: a typed error of its item, in its deadline, in flat memory.

A real chat target against tests/servers/provider.py, which answers as the item asks it to.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.faults.echo import echo
from tests.faults.installation import Installation, wait_for
from tests.faults.invariants import check, until_over
from tests.faults.length import long_form, pick, short_on_sqlite
from tests.servers.http_loop import Connection, Request
from tests.servers.mischief import BY_NAME, _bomb
from tests.servers.provider import Provider

pytestmark = [pytest.mark.db, pytest.mark.slow]
TIMEOUT_S, DEADLINE_S = 1.5, 8.0
SEATS = 8
MEMORY_MB = 160  # more than when idle, while bodies of 1 GB pour in

# What the provider does -> the type of error that its item ends as.
ENDS_AS = {
    "stall": "timeout",
    "drip": "timeout",
    "reset": "connection_lost",
    "reset_halfway": "connection_lost",
    "429": "rate_limited",
    "500": "server_error",
    "401": "unauthorized",
    "html": "not_json",
    "wrong_type": "not_json",
    "truncated": "bad_json",
    "binary": "bad_json",
    "huge": "too_large",
    "huge_chunked": "too_large",
    "gzip_bomb": "too_large",
    "redirect_loop": "redirect",
}


class AsAsked(Provider):
    """Does what the last message asks for, `{"n": 3, "do": "stall"}`; else says its echo hash.

    Counts calls by `n`, and the tokens that all of them cost.
    """

    def __init__(self) -> None:
        super().__init__(_echo_hash, keep_requests=False)
        self.by_item: Counter[int] = Counter()
        self.tokens = 0
        self.latency_s = 0.01

    def until_called(self, times: int) -> None:
        """Wait until there have been so many calls."""
        wait_for(lambda: self.count >= times, 40, f"{times} calls at the server")

    def _handle(self, request: Request, connection: Connection) -> None:
        asked = orjson.loads(request.body)
        item = _item(asked)
        self.by_item[item["n"]] += 1
        self.count += 1
        if "do" in item:
            BY_NAME[item["do"]](request, connection)
            return
        self.tokens += len(request.body) // 4 + len(_echo_hash(asked)) // 4 + 1
        self._in_flight += 1
        asyncio.get_running_loop().call_later(self.latency_s, self._reply, request, connection)


def _item(asked: dict[str, Any]) -> Any:
    return orjson.loads(asked["messages"][-1]["content"])


def _echo_hash(asked: dict[str, Any]) -> str:
    return orjson.dumps({"echo": echo(_item(asked))}).decode()


@pytest.fixture
def provider() -> Iterator[AsAsked]:
    _bomb()  # takes seconds to make, once
    with AsAsked() as made:
        assert isinstance(made, AsAsked)
        yield made


def _target(installation: Installation, provider: AsAsked, **limits: Any) -> str:
    """A chat target that sends the item's input as text; its reference."""
    connection = installation.ask(
        "connect", name="Loopback", base_url=provider.url + "/v1", **limits
    )
    config = {
        "connection": connection,
        "model": "echo",
        "parameters": {"max_tokens": 50},
        "response": {"format": "json"},
    }
    return str(installation.ask("save_target", name="Chat", transport="chat", config=config))


@short_on_sqlite
@pytest.mark.timeout(120)
def test_whatever_a_provider_does_wrong_is_a_typed_error_in_its_deadline_and_flat_memory(
    installation: Installation, provider: AsAsked, chance: random.Random
) -> None:
    target = _target(installation, provider)
    inputs: list[Any] = [{"n": n} for n in range(150)]
    for each, do in zip(chance.sample(inputs, len(ENDS_AS)), ENDS_AS, strict=True):
        each["do"] = do
    worker = installation.start_ready_worker()
    warm = installation.ask("start", inputs=[{"n": 1000 + n} for n in range(20)], target=target)
    until_over(installation, warm, 20)
    idle = _memory_mb(worker.pid)
    run = installation.ask(
        "start",
        inputs=inputs,
        target=target,
        timeout_s=TIMEOUT_S,
        deadline_s=DEADLINE_S,
        retries=2,
        concurrency=SEATS,
    )
    most, stop = [idle], threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            most.append(_memory_mb(worker.pid))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        until_over(installation, run, 60)
    finally:
        stop.set()
        watching.join()
    assert worker.poll() is None
    found = {n: (kind, text) for n, kind, text in installation.ask("errors", run=run)}
    wrong = {
        each["do"]: found.get(each["n"] + 1)
        for each in inputs
        if "do" in each and found.get(each["n"] + 1, ("", ""))[0] != ENDS_AS[each["do"]]
    }
    assert wrong == {}
    assert all(len(text) > 15 for _, text in found.values()), "words that a user can act on"
    late = [row for row in installation.ask("times", run=run) if row[1] > DEADLINE_S + 2]
    assert late == []
    assert max(most) < idle + MEMORY_MB, f"{idle:.0f} MB idle, {max(most):.0f} MB at most"
    check(installation, run, errors=len(ENDS_AS))


@long_form
@pytest.mark.timeout(120)
def test_calls_at_the_server_are_repeated_only_as_far_as_deaths_explain(
    installation: Installation, provider: AsAsked, chance: random.Random
) -> None:
    """I6, counted by the server itself."""
    items, kills = 600, 2
    target = _target(installation, provider)
    provider.latency_s = 0.03
    run = installation.ask(
        "start", inputs=[{"n": n} for n in range(items)], target=target, concurrency=SEATS
    )
    worker = installation.start_worker()
    for _ in range(kills):
        provider.until_called(provider.count + chance.randrange(40, 220))
        installation.kill(worker)
        worker = installation.start_worker()
    until_over(installation, run, 40)
    repeated = provider.by_item.total() - len(provider.by_item)
    assert len(provider.by_item) == items
    assert repeated <= kills * (SEATS + 400)
    assert max(provider.by_item.values()) <= 1 + kills
    check(installation, run)


@short_on_sqlite
@pytest.mark.timeout(120)
def test_a_token_cap_is_not_passed_though_workers_are_killed(
    installation: Installation, provider: AsAsked, chance: random.Random
) -> None:
    """What the calls in flight at a death held counts as spent: nothing is spent unseen."""
    target = _target(installation, provider)
    provider.latency_s = 0.05
    cap, kills = 9000, 2
    run = installation.ask(
        "start",
        inputs=[{"n": n} for n in range(600)],
        target=target,
        concurrency=SEATS,
        max_tokens=cap,
        timeout_s=2.0,
    )
    worker = installation.start_worker()
    for _ in range(kills):
        provider.until_called(provider.count + chance.randrange(10, 40))
        installation.kill(worker)
        worker = installation.start_worker()
    assert until_over(installation, run, 60) == "cancelled"
    caps = installation.ask("used", run=run)
    assert "The token cap" in caps["reason"]
    assert provider.tokens <= cap, f"{provider.tokens} tokens were spent at the server"
    assert provider.count < 600
    check(installation, run, status="cancelled")


@short_on_sqlite
@pytest.mark.timeout(60)
def test_a_run_that_waits_for_its_rate_limit_is_cancelled_within_three_seconds(
    installation: Installation, provider: AsAsked
) -> None:
    target = _target(installation, provider, requests_per_minute=10)
    run = installation.ask(
        "start", inputs=[{"n": n} for n in range(50)], target=target, concurrency=SEATS
    )
    installation.start_worker()
    provider.until_called(1)
    began = time.monotonic()
    installation.ask("cancel", run=run)
    until_over(installation, run, 3)
    assert time.monotonic() - began < 3
    assert provider.count <= 3
    check(installation, run, status="cancelled")


@long_form
@pytest.mark.timeout(120)
def test_a_rate_limit_holds_for_two_workers_of_which_one_is_killed(
    installation: Installation, provider: AsAsked, chance: random.Random
) -> None:
    per_minute = 600
    target = _target(installation, provider, requests_per_minute=per_minute)
    count = pick(short=60, long=200)
    workers = [installation.start_ready_worker() for _ in range(2)]
    run = installation.ask(
        "start", inputs=[{"n": n} for n in range(count)], target=target, concurrency=SEATS
    )
    provider.until_called(1)
    began, counted = time.monotonic(), provider.count
    time.sleep(chance.uniform(0.5, 2.5))
    installation.kill(workers[0])
    until_over(installation, run, 60)
    took = time.monotonic() - began
    allowed = took * per_minute / 60 + SEATS
    assert provider.count - counted <= allowed, f"{provider.count} calls in {took:.1f} s"
    check(installation, run)


def _memory_mb(pid: int) -> float:
    """Resident memory of a process and its children in MB."""
    pids = [pid, *_children(pid)]
    pages = 0
    for each in pids:
        try:
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]
