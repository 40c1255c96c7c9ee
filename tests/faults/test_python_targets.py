"""What a Python target can do wrong: each is a typed error of its own item, in its time."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.faults.installation import Installation
from tests.faults.invariants import check, until_over
from tests.faults.length import long_form, short_on_sqlite

pytestmark = [pytest.mark.db, pytest.mark.slow]

TIMEOUT_S = 3.0
ENDS_AS = {
    "raise": ("exception", "ValueError: no mood for this"),
    "hang": ("timeout", "No answer within 3 s."),
    "nan": ("invalid_output", "not JSON"),
    "set": ("invalid_output", "set"),
    "bytes": ("invalid_output", "bytes"),
    "50 MB": ("output_too_large", "50,000,002 characters"),
    "exit": ("exception", "SystemExit: 3"),
}


@short_on_sqlite
@pytest.mark.timeout(90)
def test_whatever_a_function_does_wrong_ends_as_a_typed_error_of_its_item(
    installation: Installation, chance: random.Random
) -> None:
    inputs: list[Any] = [{"n": n} for n in range(60)]
    for each, do in zip(chance.sample(inputs, len(ENDS_AS)), ENDS_AS, strict=True):
        each["do"] = do
    run = installation.ask(
        "start",
        inputs=inputs,
        target="python:faulty-sync",
        timeout_s=TIMEOUT_S,
        retries=0,
        concurrency=8,
    )
    worker = installation.start_worker()
    until_over(installation, run, 30)
    assert worker.poll() is None
    found = {n: (kind, text) for n, kind, text in installation.ask("errors", run=run)}
    assert len(found) == len(ENDS_AS)
    for each in inputs:
        if "do" in each:
            kind, text = found[each["n"] + 1]
            assert kind == ENDS_AS[each["do"]][0], each
            assert ENDS_AS[each["do"]][1] in text, each
    assert all(took < TIMEOUT_S + 3 for _, took, _ in installation.ask("times", run=run))
    check(installation, run, errors=len(ENDS_AS))


@long_form
@pytest.mark.timeout(240)
def test_an_item_that_eats_memory_until_its_worker_is_killed_is_the_only_one_lost(
    installation: Installation, chance: random.Random
) -> None:
    """The target kills its worker at 700 MB, as a machine does that runs out of memory."""
    hungry = chance.randrange(30)
    inputs = [{"n": n, **({"do": "eat"} if n == hungry else {})} for n in range(30)]
    run = installation.ask("start", inputs=inputs, target="python:faulty-sync", concurrency=4)
    worker = installation.start_worker()

    def supervise() -> None:
        nonlocal worker
        worker = installation.revive(worker)

    until_over(installation, run, 150, meanwhile=supervise)
    assert [error[:2] for error in installation.ask("errors", run=run)] == [
        [hungry + 1, "worker_lost"]
    ]
    check(installation, run, errors=1)
