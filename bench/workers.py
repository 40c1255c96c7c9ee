"""Real worker processes: two against one, the time from "Start run" to the first call, and the live
page's poll while a run is at full speed.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench import product
from bench.measure import paired
from bench.provider import provider, stats

ITEMS = 20_000
POLLED_ITEMS = 60_000
SEATS = 64
STARTS = 5
POLLS = 40
ROOT = Path(__file__).parents[1]


def main() -> None:
    rows: list[dict[str, object]] = []
    with product.installation(), provider() as base_url:
        target = product.add_target(base_url, "Bench")
        product.add_dataset(ITEMS, "Bench")
        product.add_dataset(POLLED_ITEMS, "Polled")

        def one() -> float:
            with _workers(1):
                return _timed(target)

        def two() -> float:
            with _workers(2):
                return _timed(target)

        speedup = paired(f"two workers at 0 ms, {ITEMS:,} items, to one", "s", one, two)
        rows.append(speedup)
        with _workers(1):
            rows.append(_first_call(base_url, target))
            rows.append(_polls(target))
    json.dump(rows, sys.stdout)


def _timed(target: str) -> float:
    """Seconds from the run's creation to its end."""
    began = time.perf_counter()
    run = product.start("bench", target, SEATS)
    while run.active:
        time.sleep(0.02)
        run.refresh_from_db()
    product.check(run)
    return time.perf_counter() - began


def _first_call(base_url: str, target: str) -> dict[str, object]:
    """Milliseconds from "Start run" until the server has seen a call; the bound is the product's
    promise.
    """
    from django.conf import settings

    from runs_app.actions import cancel_run

    _, user = product.people()
    times = []
    for _ in range(STARTS):
        before = stats(base_url)["requests"]
        began = time.perf_counter()
        run = product.start("polled", target, 1)
        while stats(base_url)["requests"] == before:
            time.sleep(0.002)
        times.append((time.perf_counter() - began) * 1000)
        cancel_run(run=run, by=user)
        while run.active:
            time.sleep(0.05)
            run.refresh_from_db()
    bound = 200.0 if settings.EMBEDDED else 50.0
    return _bounded("“Start run” to the first call", "ms", bound, times)


def _polls(target: str) -> dict[str, object]:
    """Server time of the live page's poll, in this process, while the worker is at full speed."""
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    call_command("collectstatic", interactive=False, verbosity=0)
    project, user = product.people()
    browser = Client(HTTP_HOST="127.0.0.1")
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    run = product.start("polled", target, SEATS)
    url = reverse("runs:live", args=[project.slug, run.number])
    times, queries = [], 0
    while not _done(run):
        time.sleep(0.05)
    for _ in range(POLLS):
        began = time.perf_counter()
        answer = browser.get(url, headers={"HX-Request": "true"})
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.status_code
        time.sleep(0.1)
    run.refresh_from_db()
    if not run.active:
        sys.exit("the run ended before all polls were made")
    with CaptureQueriesContext(
        connection,
    ) as captured:
        browser.get(url, headers={"HX-Request": "true"})
        queries = len(captured)
    while run.active:
        time.sleep(0.1)
        run.refresh_from_db()
    return _bounded(
        f"live poll at full speed, p95 ({queries} queries with session)", "ms", 15.0, [_p95(times)]
    )


def _done(run: Any) -> int:
    from runs_app.queries import progress

    run.refresh_from_db()
    return progress(run).done


def _p95(times: list[float]) -> float:
    return sorted(times)[int(0.95 * len(times))]


def _bounded(name: str, unit: str, bound: float, times: list[float]) -> dict[str, object]:
    return {
        "name": f"{name}, to the bound",
        "unit": unit,
        "floor": bound,
        "product": statistics.median(times),
        "ratio": statistics.median(times) / bound,
        "ratios": [each / bound for each in times],
    }


@contextmanager
def _workers(count: int) -> Iterator[None]:
    """So many workers as the product starts them; ready when they beat."""
    from evalhub.kit.models import Worker

    with ExitStack() as stack:
        for place in range(count):
            stack.enter_context(_worker(place))
        while Worker.objects.alive().count() < count:
            time.sleep(0.05)
        yield


@contextmanager
def _worker(place: int) -> Iterator[None]:
    from django.conf import settings

    pool = ["--pool=threads", "--concurrency=4"] if settings.EMBEDDED else ["--concurrency=2"]
    environment = dict(os.environ)
    if not settings.EMBEDDED:
        environment["DATABASE_URL"] = settings.DATABASE_URL
    command = [sys.executable, "-m", "celery", "-A", "evalhub.celery", "worker", *pool]
    with (Path(settings.EVALHUB_HOME) / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--without-gossip", "--without-mingle", "-n", f"bench-{place}@%h"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        from evalhub.kit.models import Worker

        Worker.objects.all().delete()


if __name__ == "__main__":
    main()
