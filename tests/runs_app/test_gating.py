"""Gates on real runs."""

from __future__ import annotations

import pytest

from evalhub.access.models import Project, User
from runs_app.comparing import compare
from runs_app.gating import margins_of, outcome, parse_gates
from runs_app.models import Run
from tests.factories import make_dataset, make_finished_run, questions

pytestmark = [pytest.mark.db, pytest.mark.django_db]

BROKEN = RuntimeError("broken")


@pytest.fixture
def pair(project: Project, owner: User) -> tuple[Run, Run]:
    """40 items: A passes 30; B loses items 1 to 12, and item 40 is an error there."""
    dataset = make_dataset(project, owner, questions(40))
    a = make_finished_run(dataset, owner, ["x"] * 40, {"exact": [1] * 30 + [0] * 10})
    b = make_finished_run(
        dataset, owner, ["x"] * 39 + [BROKEN], {"exact": [0] * 12 + [1] * 18 + [0] * 9 + [None]}
    )
    return a, b


def decide(pair: tuple[Run, Run], *gates: str) -> tuple[int, list[str]]:
    asked = parse_gates(gates)
    found = outcome(compare(*pair, margins=margins_of(asked, "exact")), pair[1], asked)
    return found.exit_code, [reason.state for reason in found.reasons]


def test_a_regression_fails_and_improvement_passes(pair: tuple[Run, Run]) -> None:
    assert decide(pair, "no-significant-regression") == (3, ["failed"])
    assert decide((pair[1], pair[0]), "no-significant-regression") == (0, ["passed"])


def test_each_rule_looks_at_b(pair: tuple[Run, Run]) -> None:
    assert decide(pair, "threshold:0.4", "max-regressed-items:12") == (0, ["passed", "passed"])
    assert decide(pair, "threshold:0.5", "max-regressed-items:11") == (3, ["failed", "failed"])
    assert decide(pair, "non-inferior:2")[0] == 3
    assert decide((pair[1], pair[0]), "non-inferior:2")[0] == 0


def test_must_pass_knows_passes_fails_errors_and_what_is_not_there(pair: tuple[Run, Run]) -> None:
    assert decide(pair, "must-pass:13,14") == (0, ["passed"])
    assert decide(pair, "must-pass:13,1") == (3, ["failed"])
    assert decide(pair, "must-pass:13,40") == (3, ["failed"])
    assert decide(pair, "must-pass:13,99") == (4, ["inconclusive"])


def test_an_item_must_pass_every_time(project: Project, owner: User) -> None:
    dataset = make_dataset(project, owner, questions(2))
    run = make_finished_run(dataset, owner, ["x"] * 4, {"exact": [1, 1, 1, 0]}, repetitions=2)
    assert decide((run, run), "must-pass:1") == (0, ["passed"])
    assert decide((run, run), "must-pass:2") == (3, ["failed"])
    assert decide((run, run), "no-significant-regression") == (4, ["inconclusive"])
