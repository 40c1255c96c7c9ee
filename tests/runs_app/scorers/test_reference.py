import json

import pytest

from runs_app.scorers import build, parse_spec
from tests.reference import reference_dir

SPEC = {"use": "numeric_match", "name": "answer", "extract": "A:\\s*(.+)"}


@pytest.mark.parametrize(
    ("system", "right"),
    [
        ("6b_finetuning", 286),
        ("6b_verification", 515),
        ("175b_finetuning", 458),
        ("175b_verification", 742),
    ],
)
def test_gsm8k_answers_are_counted_exactly_and_all_are_scored(system: str, right: int) -> None:
    path = reference_dir() / "data/gsm8k/example_model_solutions.jsonl"
    scorer = build(parse_spec(SPEC))
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    outcomes = [scorer.score(row[system]["solution"], row["ground_truth"], item={}) for row in rows]
    assert [outcome.state for outcome in outcomes] == ["scored"] * 1_319
    assert sum(outcome.value or 0 for outcome in outcomes) == right
