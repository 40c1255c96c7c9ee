"""A run of the product in this process: dataset, connection and chat target by the real actions."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from bench.servers import fresh_database
from evalhub import local

SCORERS = ["exact_match", "levenshtein"]


def questions(count: int) -> list[str]:
    """So many short questions."""
    return [
        f"What is {n} plus {n + 1}? Say the number alone, without a word around it."
        for n in range(count)
    ]


@contextlib.contextmanager
def installation() -> Iterator[None]:
    """An empty database with the administrator and the default project."""
    local.setup()
    from django.db import connection

    with fresh_database():
        local.migrate()
        local.ensure_defaults()
        try:
            yield
        finally:
            connection.close()


def add_dataset(count: int, name: str) -> None:
    """A dataset of `count` questions whose expected output is 61."""
    from datasets_app.actions import add_items, create_dataset
    from datasets_app.items import parse_item

    project, user = people()
    dataset = create_dataset(project=project, name=name, by=user)
    asked = questions(count)
    for start in range(0, count, 10_000):
        part = asked[start : start + 10_000]
        contents = [parse_item({"input": each, "expected_output": "61"}) for each in part]
        add_items(dataset=dataset, contents=contents, by=user)


def add_target(base_url: str, name: str) -> str:
    """A chat target on the server at `base_url`; its slug."""
    from runs_app.actions.connections import create_connection
    from runs_app.actions.targets import save_target

    project, user = people()
    connection = create_connection(
        project=project, name=name, base_url=base_url, key="bench", by=user
    )
    target = save_target(
        project=project,
        name=name,
        kind="agent",
        transport="chat",
        config={"connection": connection.slug, "model": "bench"},
        by=user,
    )
    return target.slug


def start(dataset: str, target: str, seats: int) -> Any:
    """Start a run of the dataset (by slug) with two code scorers."""
    from datasets_app import public
    from runs_app.actions import start_run

    project, user = people()
    return start_run(
        project=project,
        dataset=public.find_dataset(user, project, dataset),
        target=target,
        scorers=SCORERS,
        by=user,
        concurrency=seats,
    )


def work(run: Any) -> None:
    """Do the run in this process, and make sure that it went well."""
    from runs_app.engine.stay import work as stay

    stay(run.pk)
    check(run)


def check(run: Any) -> None:
    run.refresh_from_db()
    if run.status != "completed" or run.succeeded != run.total_results:
        sys.exit(f"the run is {run.status} with {run.succeeded} results: {run.reason}")


def people() -> tuple[Any, Any]:
    """The default project and the administrator."""
    from evalhub.access.models import Project, User

    return (
        Project.objects.get(slug=local.DEFAULT_PROJECT),
        User.objects.get(username=local.ADMINISTRATOR),
    )
