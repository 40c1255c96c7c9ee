"""The invariants I1 to I7, judged after every fault. I8 (the web's answers) is in test_web.py.

I1 a completed run has items x repetitions results; I2 none is there twice; I3 counters and summary
equal a recount; I4 every run ends within a stated time; I5 an output is the one that the target
gave for that item; I6 calls are repeated only as far as a death explains; I7 nothing changes after
the end.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from tests.faults.installation import Installation, wait_for

TERMINAL = ("completed", "failed", "cancelled")


def until_over(
    installation: Installation,
    run: int,
    seconds: float,
    *,
    meanwhile: Callable[[], object] = lambda: None,
) -> str:
    """I4: wait until the run has ended by itself; its status. `meanwhile` is called at each look."""

    def over() -> str | None:
        meanwhile()
        status: str = installation.ask("count", run=run)["status"]
        return status if status in TERMINAL else None

    try:
        ended: str = wait_for(over, seconds, f"run {run} to end (I4)")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{installation.log()}") from error
    return ended


def check(
    installation: Installation,
    run: int,
    *,
    status: str = "completed",
    errors: int = 0,
    repeated_at_most: int | None = None,
) -> dict[str, Any]:
    """Judge a run that is over; its facts. `repeated_at_most` is what the faults may cost (I6)."""
    facts: dict[str, Any] = installation.ask("audit", run=run)
    assert problems(facts, status=status, errors=errors) == []
    if repeated_at_most is not None:
        repeated = installation.repeated_calls()
        assert repeated <= repeated_at_most, f"I6: {repeated} calls were repeated"
    return facts


def problems(facts: dict[str, Any], *, status: str = "completed", errors: int = 0) -> list[str]:
    """What of the facts breaks an invariant, each in a sentence."""
    found = []
    if facts["status"] != status:
        found.append(f"the run is {facts['status']}, not {status}")
    if status == "completed" and facts["results"] != facts["total"]:
        found.append(f"I1: {facts['results']} of {facts['total']} results: {facts['missing']}")
    found += [f"I1: {facts['unplanned']} are not in the plan"] if facts["unplanned"] else []
    found += [f"I2: {facts['double']} are there twice"] if facts["double"] else []
    failed = facts["results"] - facts["good"]
    for name in ("counters", "in_shards"):
        if facts[name] != [facts["good"], failed]:
            found.append(f"I3: {name} {facts[name]}, counted {[facts['good'], failed]}")
    if not same(facts["summary"], facts["recounted"]):
        found.append(f"I3: summary {facts['summary']}, counted {facts['recounted']}")
    wrong = {name: n for name, n in facts["scores"].items() if n != facts["good"]}
    found += [f"I3: scores {wrong} for {facts['good']} outputs"] if wrong else []
    found += [f"I3: scores without an output: {facts['stray_scores']}"] * bool(
        facts["stray_scores"]
    )
    found += [f"I5: {facts['strange']} have another item's output"] if facts["strange"] else []
    for name in ("open_shards", "leases", "live_stays"):
        found += [f"I7: {facts[name]} {name} after the end"] if facts[name] else []
    if status == "completed" and failed != errors:
        found.append(f"{failed} errors, not {errors}")
    return found


def same(one: Any, other: Any) -> bool:
    """Equal JSON, up to the last digits of a float (a mean depends on the order of its rows)."""
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
        case list(), list():
            return len(one) == len(other) and all(map(same, one, other))
        case float(), float():
            return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)


def nothing_changes(installation: Installation, run: int, seconds: float = 1.5) -> None:
    """I7: the run is the same after a while in which late writers may try."""
    before = installation.ask("print_of", run=run)
    time.sleep(seconds)
    assert installation.ask("print_of", run=run) == before, "I7: the run changed after its end"
