"""A flush that is slow, fails, or fails after its commit, at random: the first test of all.

In the test's process, because the fault is between the commit and its answer.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from evalhub.access.models import Project, User
from runs_app.engine import recorder, writing
from runs_app.engine.stay import work
from runs_app.models import Run, Shard
from tests.faults.facts import facts
from tests.faults.invariants import problems
from tests.runs_app.engine_help import starter, worker

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]
Flush = Callable[[Any, Any], Any]


def _run(project: Project, owner: User, items: int, **options: Any) -> Run:
    inputs = [{"input": {"n": n, "ms": 2}} for n in range(items)]
    return starter(project, owner)(inputs, "python:faulty", scorers=["contains"], **options)


def _troubled(chance: random.Random, late: list[threading.Thread]) -> Flush:
    """The real flush with trouble around it: slow, refused, lost after the commit, or late by half
    a second while the engine believes that there was nothing to write.
    """
    real = writing.flush

    def write(rows: Any) -> None:
        time.sleep(0.5)
        try:
            real(rows, [])
        finally:
            connection.close()

    def flush(rows: Any, finishing: Any) -> Any:
        match chance.choice(["fine", "slow", "fails", "lost", "late"]):
            case "slow":
                time.sleep(chance.uniform(0.1, 0.4))
            case "fails":
                raise OperationalError("server closed the connection unexpectedly")
            case "lost":
                real(rows, finishing)
                raise OperationalError("the answer to the commit was lost")
            case "late" if len(late) < 3:
                late.append(threading.Thread(target=write, args=(rows,)))
                late[-1].start()
                rows = []
        return real(rows, finishing)

    return flush


@pytest.mark.timeout(90)
@pytest.mark.parametrize("workers", [1, 2])
def test_flushes_that_are_slow_fail_or_come_late_lose_and_double_nothing(
    project: Project,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    chance: random.Random,
    workers: int,
) -> None:
    run = _run(project, owner, 900)
    late: list[threading.Thread] = []
    with monkeypatch.context() as troubled:
        troubled.setattr(recorder, "flush", _troubled(chance, late))
        staying = [worker(run) for _ in range(workers)]
        for thread in staying:
            thread.join()
        for thread in late:  # those that the stays have begun
            thread.join()
    # What came late closed no shard: its lease runs out, and somebody finds all there.
    Shard.objects.filter(run=run, state="open").update(lease_until=None)
    work(run.pk)
    run.refresh_from_db()
    assert problems(facts(run)) == []


@pytest.mark.timeout(60)
def test_without_the_counting_rule_the_same_trouble_would_lose_rows(
    project: Project, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the test above can fail: the rule is what holds it."""
    run = _run(project, owner, 450)
    late: list[threading.Thread] = []
    real = writing.flush

    def write(rows: Any) -> None:
        time.sleep(0.5)
        try:
            real(rows, [])
        finally:
            connection.close()

    def flush(rows: Any, finishing: Any) -> Any:
        if rows and not late:
            late.append(threading.Thread(target=write, args=(rows,)))
            late[0].start()
            rows = []
        return real(rows, finishing)

    monkeypatch.setattr(recorder, "flush", flush)
    monkeypatch.setattr("runs_app.states.all_there", lambda counted, planned: True)
    work(run.pk)
    late[0].join()
    run.refresh_from_db()
    assert any(text.startswith("I1") for text in problems(facts(run)))
