"""What the tests of imports share."""

from __future__ import annotations

from typing import Any

import pytest

from datasets_app.actions import add_items, create_dataset
from datasets_app.actions.imports import (
    map_import,
    stage_import,
)
from datasets_app.importing import batches, reading, sweeper, writing
from datasets_app.importing.mapping import Mapping
from datasets_app.items import parse_item
from datasets_app.models import Dataset, ImportJob
from evalhub.access.models import Project, User
from tests.datasets_app.jobs import Crash, Stage, StopAfter


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The tests call work() themselves; what would have been sent is collected."""
    sent: list[tuple[str, Any]] = []

    def collect(task: str, *args: Any) -> None:
        sent.append((task, *args))

    monkeypatch.setattr("evalhub.kit.dispatch.wake_now", collect)
    monkeypatch.setattr("datasets_app.leased_job.wake_now", collect)
    monkeypatch.setattr(sweeper, "wake_now", collect)
    return sent


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_ROWS", 10)
    monkeypatch.setattr(reading, "SKIP_ROWS", 10)


@pytest.fixture
def empty(project: Project, owner: User) -> Dataset:
    return create_dataset(project=project, name="Tickets", by=owner)


@pytest.fixture
def stage(empty: Dataset, owner: User) -> Stage:
    """Stages CSV text with q as input, a as expected output and id, if there, as external id."""

    def stage(text: str, name: str = "tickets.csv", **options: Any) -> ImportJob:
        staged = stage_import(
            dataset=empty, filename=name, chunks=[text.encode()], by=owner, **options
        )
        mapping = Mapping.from_options(
            staged.columns,
            input=["q"],
            expected=["a"] if "a" in staged.columns else [],
            external_id="id" if "id" in staged.columns else None,
            rest="metadata",
        )
        return map_import(job=staged, mapping=mapping, by=owner)

    return stage


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> StopAfter:
    """Makes the batch after the first n crash inside its transaction, with everything written."""
    left = [-1]
    advance = writing._advance

    def advance_and_crash(crashing: ImportJob, *args: Any) -> bool:
        left[0] -= 1
        assert advance(crashing, *args)
        if left[0] == -1:
            with crashing.problems_file.open("ab") as file:
                file.write(b"999,half a line")
            raise Crash
        return True

    monkeypatch.setattr(writing, "_advance", advance_and_crash)

    def stop(batches: int) -> None:
        left[0] = batches

    return stop


@pytest.fixture
def tickets(empty: Dataset, owner: User) -> Dataset:
    """Twenty items with external ids, every second one of the split train."""
    contents = [
        parse_item({"input": f"q{n}", "external_id": f"id-{n}", "split": ["", "train"][n % 2]})
        for n in range(1, 21)
    ]
    add_items(dataset=empty, contents=contents, by=owner)
    return empty
