"""What the driver can do: the product's own actions by name, and looks at the database."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Min

from datasets_app import public
from datasets_app.actions import add_items, create_dataset
from datasets_app.actions.imports import apply_import, map_import, stage_import
from datasets_app.importing.mapping import Mapping
from datasets_app.items import parse_item
from datasets_app.models import Dataset, DatasetVersion, ImportJob, ItemRevision
from evalhub import local
from evalhub.access.actions import create_token
from evalhub.access.models import Project, User
from evalhub.kit.errors import Conflict
from evalhub.kit.models import Worker
from runs_app import actions
from runs_app.actions import targets
from runs_app.actions.connections import create_connection
from runs_app.models import Rescore, Result, Run, Shard, Stay
from runs_app.models.work import RescoreState
from tests.faults.facts import facts, fingerprint

COMMANDS: dict[str, Callable[..., Any]] = {}


def command(function: Callable[..., Any]) -> Callable[..., Any]:
    COMMANDS[function.__name__] = function
    return function


def _run(run: int) -> Run:
    return Run.objects.get(pk=run)


def _user() -> User:
    return User.objects.get(username=local.ADMINISTRATOR)


@command
def prepare() -> None:
    """Tables, the default project and its administrator."""
    local.migrate()
    local.ensure_defaults()


@command
def close() -> None:
    """Let go of the database, so that it can be copied."""
    connection.close()


@command
def start(inputs: list[Any], target: str = "python:faulty", **options: Any) -> int:
    """A run over one item for each input; its id."""
    project, user = Project.objects.get(), _user()
    dataset = create_dataset(project=project, name=f"Faults {uuid.uuid4()}", by=user)
    contents = [parse_item({"input": each, "expected_output": each}) for each in inputs]
    add_items(dataset=dataset, contents=contents, by=user)
    options.setdefault("scorers", ["exact_match", "json_match"])
    row = public.find_dataset(user, project, dataset.slug)
    run = actions.start_run(project=project, dataset=row, target=target, by=user, **options)
    return run.pk


@command
def count(run: int) -> dict[str, Any]:
    """Where a run is."""
    found = _run(run)
    return {"status": found.status, "results": Result.objects.filter(run=run).count()}


@command
def held(run: int) -> dict[str, int]:
    """What workers hold of a run."""
    return {
        "stays": Stay.objects.filter(run=run).count(),
        "leases": Shard.objects.filter(run=run).exclude(lease_until=None).count(),
        "strikes": sum(Shard.objects.filter(run=run).values_list("strikes", flat=True)),
    }


@command
def attempts(run: int) -> int:
    """The most claims that any shard of the run has had."""
    return max(Shard.objects.filter(run=run).values_list("attempts", flat=True), default=0)


@command
def errors(run: int) -> list[Any]:
    """[item number, type, message] of the errors."""
    wrong = Result.objects.filter(run=run).exclude(error_type="").order_by("item_number")
    return list(wrong.values_list("item_number", "error_type", "error_message"))


@command
def times(run: int) -> list[Any]:
    """[item number, seconds from the first call's start to the outcome, retries]."""
    found = Result.objects.filter(run=run).values_list(
        "item_number", "started_at", "completed_at", "retries"
    )
    return [[n, (end - begin).total_seconds(), retries] for n, begin, end, retries in found]


@command
def good(run: int) -> list[Any]:
    """[id, item number, output] of the results without an error."""
    found = Result.objects.filter(run=run, error_type="").order_by("pk")
    return list(found.values_list("pk", "item_number", "output_json"))


@command
def cancel(run: int) -> str:
    return actions.cancel_run(run=_run(run), by=_user()).status


@command
def cancel_or_status(run: int) -> str:
    """Cancel a run that may have ended meanwhile; its status."""
    try:
        return actions.cancel_run(run=_run(run), by=_user()).status
    except Conflict:
        return _run(run).status


@command
def pause(run: int) -> None:
    actions.pause_run(run=_run(run), by=_user())


@command
def resume(run: int) -> None:
    actions.resume_run(run=_run(run), by=_user())


@command
def retry(run: int) -> None:
    actions.retry_run(run=_run(run), by=_user())


@command
def rescore(run: int, scorers: list[Any], mode: str = "add") -> int:
    job = actions.rescore_run(run=_run(run), scorers=scorers, by=_user(), mode=mode)  # type: ignore[arg-type]
    return job.pk


@command
def rescoring(run: int) -> dict[str, Any]:
    """Of the run's newest rescore: its state, how far it is, and scorers left to be removed."""
    from runs_app.engine.rescoring import left_over

    job = Rescore.objects.filter(run=run).latest("pk")
    return {
        "open": job.state == RescoreState.OPEN,
        "state": job.state,
        "done": job.done,
        "left_over": left_over().filter(rescore=job).count(),
    }


@command
def delete(run: int) -> None:
    actions.delete_run(run=_run(run), by=_user())


@command
def left_of(run: int) -> int:
    """Rows that are left of a deleted run."""
    return Run.objects.filter(pk=run).count() + Result.objects.filter(run=run).count()


@command
def connect(name: str, base_url: str, **limits: Any) -> str:
    """A connection; its slug."""
    made = create_connection(
        project=Project.objects.get(), name=name, base_url=base_url, by=_user(), key="k", **limits
    )
    return made.slug


@command
def save_target(name: str, transport: str, config: dict[str, Any]) -> str:
    """A saved target; its slug."""
    made = targets.save_target(
        project=Project.objects.get(),
        name=name,
        kind="agent",
        transport=transport,
        config=config,
        by=_user(),
    )
    return made.slug


@command
def used(run: int) -> dict[str, Any]:
    """Tokens of a run's caps, and why it stopped."""
    found = _run(run)
    return {
        "used": found.used_tokens,
        "held": found.held_tokens,
        "status": found.status,
        "reason": found.reason,
    }


@command
def messages(run: int, count: int) -> None:
    """Send the run's wake-up again and again."""
    from evalhub.kit.dispatch import wake_now

    for _ in range(count):
        wake_now("runs.work", run)


@command
def workers() -> list[int]:
    """The process ids of the workers that beat."""
    return list(Worker.objects.alive().values_list("pid", flat=True))


@command
def token() -> str:
    """A token of the administrator for the API."""
    return create_token(project=Project.objects.get(), name=str(uuid.uuid4()), by=_user())[1]


@command
def runs() -> list[Any]:
    """[id, name, number of scorers] of all runs."""
    found = Run.objects.order_by("pk").annotate(n=Count("scorers"))
    return list(found.values_list("pk", "name", "n"))


@command
def run_numbers() -> list[int]:
    return list(Run.objects.order_by("number").values_list("number", flat=True))


@command
def imports_open(slug: str) -> int:
    """Imports of a dataset that a worker has to do with."""
    return ImportJob.objects.filter(dataset__slug=slug, state__in=ImportJob.OPEN_STATES).count()


@command
def datasets() -> list[Any]:
    """[slug, items that its version counts, items that can be read, state of its last import]."""
    user, project = _user(), Project.objects.get()
    rows = []
    for dataset in Dataset.objects.order_by("pk"):
        row = public.find_dataset(user, project, dataset.slug)
        there = len(public.read_items(dataset.pk, dataset.version, after=0, limit=1_000_000))
        job = ImportJob.objects.filter(dataset=dataset).order_by("-pk").first()
        rows.append([dataset.slug, row.item_count, there, job and job.state])
    return rows


@command
def audit(run: int) -> dict[str, Any]:
    """The facts that the invariants judge."""
    told: dict[str, Any] = json.loads(json.dumps(facts(_run(run))))  # as the summary was stored
    return told


@command
def print_of(run: int) -> str:
    return fingerprint(_run(run))


@command
def start_import(rows: int) -> int:
    """An import of so many rows, each thousandth of them bad, with external ids; its id."""
    dataset = create_dataset(
        project=Project.objects.get(slug=local.DEFAULT_PROJECT), name="Rows", by=_user()
    )
    staged = stage_import(
        dataset=dataset,
        filename="rows.csv",
        chunks=(line.encode() for line in _lines(rows)),
        by=_user(),
    )
    mapping = Mapping.from_options(
        staged.columns, input=["q"], expected=["a"], external_id="id", rest="metadata"
    )
    job = map_import(job=staged, mapping=mapping, by=_user())
    return int(apply_import(job=job, by=_user()).pk)


def _lines(rows: int) -> Iterator[str]:
    yield "id,q,a,topic\n"
    for number in range(1, rows + 1):
        cells = f"T-{number},What is {number} + {number}? {'x' * 200},{2 * number}"
        yield f"{cells}\n" if number % 1000 == 0 else f"{cells},sums\n"


@command
def import_state(job: int) -> dict[str, Any]:
    """How far an import is; once it has ended, what is in the dataset."""
    found = ImportJob.objects.select_related("dataset").get(pk=job)
    state: dict[str, Any] = {
        "state": found.state,
        "done": found.rows_done,
        "good": found.rows_good,
        "bad": found.rows_bad,
        "version": found.dataset.version,
    }
    if not found.active:
        items = ItemRevision.objects.filter(dataset=found.dataset).at(found.dataset.version)
        state |= items.aggregate(
            items=Count("pk"),
            distinct=Count("external_id", distinct=True),
            first=Min("number"),
            last=Max("number"),
        )
        state["versions"] = DatasetVersion.objects.filter(dataset=found.dataset).count()
        with found.problems_file.open() as file:
            state["problem_lines"] = sum(1 for _ in file)
    return state
