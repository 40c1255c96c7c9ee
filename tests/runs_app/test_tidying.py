"""Old trials are removed, in batches; runs and what goes on are left alone."""

from __future__ import annotations

import pytest

from evalhub.access.models import Project, User
from evalhub.kit.clock import in_seconds
from runs_app import states
from runs_app.actions.trial import start_trial
from runs_app.engine import tidying
from runs_app.engine.stay import work
from runs_app.engine.sweeper import sweep
from runs_app.engine.tidying import tidy_trials
from runs_app.models import Result, Run, RunScorer, Score, Shard
from tests.factories import make_dataset, make_finished_run, questions

pytestmark = [pytest.mark.django_db, pytest.mark.db]


def trials(project: Project, by: User, n: int, status: str = states.COMPLETED) -> list[Run]:
    """Trials of that status, without results."""
    made = [start_trial(project=project, target="echo", input=i, by=by) for i in range(n)]
    Run.objects.filter(pk__in=[run.pk for run in made]).update(status=status)
    return made


def numbers() -> list[int]:
    return list(Run.objects.order_by("-number").values_list("number", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_trial_of_yesterday_goes_with_all_its_rows(project: Project, editor: User) -> None:
    run = start_trial(
        project=project,
        target="echo",
        input=1,
        expected_output=1,
        scorers=["exact_match"],
        by=editor,
    )
    work(run.pk)
    assert (Result.objects.count(), Score.objects.count()) == (1, 1)
    assert tidy_trials() == 0
    Run.objects.update(created_at=in_seconds(-tidying.KEPT_SECONDS - 1))
    assert tidy_trials() == 1
    for rows in (Run, Result, Score, RunScorer, Shard):
        assert rows.objects.count() == 0


def test_old_runs_and_trials_that_go_on_are_kept(project: Project, editor: User) -> None:
    kept = make_finished_run(
        make_dataset(project, editor, questions(1)), editor, ["x"], {"exact": [1]}
    )
    waiting = trials(project, editor, 1, states.PENDING)
    Run.objects.update(created_at=in_seconds(-tidying.KEPT_SECONDS - 1))
    assert tidy_trials() == 0
    assert numbers() == [kept.number, waiting[0].number]


def test_beyond_the_newest_of_a_project_the_oldest_go_a_batch_at_a_time(
    project: Project, editor: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "KEPT_IN_PROJECT", 3)
    monkeypatch.setattr(tidying, "BATCH", 2)
    trials(Project.objects.get(slug="elsewhere"), stranger, 3)
    trials(project, editor, 6)
    assert [tidy_trials() for _ in range(3)] == [2, 1, 0]
    assert numbers() == [-1, -2, -3, -4, -5, -6]
    mine = Run.objects.filter(project=project).order_by("-number")
    assert list(mine.values_list("number", flat=True)) == [-4, -5, -6]


def test_the_sweeper_tidies_now_and_then(
    project: Project, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "_next_look", 0.0)
    trials(project, editor, 1)
    Run.objects.update(created_at=in_seconds(-tidying.KEPT_SECONDS - 1))
    sweep()
    assert numbers() == []
    sweep()  # nothing left, so the next look is in a minute
    trials(project, editor, 1)
    Run.objects.update(created_at=in_seconds(-tidying.KEPT_SECONDS - 1))
    sweep()
    assert numbers() == [-1]
