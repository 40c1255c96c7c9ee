"""Built-in scorers: pure functions from an output and an expected output to a score.

scorer = build(parse_spec('{"use": "numeric_match", "name": "answer", "extract": "A: (.+)"}'))
scorer.score("A: 18", "18", item={})
"""

from runs_app.scorers.base import (
    MARGIN,
    Builtin,
    Param,
    ScoreOutcome,
    Scorer,
    ScorerSpec,
    SpecError,
)
from runs_app.scorers.spec import build, catalogue, parse_spec

__all__ = [
    "MARGIN",
    "Builtin",
    "Param",
    "ScoreOutcome",
    "Scorer",
    "ScorerSpec",
    "SpecError",
    "build",
    "catalogue",
    "parse_spec",
]
