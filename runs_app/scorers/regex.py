"""regex: a regular expression matches somewhere in the output; no expected output is needed."""

from collections.abc import Mapping
from typing import Any, Final

from runs_app.scorers.base import (
    NO_ANSWER,
    Builtin,
    Judge,
    Param,
    ScoreOutcome,
    SpecError,
    as_text,
    failed,
)
from runs_app.scorers.extraction import EXTRACT, Extraction, Pattern

_FOUND: Final = ScoreOutcome("scored", 1.0, "The pattern matches the output.")
_NOT_FOUND: Final = failed("The pattern matches nowhere in the output.")


def _make(params: Mapping[str, Any]) -> Judge:
    if params["pattern"] is None:
        raise SpecError("regex: “pattern” is missing.", "/pattern")
    pattern = Pattern(params["pattern"], scorer="regex", param="pattern")
    extraction = Extraction(params, scorer="regex")

    def judge(output: Any, expected: Any) -> ScoreOutcome:
        answer = extraction.from_output(as_text(output))
        if answer is None:
            return NO_ANSWER
        return _FOUND if pattern.found_in(answer) else _NOT_FOUND

    return judge


REGEX: Final = Builtin(
    use="regex",
    label="Regular expression",
    description="Passes when a regular expression matches somewhere in the output.",
    kind="binary",
    params=(
        Param(
            name="pattern",
            label="Pattern",
            type="regex",
            default=None,
            help="A regular expression, required. (?i) at its start ignores case.",
        ),
        EXTRACT,
    ),
    make=_make,
    needs_expected=False,
)
