"""exact_match: the output is the expected output, character by character."""

from collections.abc import Mapping
from typing import Any, Final

from runs_app.scorers.base import (
    EQUAL,
    IGNORE_CASE,
    NO_ANSWER,
    Builtin,
    Judge,
    Param,
    ScoreOutcome,
    as_text,
    failed,
    quote,
)
from runs_app.scorers.extraction import EXTRACT, Extraction

_EXCERPT = 20


def _make(params: Mapping[str, Any]) -> Judge:
    extraction = Extraction(params, scorer="exact_match")
    ignore_case: bool = params["ignore_case"]
    ignore_space: bool = params["ignore_space"]

    def plain(text: str) -> str:
        if ignore_space:
            text = " ".join(text.split())
        return text.casefold() if ignore_case else text

    def judge(output: Any, expected: Any) -> ScoreOutcome:
        answer = extraction.from_output(as_text(output))
        if answer is None:
            return NO_ANSWER
        got = plain(answer)
        wanted = plain(extraction.from_expected(as_text(expected)))
        return EQUAL if got == wanted else failed(_difference(wanted, got))

    return judge


def _difference(wanted: str, got: str) -> str:
    at = _first_difference(wanted, got)
    pieces = [quote(text[at:], _EXCERPT) if at < len(text) else "the end" for text in (wanted, got)]
    return f"Differs from character {at + 1:,}: expected {pieces[0]}, got {pieces[1]}."


def _first_difference(one: str, other: str) -> int:
    """Offset of the first character that differs; halving slices leaves the work to memcmp."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


EXACT_MATCH: Final = Builtin(
    use="exact_match",
    label="Exact match",
    description="Passes when the output equals the expected output.",
    kind="binary",
    params=(
        EXTRACT,
        IGNORE_CASE,
        Param(
            name="ignore_space",
            label="Ignore space",
            type="boolean",
            default=False,
            help="Space at both ends is dropped, and any other run of it counts as one space.",
        ),
    ),
    make=_make,
)
