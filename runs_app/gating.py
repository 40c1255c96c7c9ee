"""Gates on the comparison of two runs: the facts that `statistics/gates.py` decides on."""

from __future__ import annotations

from collections.abc import Sequence

from evalhub.kit.errors import FieldError, Invalid
from runs_app import passing
from runs_app.comparing import Comparison
from runs_app.comparison import ScorerComparison
from runs_app.models import Result, Run, Score
from runs_app.statistics.gates import (
    Gate,
    GateFacts,
    GateOutcome,
    GateScorer,
    check_gates,
    parse_gate,
)

MOST_GATES = 20
MOST_ITEMS = 1_000
Asked = tuple[str, Gate]


def parse_gates(given: str | Sequence[str]) -> list[Asked]:
    """Each gate with its text. Raises Invalid with pointers under /gate."""
    texts = [given] if isinstance(given, str) else list(given)
    problems: list[FieldError] = []
    gates: list[Asked] = []
    for place, text in enumerate(texts):
        pointer = "/gate" if isinstance(given, str) else f"/gate/{place}"
        try:
            gates.append((text, parse_gate(text)))
        except ValueError as error:
            problems.append(FieldError(pointer, str(error)))
    if len(texts) > MOST_GATES:
        problems.append(FieldError("/gate", f"There are at most {MOST_GATES} gates."))
    if sum(len(gate.items) for _, gate in gates) > MOST_ITEMS:
        problems.append(FieldError("/gate", f"At most {MOST_ITEMS:,} items can be named."))
    if problems:
        raise Invalid(problems[0].detail, errors=problems)
    return gates


def margins_of(gates: Sequence[Asked], primary: str) -> dict[str, float]:
    """{scorer: points} of the non-inferiority gates: the margins that verdicts are then held to."""
    return {gate.scorer or primary: gate.number for _, gate in gates if gate.rule == "non-inferior"}


def outcome(found: Comparison, run_b: Run, gates: Sequence[Asked]) -> GateOutcome:
    """What the gates make of the comparison."""
    wanted = {number for _, gate in gates for number in gate.items}
    facts = GateFacts(
        finished=found.finished,
        scorers=tuple(_facts(scorer) for scorer in found.scorers),
        must_pass=_passing(run_b, found, wanted),
    )
    return check_gates(gates, facts)


def _facts(scorer: ScorerComparison) -> GateScorer:
    difference, second, p = scorer.difference, scorer.second_opinion, scorer.p
    towards = None if difference is None else difference.ci90
    if second is not None:
        p = None if p is None else max(p, second.sign_flip_p)
        towards = None if towards is None else towards.hull(second.bca90)
    if towards is not None and not scorer.higher_is_better:
        towards = towards.mirrored()
    return GateScorer(
        name=scorer.name,
        primary=scorer.primary,
        code=scorer.code,
        sentence=scorer.sentence,
        higher_is_better=scorer.higher_is_better,
        point=scorer.point,
        mean_b=scorer.b.mean,
        ci95_b=scorer.b.ci95,
        regressed=scorer.regressed,
        p=p,
        towards_better=towards,
    )


def _passing(run: Run, found: Comparison, numbers: set[int]) -> dict[int, bool | None]:
    """Whether each item passes the primary scorer in every repetition; an error does not."""
    primary = next((scorer.name for scorer in found.scorers if scorer.primary), None)
    scorer = next((each for each in run.scorers.all() if each.name == primary), None)
    if scorer is None or not numbers:
        return {}
    passes: dict[int, bool | None] = {}
    scores = Score.objects.filter(run_scorer=scorer, item_number__in=numbers)
    for number, value in scores.values_list("item_number", "value"):
        one = passing.passes(scorer, value)
        before = passes.get(number, True)
        passes[number] = False if False in (one, before) else None if one is None else before
    failed = Result.objects.filter(run=run, item_number__in=numbers).exclude(error_type="")
    return passes | dict.fromkeys(failed.values_list("item_number", flat=True), False)
