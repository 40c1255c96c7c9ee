"""Trials: runs with one item of their own, started, worked on by the engine, and read back."""

from __future__ import annotations

from typing import Any

import pytest

from evalhub.access.models import Project, User
from evalhub.kit.errors import Conflict, Invalid, NotFound
from evalhub.kit.json import ABSENT
from evalhub.kit.models import Worker
from runs_app import queries, states
from runs_app.actions.trial import cancel_trial, start_trial
from runs_app.engine.stay import work
from runs_app.models import Purpose, Result, Run
from runs_app.trials import TrialState, find_trial
from tests.factories import make_dataset, make_finished_run, questions

pytestmark = pytest.mark.django_db


def tried(project: Project, by: User, input: Any, **options: Any) -> TrialState:
    """A trial that a worker has been at."""
    options.setdefault("target", "python:echo")
    run = start_trial(project=project, input=input, by=by, **options)
    work(run.pk)
    return find_trial(by, project, str(run.uuid))


@pytest.mark.db
@pytest.mark.django_db(transaction=True)
def test_a_trial_calls_the_target_once_and_scores_what_it_gives(
    project: Project, editor: User
) -> None:
    state = tried(
        project, editor, {"q": 1}, expected_output={"q": 2}, scorers=["exact_match", "levenshtein"]
    )
    assert (state.status, state.running) == (states.COMPLETED, False)
    assert state.outcome is not None
    assert state.outcome.output_json == '{"q":1}'
    assert [(score.name, score.passed) for score in state.scores] == [
        ("exact_match", False),
        ("levenshtein", True),
    ]
    assert (state.input_json, state.expected_json) == ('{"q":1}', '{"q":2}')
    assert state.outcome.retries == 0
    assert state.finished_at is not None


@pytest.mark.db
@pytest.mark.django_db(transaction=True)
def test_an_expected_null_is_no_missing_one(project: Project, editor: User) -> None:
    null = tried(project, editor, None, expected_output=None, scorers=["exact_match"])
    none = tried(project, editor, None, expected_output=ABSENT, scorers=["exact_match"])
    assert [score.state for score in (*null.scores, *none.scores)] == ["scored", "not_scored"]


@pytest.mark.django_db(transaction=True)
def test_an_error_is_typed_and_not_tried_again(project: Project, editor: User) -> None:
    state = tried(project, editor, "raise", target="python:moody", scorers=["exact_match"])
    assert state.outcome is not None
    assert (state.outcome.output_json, state.outcome.retries) == (None, 0)
    assert "no mood for this" in state.outcome.error_message
    assert state.scores == ()


@pytest.mark.django_db(transaction=True)
def test_a_timeout_ends_a_target_that_never_answers(project: Project, editor: User) -> None:
    state = tried(project, editor, 1, target="python:stall", timeout_s=0.1)
    assert state.outcome is not None
    assert state.outcome.error_type == "timeout"


def test_trials_have_numbers_of_their_own_and_stay_out_of_the_lists(
    project: Project, editor: User
) -> None:
    dataset = make_dataset(project, editor, questions(1))
    first = make_finished_run(dataset, editor, ["x"], {"exact": [1]})
    trials = [start_trial(project=project, target="echo", input=n, by=editor) for n in (1, 2)]
    second = make_finished_run(dataset, editor, ["x"], {"exact": [1]})
    assert second.number == first.number + 1
    assert [trial.number for trial in trials] == [-1, -2]
    assert [run.pk for run in queries.runs(editor, project)] == [second.pk, first.pk]
    with pytest.raises(NotFound):
        queries.find_run(editor, project, str(trials[0].uuid))


def test_every_problem_is_named_and_nothing_is_written(project: Project, editor: User) -> None:
    with pytest.raises(Invalid) as refused:
        start_trial(
            project=project,
            target="nowhere",
            input={"x": float("nan")},
            context=["not an object"],
            metadata="neither",
            scorers=["nosuch"],
            timeout_s=0,
            by=editor,
        )
    assert sorted(error.pointer for error in refused.value.errors) == [
        "/context",
        "/input",
        "/metadata",
        "/scorers/0/use",
        "/target",
        "/timeout",
    ]
    assert Run.objects.count() == 0


def test_a_pending_trial_says_when_no_worker_is_alive(project: Project, editor: User) -> None:
    run = start_trial(project=project, target="echo", input=1, by=editor)
    assert find_trial(editor, project, str(run.uuid)).waiting_for_worker
    Worker.objects.create(name="worker-1", pid=1)
    state = find_trial(editor, project, str(run.uuid))
    assert (state.waiting_for_worker, state.running) == (False, True)


@pytest.mark.django_db(transaction=True)
def test_a_trial_without_a_worker_on_it_is_cancelled_at_once(
    project: Project, editor: User
) -> None:
    run = start_trial(project=project, target="python:stall", input=1, by=editor)
    assert cancel_trial(run=run).status == states.CANCELLED
    work(run.pk)
    assert not Result.objects.exists()
    state = find_trial(editor, project, str(run.uuid))
    assert (state.outcome, state.running) == (None, False)


@pytest.mark.django_db(transaction=True)
def test_a_trial_that_is_over_cannot_be_cancelled(project: Project, editor: User) -> None:
    tried(project, editor, 1)
    with pytest.raises(Conflict):
        cancel_trial(run=Run.objects.get())


def test_only_members_find_a_trial_and_only_trials_are_found(
    project: Project, editor: User, viewer: User, stranger: User
) -> None:
    run = start_trial(project=project, target="echo", input=1, by=editor, purpose=Purpose.CHECK)
    assert find_trial(viewer, project, str(run.uuid)).purpose == "check"
    listed = make_finished_run(
        make_dataset(project, editor, questions(1)), editor, ["x"], {"exact": [1]}
    )
    for user, id in ((stranger, run.uuid), (editor, listed.uuid), (editor, "no uuid")):
        with pytest.raises(NotFound):
            find_trial(user, project, str(id))


def test_a_poll_takes_the_same_few_queries_whatever_the_number_of_scorers(
    project: Project, editor: User, django_assert_max_num_queries: Any
) -> None:
    run = start_trial(
        project=project, target="echo", input=1, by=editor, scorers=["exact_match", "levenshtein"]
    )
    with django_assert_max_num_queries(4):
        find_trial(editor, project, str(run.uuid))
