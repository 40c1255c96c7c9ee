"""kill -9 of the web during create, upload and cancel; one Idempotency-Key many times at once."""

from __future__ import annotations

import json
import random
import time

import pytest

from tests.faults.installation import Installation, wait_for
from tests.faults.invariants import check, until_over
from tests.faults.length import long_form, pick, short_on_sqlite
from tests.faults.web import Said, Web

pytestmark = [pytest.mark.db, pytest.mark.slow]
KILLS = pick(short=2, long=5)
FINE = {200, 201, 202, 404, 409, 503}  # what may be heard meanwhile: I8


def _dataset(installation: Installation) -> str:
    """A dataset of five items; its slug."""
    run = installation.ask("start", inputs=[{"n": n} for n in range(5)])
    installation.ask("cancel", run=run)
    return str(installation.ask("datasets")[-1][0])


@short_on_sqlite
@pytest.mark.timeout(180)
def test_a_web_killed_while_a_run_is_created_leaves_the_whole_run_or_none(
    installation: Installation, chance: random.Random
) -> None:
    web = Web(installation)
    slug = _dataset(installation)
    for n in range(KILLS):
        body = {"target": "python:faulty", "scorers": ["exact_match"], "name": f"Run {n}"}
        threads = [
            web.in_background(
                lambda body=body, key=f"{n}-{each}": web.post(
                    f"/datasets/{slug}/runs", body, **{"Idempotency-Key": key}
                )
            )
            for each in range(3)
        ]
        time.sleep(chance.uniform(0.0, 0.15))
        web.kill()
        for thread in threads:
            thread.join()
        web.start()
        for each in range(3):  # the clients ask again, as they should
            said = web.post(f"/datasets/{slug}/runs", body, **{"Idempotency-Key": f"{n}-{each}"})
            assert said.status == 201, said
    runs = [row for row in installation.ask("runs") if row[1].startswith("Run ")]
    assert [(name, scorers) for _, name, scorers in runs] == [
        (f"Run {n}", 1) for n in range(KILLS) for _ in range(3)
    ]
    numbers = installation.ask("run_numbers")
    assert numbers == list(range(1, len(numbers) + 1))
    installation.start_worker()
    for run, _, _ in runs:
        until_over(installation, run, 30)
        assert installation.ask("count", run=run) == {"status": "completed", "results": 5}
    assert web.statuses <= FINE


@short_on_sqlite
@pytest.mark.timeout(180)
def test_a_web_killed_during_an_upload_leaves_whole_imports_or_none(
    installation: Installation, chance: random.Random
) -> None:
    rows = 4000
    file = b"".join(
        json.dumps({"input": f"row {n} " + "x" * 200}).encode() + b"\n" for n in range(rows)
    )
    web = Web(installation)
    assert web.post("/datasets", {"name": "Uploaded"}).status == 201
    slug = "uploaded"
    heard: list[Said] = []
    options = {"input": ["input"], "apply": True}

    def upload() -> None:
        heard.append(web.upload(f"/datasets/{slug}/imports", file, **options))

    for _ in range(KILLS):
        thread = web.in_background(upload)
        time.sleep(chance.uniform(0.0, 0.3))
        web.kill()
        thread.join()
        web.start()
    installation.start_worker()
    wait_for(lambda: installation.ask("imports_open", slug=slug) == 0, 60, "imports to end")
    upload()
    assert heard[-1].status == 201, heard[-1]
    wait_for(lambda: installation.ask("imports_open", slug=slug) == 0, 60, "the last import")
    _, counted, there, state = installation.ask("datasets")[-1]
    assert counted == there
    assert there % rows == 0
    assert 1 <= there // rows <= KILLS + 1
    assert state == "done"
    assert web.statuses <= FINE


@long_form
@pytest.mark.timeout(120)
def test_a_web_killed_while_it_cancels_leaves_a_run_that_goes_on_or_ends(
    installation: Installation, chance: random.Random
) -> None:
    web = Web(installation)
    installation.start_ready_worker()
    for _ in range(KILLS):
        began = len(installation.calls())
        stalls = [{"n": n, "do": "stall"} for n in range(20)]
        run = installation.ask("start", inputs=stalls, concurrency=4)
        installation.until_called(began + 3)
        path = f"/datasets/runs/{installation.ask('run_numbers')[-1]}/cancel"
        thread = web.in_background(lambda path=path: web.post(path))
        time.sleep(chance.uniform(0.0, 0.1))
        web.kill()
        thread.join()
        web.start()
        said = web.post(path)
        assert said.status in (200, 409), said
        until_over(installation, run, 3)
        check(installation, run, status="cancelled")
    assert web.statuses <= FINE


@short_on_sqlite
@pytest.mark.timeout(60)
def test_one_idempotency_key_many_times_at_once_makes_one_run(installation: Installation) -> None:
    web = Web(installation)
    slug = _dataset(installation)
    before = len(installation.ask("runs"))
    heard: list[Said] = []
    body = {"target": "python:faulty", "scorers": ["exact_match"]}

    def post() -> None:
        heard.append(web.post(f"/datasets/{slug}/runs", body, **{"Idempotency-Key": "same"}))

    for thread in [web.in_background(post) for _ in range(8)]:
        thread.join()
    assert [said.status for said in heard] == [201] * 8
    assert len({said.body["number"] for said in heard}) == 1
    assert len(installation.ask("runs")) == before + 1
    other = web.post(
        f"/datasets/{slug}/runs", body | {"name": "Other"}, **{"Idempotency-Key": "same"}
    )
    assert other.status == 422, "a different body is refused"
