"""The recorded solutions of four systems, served as a model by a server that says 429 and 500 and
stalls in between: each run still scores exactly what the systems score.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from datasets_app import public
from datasets_app.actions import add_items, create_dataset
from datasets_app.items import parse_item
from evalhub.access.models import Project, User
from runs_app.actions import start_run
from runs_app.actions.connections import create_connection
from runs_app.actions.targets import save_target
from runs_app.engine.stay import work
from runs_app.models import RunEvent
from tests.reference import reference_dir
from tests.servers.provider import Provider, recorded

pytestmark = [pytest.mark.db, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
CORRECT = {
    "6b_finetuning": 286,
    "6b_verification": 515,
    "175b_finetuning": 458,
    "175b_verification": 742,
}
MISCHIEF = {"429": 0.01, "500": 0.04, "stall": 0.01, "reset": 0.01, "truncated": 0.01}
SCORER = {"use": "numeric_match", "name": "answer", "extract": r"A:\s*(.+)"}


def questions() -> list[dict[str, Any]]:
    source = reference_dir() / "data" / "gsm8k" / "example_model_solutions.jsonl"
    with source.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [{"input": row["question"], "expected_output": row["ground_truth"]} for row in rows]


def test_served_with_429s_500s_and_stalls_every_system_scores_as_recorded(
    project: Project, owner: User
) -> None:
    source = reference_dir() / "data" / "gsm8k" / "example_model_solutions.jsonl"
    dataset = create_dataset(project=project, name="GSM8K", by=owner)
    add_items(dataset=dataset, contents=[parse_item(row) for row in questions()], by=owner)
    with Provider(recorded(source), shares=MISCHIEF, seed=7, latency_s=0.005) as provider:
        connection = create_connection(
            project=project, name="Recorded", base_url=f"{provider.url}/v1", by=owner
        )
        runs = {}
        for system in CORRECT:
            target = save_target(
                project=project,
                name=system,
                kind="agent",
                transport="chat",
                config={"connection": connection.slug, "model": system},
                by=owner,
            )
            runs[system] = start_run(
                project=project,
                dataset=public.find_dataset(owner, project, dataset.slug),
                target=target.slug,
                scorers=[SCORER],
                by=owner,
                concurrency=48,
                timeout_s=1.0,
                retries=8,
            )
            work(runs[system].pk)
        for system, run in runs.items():
            run.refresh_from_db()
            answer = (run.summary or {})["scores"]["answer"]
            assert (run.status, run.succeeded, run.failed) == ("completed", 1319, 0), run.reason
            assert (answer["n"], answer["passed"]) == (1319, CORRECT[system])
        assert {"429", "500", "stall"} <= set(provider.mischief), "the mischief was really there"
    assert RunEvent.objects.filter(kind="seats").exists()
