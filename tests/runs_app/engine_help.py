"""What the tests of the engine share: starting a run, workers in threads, counting what is there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Count

from datasets_app import public
from datasets_app.actions import add_items, create_dataset
from datasets_app.items import parse_item
from evalhub.access.models import Project, User
from runs_app.actions import start_run
from runs_app.engine.attempt import Outcome
from runs_app.engine.planning import Claim
from runs_app.engine.stay import work
from runs_app.engine.writing import Recorded
from runs_app.models import Result, Run, Score
from runs_app.targets.trace import Trace

StartRun = Callable[..., Run]


def starter(project: Project, owner: User) -> StartRun:
    """A function that starts a run over `items` (inputs, or whole items) against `target`."""

    def start(items: list[Any], target: str = "python:echo", **options: Any) -> Run:
        dataset = create_dataset(project=project, name=f"Set of {len(items)}", by=owner)
        payloads = [
            item if isinstance(item, dict) else {"input": item, "expected_output": item}
            for item in items
        ]
        add_items(dataset=dataset, contents=[parse_item(p) for p in payloads], by=owner)
        row = public.find_dataset(owner, project, dataset.slug)
        options.setdefault("scorers", ["exact_match"])
        return start_run(project=project, dataset=row, target=target, by=owner, **options)

    return start


def recount(run: Run) -> dict[str, int]:
    """What is really there, by counting rows."""
    results = Result.objects.filter(run=run)
    double = (
        results.values("item_number", "repetition").annotate(n=Count("pk")).filter(n__gt=1).count()
    )
    return {
        "results": results.count(),
        "scores": Score.objects.filter(run_scorer__run=run).count(),
        "double": double,
    }


def outcome() -> Outcome:
    """An answer as a target gives it."""
    now = datetime.now(UTC)
    return Outcome('"x"', "", "", now, now, 1.0, 0)


def recorded(claim: Claim, place: int = 0) -> Recorded:
    """What the target said of the due item at `place` of the claim, on its way to the database."""
    item, repetition = claim.due[place]
    return Recorded(claim, item.number, repetition, item.revision_id, outcome(), [], Trace(), None)


def worker(run: Run) -> threading.Thread:
    """A stay on the run in a thread of its own, started."""

    def stay() -> None:
        try:
            work(run.pk)
        finally:
            connection.close()

    thread = threading.Thread(target=stay)
    thread.start()
    return thread


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
