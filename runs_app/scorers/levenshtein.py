"""levenshtein: how similar the output is to the expected output, from 0 to 1.

1 − edits / length of the longer text, where an edit inserts, deletes or replaces one character.
"""

from collections.abc import Mapping
from typing import Any, Final

from rapidfuzz.distance import Levenshtein

from runs_app.scorers.base import (
    EQUAL,
    NO_ANSWER,
    Builtin,
    Judge,
    Param,
    ScoreOutcome,
    ScoringLimitError,
    as_text,
)
from runs_app.scorers.extraction import EXTRACT, Extraction

MAX_LENGTH: Final = 20_000


def _make(params: Mapping[str, Any]) -> Judge:
    extraction = Extraction(params, scorer="levenshtein")

    def judge(output: Any, expected: Any) -> ScoreOutcome:
        got = extraction.from_output(as_text(output))
        if got is None:
            return NO_ANSWER
        wanted = extraction.from_expected(as_text(expected))
        if got == wanted:
            return EQUAL
        # The work grows with the product of the lengths.
        for name, text in (("output", got), ("expected output", wanted)):
            if len(text) > MAX_LENGTH:
                raise ScoringLimitError(
                    f"The {name} has {len(text):,} characters; at most {MAX_LENGTH:,} are compared."
                )
        edits = Levenshtein.distance(got, wanted)
        longer = max(len(got), len(wanted))
        reason = f"{_count(edits, 'edit')} over {_count(longer, 'character')}."
        return ScoreOutcome("scored", 1 - edits / longer, reason)

    return judge


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


LEVENSHTEIN: Final = Builtin(
    use="levenshtein",
    label="Levenshtein similarity",
    description=(
        "Scores from 0 to 1 how similar the output is to the expected output, by the number of "
        "characters to insert, delete or replace."
    ),
    kind="continuous",
    params=(
        EXTRACT,
        Param(
            name="threshold",
            label="Pass threshold",
            type="number",
            default=0.8,
            help="The similarity, from 0 to 1, from which a result passes.",
        ),
    ),
    make=_make,
)
