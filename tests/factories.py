"""People, projects and datasets by the real actions; finished runs as rows, without an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from datasets_app import public
from datasets_app.actions import add_items, create_dataset
from datasets_app.items import parse_item
from datasets_app.models import Dataset
from evalhub.access.actions import create_project
from evalhub.access.models import Project, User
from evalhub.kit.json import dumps
from runs_app import states
from runs_app.engine.summary import summarise
from runs_app.models import Result, Run, RunScorer, Score, Shard

STARTED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_names = count(1)

Scores = Mapping[str, Sequence[float | None]]


def make_user(name: str = "") -> User:
    """The user of that name, made when there is none."""
    name = name or f"person-{next(_names)}"
    return User.objects.filter(username=name).first() or User.objects.create_user(username=name)


def make_project(by: User, name: str = "") -> Project:
    """A project with `by` as its admin."""
    return create_project(name=name or f"Project {next(_names)}", by=by)


def make_dataset(
    project: Project, by: User, payloads: Sequence[Mapping[str, Any]], name: str = ""
) -> Dataset:
    """A dataset whose version 1 has an item for each payload (as the API takes them)."""
    dataset = create_dataset(project=project, name=name or f"Dataset {next(_names)}", by=by)
    if payloads:
        add_items(dataset=dataset, contents=[parse_item(payload) for payload in payloads], by=by)
    return dataset


def questions(n: int) -> list[dict[str, Any]]:
    """Payloads of n items: question 1, answer 1, and so on."""
    return [{"input": f"question {i}", "expected_output": f"answer {i}"} for i in range(1, n + 1)]


def make_finished_run(
    dataset: Dataset,
    by: User,
    outputs: Sequence[object],
    scores: Scores,
    *,
    version: int | None = None,
    name: str = "",
    scorers: Mapping[str, Mapping[str, Any]] | None = None,
    status: str = states.COMPLETED,
    latencies: Sequence[float] | None = None,
    repetitions: int = 1,
    results: Mapping[str, Sequence[Any]] | None = None,
) -> Run:
    """A run over the first items of `dataset` at `version`, one for each output, in number order.

    With `repetitions` each item has as many outputs, one after the other. `results` overrides
    columns of the results by name, a value for each output.

    An exception among the outputs is a failed result of that type; it has no scores. Scores are in
    the order of the outputs, None for an item that the scorer did not score, an exception's place
    is passed over. A scorer is binary when its values are 0 and 1; `scorers` overrides columns by
    name.
    """
    count = len(outputs) // repetitions
    run = make_run(dataset, by, count, version=version, name=name, status=status)
    run.repetitions, run.total_results = repetitions, len(outputs)
    make_scorers(run, scores, scorers or {})
    items = public.read_items(dataset.pk, run.dataset_version, after=0, limit=count)
    rows = []
    for place, output in enumerate(outputs):
        item = items[place // repetitions]
        error = output if isinstance(output, Exception) else None
        latency_ms = latencies[place] if latencies else 100.0 + place
        started = STARTED + timedelta(seconds=place)
        rows.append(
            Result(
                run=run,
                item_number=item.number,
                repetition=place % repetitions,
                shard_id=0,
                revision_id=item.revision_id,
                output_json=None if error else dumps(output),
                error_type=type(error).__name__ if error else "",
                error_message=str(error) if error else "",
                started_at=started,
                completed_at=started + timedelta(milliseconds=latency_ms),
                latency_ms=latency_ms,
            )
        )
    for name, values in (results or {}).items():
        for row, value in zip(rows, values, strict=True):
            setattr(row, name, value)
    Result.objects.bulk_create(rows)
    failed = [row for row in rows if row.failed]
    Score.objects.bulk_create(
        Score(
            run_scorer=scorer,
            item_number=row.item_number,
            repetition=row.repetition,
            state="not_scored" if value is None else "scored",
            value=value,
            reason="The item has no expected output." if value is None else "",
        )
        for scorer in run.scorers.all()
        for row, value in zip(rows, scores[scorer.name], strict=True)
        if not row.failed
    )
    run.failed, run.succeeded = len(failed), len(rows) - len(failed)
    if not run.active:
        run.summary = summarise(run)
    run.save()
    return run


def make_run(
    dataset: Dataset,
    by: User,
    items: int,
    *,
    version: int | None = None,
    name: str = "",
    status: str = states.COMPLETED,
) -> Run:
    """A run with no scorers and no results yet."""
    project = Project.objects.get(pk=dataset.project_id)
    project.next_run_number += 1
    project.save()
    over = status in states.TERMINAL
    return Run.objects.create(
        project=project,
        dataset=dataset,
        number=project.next_run_number - 1,
        name=name or f"Run {project.next_run_number - 1}",
        dataset_version=dataset.version if version is None else version,
        target_ref="python:echo",
        target={"transport": "python", "kind": "function", "id": "echo", "name": "Echo"},
        status=status,
        created_by=by,
        started_at=STARTED,
        finished_at=STARTED + timedelta(seconds=10) if over else None,
        total_items=items,
        total_results=items,
    )


def make_active_run(dataset: Dataset, by: User, status: str = states.RUNNING, done: int = 2) -> Run:
    """A run over three items with `done` of three results, as an engine would leave it in the middle."""
    run = make_run(dataset, by, 3, status=status, name="On its way")
    make_scorers(run, {"answer": [1, 0, 1]}, {})
    if done:
        half = make_finished_run(dataset, by, ["2"] * done, {"answer": [1.0] * done})
        half.results.update(run=run)
        for score in list(half.scorers.get().scores.all()):
            score.pk = (run.scorers.get().pk, score.item_number, 0)
            score.run_scorer = run.scorers.get()
            score.save(force_insert=True)
        half.delete()
        Shard.objects.create(
            run=run, items=[], first_number=1, last_number=3, size=3, succeeded=done, failed=0
        )
    return run


def make_scorers(
    run: Run, scores: Scores, overrides: Mapping[str, Mapping[str, Any]]
) -> list[RunScorer]:
    """A scorer for each name, in order, its kind read off the values."""
    made = []
    for position, (name, values) in enumerate(scores.items()):
        binary = all(value in (0, 1, None) for value in values)
        columns: dict[str, Any] = {
            "kind": "binary" if binary else "continuous",
            "threshold": None if binary else 0.5,
            "low": 0.0,
            "high": 1.0,
            "spec": {"use": "exact_match" if binary else "levenshtein", "name": name},
        }
        columns |= overrides.get(name, {})
        made.append(RunScorer.objects.create(run=run, position=position, name=name, **columns))
    return made
