"""What a live run tells of itself: its rate, its seats, its log; and errors in words. No pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from datasets_app.models import Dataset
from evalhub.access.models import User
from evalhub.kit.clock import in_seconds
from runs_app import queries
from runs_app.error_help import advice
from runs_app.history import SHOWN, history
from runs_app.models import RunEvent, Stay
from runs_app.rate import Look, look_again
from tests.factories import make_active_run


def test_the_rate_follows_what_happened_last() -> None:
    look = look_again(None, 0, 1000.0, None)
    assert look.rate is None
    for second in range(1, 61):  # 10 a second
        look = look_again(look, second * 10, 1000.0 + second, None)
    assert look.rate == pytest.approx(10, rel=0.01)
    for second in range(61, 91):  # then 2 a second
        look = look_again(look, 600 + (second - 60) * 2, 1000.0 + second, None)
    assert look.rate == pytest.approx(2, abs=0.5)


def test_a_look_from_too_long_ago_or_from_another_life_says_nothing() -> None:
    earlier = Look(100, 1000.0, 5.0)
    assert look_again(earlier, 200, 2000.0, 7.0) == Look(200, 2000.0, 7.0)
    assert look_again(earlier, 50, 1002.0, 7.0) == Look(50, 1002.0, 7.0)  # a retry counts anew
    assert look_again(earlier, 101, 1000.1, 7.0) == earlier  # too soon to tell


@pytest.mark.parametrize("look", [Look(0, 0.0, None), Look(1200, 1764153233.25, 37.5)])
def test_a_look_goes_through_an_address_and_back(look: Look) -> None:
    assert Look.from_text(look.to_text()) == look


@pytest.mark.parametrize("text", ["", "1", "a_b_c", "1_2", "-1_2_3", "1_nan_", "1_2_inf", "_" * 80])
def test_no_other_text_is_a_look(text: str) -> None:
    assert Look.from_text(text) is None


@pytest.mark.db
@pytest.mark.django_db
def test_progress_knows_the_seats_of_workers_that_live(dataset: Dataset, owner: User) -> None:
    run = make_active_run(dataset, owner)
    assert queries.progress(run).seats == 0
    for name, seats, seconds in (("a", 5, 60), ("b", 3, 60), ("gone", 8, -1)):
        Stay.objects.create(run=run, owner=name, seats=seats, lease_until=in_seconds(seconds))
    now = queries.progress(run)
    assert (now.seats, now.done, now.shards_open) == (8, 2, 1)


@pytest.mark.db
@pytest.mark.django_db
def test_the_log_says_from_how_many_seats_to_how_many(dataset: Dataset, owner: User) -> None:
    run = make_active_run(dataset, owner)
    RunEvent.objects.create(run=run, kind="seats", seats=6, message="HTTP 429")
    RunEvent.objects.create(run=run, kind="paused", message="Paused by owner.")
    RunEvent.objects.create(run=run, kind="seats", seats=7, message="No 429 for 5 s")
    lines = history(run)
    assert [(line.before, line.seats, line.fewer) for line in lines] == [
        (6, 7, False),
        (None, None, False),
        (run.max_concurrency, 6, True),
    ]


@pytest.mark.django_db
def test_a_long_log_shows_its_end(dataset: Dataset, owner: User) -> None:
    run = make_active_run(dataset, owner)
    RunEvent.objects.bulk_create(
        RunEvent(run=run, kind="seats", seats=1 + n % 8, message=f"event {n}") for n in range(60)
    )
    lines = history(run)
    assert len(lines) == SHOWN
    assert lines[0].message == "event 59"
    assert lines[-1].before == 1 + 39 % 8


def test_known_errors_have_advice_and_others_have_none() -> None:
    assert "timeout" in advice("timeout")
    assert "key" in advice("unauthorized")
    assert advice("") == advice("my_own_error") == ""


def test_every_error_of_our_own_has_advice() -> None:
    root = Path(__file__).parents[2]
    written = re.compile(r'(?:TargetFailure|OutgoingError|super\(\).__init__)\(\s*"([a-z_]+)"')
    found = {
        word
        for folder in ("runs_app/targets", "runs_app/engine", "evalhub/kit/outgoing")
        for file in (root / folder).glob("*.py")
        for word in written.findall(file.read_text())
    }
    assert len(found) > 25
    assert [word for word in sorted(found) if not advice(word)] == []
