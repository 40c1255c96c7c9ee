"""contains: the expected output stands somewhere in the output; of a list, every element does."""

from collections.abc import Mapping
from typing import Any, Final

from runs_app.scorers.base import (
    IGNORE_CASE,
    NO_ANSWER,
    Builtin,
    Judge,
    ScoreOutcome,
    as_text,
    failed,
    quote,
)
from runs_app.scorers.extraction import EXTRACT, Extraction

_FOUND: Final = ScoreOutcome("scored", 1.0, "The output contains what is expected.")
_NOTHING_EXPECTED: Final = ScoreOutcome(
    "not_scored", None, "The expected output is empty, and every output contains that."
)


def _make(params: Mapping[str, Any]) -> Judge:
    extraction = Extraction(params, scorer="contains")
    ignore_case: bool = params["ignore_case"]

    def judge(output: Any, expected: Any) -> ScoreOutcome:
        wanted = [
            extraction.from_expected(as_text(one))
            for one in (expected if isinstance(expected, list) else [expected])
        ]
        if not any(wanted):
            return _NOTHING_EXPECTED
        answer = extraction.from_output(as_text(output))
        if answer is None:
            return NO_ANSWER
        got = answer.casefold() if ignore_case else answer
        missing = [one for one in wanted if (one.casefold() if ignore_case else one) not in got]
        return _FOUND if not missing else failed(_missing(missing, len(wanted)))

    return judge


def _missing(missing: list[str], expected: int) -> str:
    if expected == 1:
        return f"The output does not contain {quote(missing[0])}."
    return (
        f"The output lacks {len(missing):,} of the {expected:,} texts expected, "
        f"first {quote(missing[0])}."
    )


CONTAINS: Final = Builtin(
    use="contains",
    label="Contains",
    description=(
        "Passes when the output contains the expected output; when that is a list, every element."
    ),
    kind="binary",
    params=(
        EXTRACT,
        IGNORE_CASE,
    ),
    make=_make,
)
