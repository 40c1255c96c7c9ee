"""Saved targets: versions, references, health; and what a run keeps of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets_app.models import Dataset
from evalhub.access.models import AuditEntry, Project, User
from evalhub.kit.errors import Invalid, NotFound
from runs_app import saved_targets, targets
from runs_app.actions.targets import copy_target, delete_target, restore_target
from runs_app.engine.stay import work
from runs_app.models import Result, Run, SavedTarget
from tests.factories import STARTED, make_finished_run
from tests.runs_app.engine_help import starter
from tests.runs_app.saved import save

pytestmark = pytest.mark.db


@pytest.fixture
def saved(project: Project, editor: User) -> SavedTarget:
    return save(project, editor)


def test_a_target_is_saved_with_its_first_version(saved: SavedTarget, editor: User) -> None:
    assert (saved.slug, saved.version, saved.created_by) == ("my-echo", 1, editor)
    version = saved.versions.get()
    assert (version.number, version.config, version.author) == (1, {"id": "echo"}, editor)
    assert AuditEntry.objects.filter(action="target.created", subject="my-echo").exists()


def test_another_configuration_is_a_new_version_and_the_same_one_is_none(
    project: Project, saved: SavedTarget, editor: User
) -> None:
    again = save(project, editor, target=saved, name="Echo", description="Says it again")
    assert (again.version, again.name, again.slug) == (1, "Echo", "my-echo")
    changed = save(project, editor, target=saved, config={"id": "echo-sync"}, message="In threads")
    assert (changed.version, changed.versions.count()) == (2, 2)
    newest = saved_targets.find_target_version(changed)
    assert (newest.number, newest.message) == (2, "In threads")


def test_an_old_version_is_restored_as_a_new_one(
    project: Project, saved: SavedTarget, editor: User
) -> None:
    save(project, editor, target=saved, config={"id": "echo-sync"})
    saved.refresh_from_db()
    restored = restore_target(target=saved, number=1, by=editor)
    newest = saved_targets.find_target_version(restored)
    assert (newest.number, newest.config, newest.message) == (3, {"id": "echo"}, "Restored v1")
    with pytest.raises(NotFound):
        restore_target(target=saved, number=9, by=editor)


def test_a_copy_begins_at_version_1(saved: SavedTarget, editor: User) -> None:
    copy = copy_target(target=saved, by=editor)
    assert (copy.name, copy.slug, copy.version) == ("My echo (copy)", "my-echo-copy", 1)
    assert copy.versions.get().config == {"id": "echo"}


def test_a_deleted_target_is_gone_and_its_slug_is_free(
    project: Project, saved: SavedTarget, editor: User
) -> None:
    delete_target(target=saved, by=editor)
    with pytest.raises(NotFound):
        saved_targets.find_saved_target(editor, project, "my-echo")
    with pytest.raises(Invalid):
        targets.find("my-echo", project.slug)
    with pytest.raises(NotFound):
        save(project, editor, target=saved)
    assert save(project, editor).slug == "my-echo"


@pytest.mark.parametrize("name", ["New", "Tests", "recordings"])
def test_a_slug_never_hides_an_address_of_ours(project: Project, editor: User, name: str) -> None:
    assert save(project, editor, name=name).slug == f"{name.lower()}-target"


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"name": "  "}, ["/name"]),
        ({"kind": "robot", "transport": "pigeon"}, ["/kind", "/transport"]),
        ({"description": "x" * 501, "message": "x" * 501}, ["/description", "/message"]),
        ({"config": {"id": "nobody"}}, ["/config/id"]),
        ({"config": {}}, ["/config/id"]),
        ({"transport": "recorded", "config": {}}, ["/config"]),
        ({"transport": "recorded", "config": {"path": "x"}}, ["/config/path"]),
        ({"transport": "recorded", "config": {"run": 9}}, ["/config/run"]),
        ({"transport": "recorded", "config": {"recording": "x"}}, ["/config/recording"]),
        ({"transport": "recorded", "config": {"path": "input", "run": 1}}, ["/config"]),
        (
            {"transport": "scorer", "kind": "scorer", "config": {"scorer": {"use": "x"}}},
            ["/config/scorer/use"],
        ),
        ({"transport": "scorer", "config": {"scorer": {"use": "contains"}}}, ["/kind"]),
    ],
)
def test_a_target_that_cannot_be_is_refused_with_every_fault(
    project: Project, editor: User, changes: dict[str, Any], pointers: list[str]
) -> None:
    with pytest.raises(Invalid) as caught:
        save(project, editor, **changes)
    assert [error.pointer for error in caught.value.errors] == pointers
    assert not SavedTarget.objects.exists()


def test_kind_and_transport_stay_as_they_are(
    project: Project, saved: SavedTarget, editor: User
) -> None:
    with pytest.raises(Invalid, match="stay as they are"):
        save(project, editor, target=saved, kind="workflow")


def test_a_reference_finds_the_newest_version_or_the_one_that_it_names(
    project: Project, saved: SavedTarget, editor: User
) -> None:
    save(project, editor, target=saved, config={"id": "echo-sync"})
    newest = targets.find("my-echo", project.slug)
    assert (newest.ref, newest.version, newest.config) == ("my-echo", "2", {"id": "echo-sync"})
    first = targets.find("my-echo@1", project.slug)
    assert (first.ref, first.version, first.config) == ("my-echo@1", "1", {"id": "echo"})
    assert targets.find("My echo", project.slug).ref == "my-echo"
    with pytest.raises(Invalid):
        targets.find("my-echo@3", project.slug)


def test_an_id_is_tried_before_a_name_and_a_saved_target_before_a_registered_one(
    project: Project, editor: User
) -> None:
    save(project, editor, name="Slow echo")  # the name of a registered one
    save(project, editor, name="echo")  # the id of a registered one
    save(project, editor, name="Other")
    SavedTarget.objects.filter(slug="other").update(name="echo-sync")  # a name, there an id
    assert targets.find("Slow echo", project.slug).transport == "python"
    assert targets.find("Slow echo", project.slug).ref == "slow-echo"
    assert targets.find("echo", project.slug).ref == "echo"
    assert targets.find("python:echo", project.slug).ref == "python:echo"
    assert targets.find("echo-sync", project.slug).ref == "python:echo-sync"


def test_a_misspelt_reference_is_told_a_saved_target(project: Project, saved: SavedTarget) -> None:
    with pytest.raises(Invalid, match="Did you mean “my-echo”"):
        targets.find("my-ecko", project.slug)


def test_saved_targets_come_before_registered_ones(project: Project, saved: SavedTarget) -> None:
    found = targets.available(project.slug)
    assert found[0].ref == "my-echo"
    assert "python:echo" in [one.ref for one in found]
    assert "my-echo" not in [one.ref for one in targets.available("elsewhere")]


@pytest.mark.django_db(transaction=True)
def test_a_run_keeps_the_snapshot_that_it_was_started_with(
    project: Project, owner: User, saved: SavedTarget
) -> None:
    run = starter(project, owner)(["a"], "my-echo")
    save(project, owner, target=saved, config={"id": "moody"})
    delete_target(target=saved, by=owner)
    work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.target["version"]) == ("completed", "1")
    assert (run.target["id"], run.target["config"]) == ("my-echo", {"id": "echo"})
    assert Result.objects.get(run=run).output_json == '"a"'


@pytest.mark.django_db(transaction=True)
def test_the_saved_kind_reads_what_a_function_gives(
    project: Project, owner: User, editor: User
) -> None:
    save(project, editor, name="As workflow", kind="workflow")
    run = starter(project, owner)(
        [{"input": {"status": "ok", "result": 1}}, {"input": {"status": "suspended"}}],
        "as-workflow",
    )
    work(run.pk)
    good, bad = Result.objects.filter(run=run).order_by("item_number")
    assert good.output_json == "1"
    assert bad.error_type == "suspended"


@pytest.mark.django_db(transaction=True)
def test_a_run_over_the_outputs_of_another_ends_as_that_did(
    project: Project, dataset: Dataset, owner: User
) -> None:
    from datasets_app import public
    from runs_app.actions import start_run

    first = make_finished_run(dataset, owner, ["2", TimeoutError("slow")], {"exact": [1, None]})
    run = start_run(
        project=project,
        dataset=public.find_dataset(owner, project, dataset.slug),
        target=f"run:{first.number}",
        scorers=["exact_match"],
        by=owner,
    )
    work(run.pk)
    rows = Result.objects.filter(run=run).order_by("item_number")
    assert [row.output_json for row in rows] == ['"2"', None, None]
    assert [row.error_type for row in rows] == ["", "TimeoutError", "no_recorded_output"]


def runs_of(ref: str, dataset: Dataset, by: User, outputs: list[Any], hours: int) -> Run:
    scores = {"exact": [None if isinstance(one, Exception) else 1.0 for one in outputs]}
    run = make_finished_run(dataset, by, outputs, scores, latencies=[100.0 * hours] * len(outputs))
    run.target_ref = ref
    run.finished_at = STARTED + timedelta(hours=hours)
    run.save()
    return run


def test_health_comes_from_the_last_runs(
    project: Project, dataset: Dataset, editor: User, saved: SavedTarget
) -> None:
    runs_of("my-echo", dataset, editor, ["a", "b"], hours=1)
    runs_of("my-echo@1", dataset, editor, ["a", ValueError("no")], hours=2)
    runs_of("python:echo", dataset, editor, [ValueError("no")], hours=3)
    found = saved_targets.health(project, ["my-echo", "python:echo", "python:moody"])
    mine = found["my-echo"]
    assert (mine.runs, mine.ok, mine.results, mine.share) == (2, 3, 4, 0.75)
    assert (mine.p50_ms, mine.state) == (200.0, "troubled")
    assert mine.last_at == STARTED + timedelta(hours=2)
    assert (found["python:echo"].state, found["python:echo"].p50_ms) == ("failing", None)
    assert found["python:moody"].state == "unknown"


def test_health_looks_at_the_newest_runs_alone_but_counts_all(
    project: Project, dataset: Dataset, editor: User
) -> None:
    runs_of("python:echo", dataset, editor, [ValueError("no")], hours=1)
    for hour in range(2, 2 + saved_targets.HEALTH_RUNS):
        runs_of("python:echo", dataset, editor, ["a"], hours=hour)
    found = saved_targets.health(project, ["python:echo"])["python:echo"]
    assert (found.runs, found.results, found.state) == (11, 10, "healthy")


def test_tests_of_a_target_are_calls_too_but_no_runs(
    project: Project, dataset: Dataset, editor: User
) -> None:
    runs_of("python:echo", dataset, editor, ["a"], hours=1)
    trial = runs_of("python:echo", dataset, editor, [ValueError("no")], hours=2)
    Run.objects.filter(pk=trial.pk).update(purpose="check", number=-1)
    found = saved_targets.health(project, ["python:echo"])["python:echo"]
    assert (found.runs, found.ok, found.results) == (1, 1, 2)
    assert found.last_at == STARTED + timedelta(hours=2)


def test_health_of_many_targets_takes_one_query(
    project: Project, dataset: Dataset, editor: User
) -> None:
    refs = [f"python:t{n}" for n in range(30)]
    for place, ref in enumerate(refs[:5]):
        runs_of(ref, dataset, editor, ["a"], hours=place + 1)
    with CaptureQueriesContext(connection) as queries:
        assert len(saved_targets.health(project, refs)) == 30
    assert len(queries) == 1
