"""numeric_match: the output is the expected number, computed in decimals.

Space around it, commas between thousands and a leading dollar sign are dropped; all the rest must
be one decimal number. "1,234.50" is a number; "12 eggs", "3,4" and "NaN" are none.
"""

import decimal
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from runs_app.scorers.base import (
    NO_ANSWER,
    Builtin,
    Judge,
    Param,
    ScoreOutcome,
    as_text,
    failed,
)
from runs_app.scorers.extraction import EXTRACT, Extraction

MAX_LENGTH: Final = 400

TOLERANCE: Final = Param(
    name="tolerance",
    label="Tolerance",
    type="number",
    default=0,
    help="The largest difference, in the number's own unit, that still passes.",
)

_NUMBER = re.compile(
    r"[+-]?"
    r"(?:(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)"
    r"(?:[eE][+-]?[0-9]{1,3})?"
)
# Exact for any two numbers of MAX_LENGTH characters and three digits of exponent.
_EXACT = decimal.Context(prec=3_000, Emax=9_999, Emin=-9_999, traps=[decimal.Inexact])
_EQUAL: Final = ScoreOutcome("scored", 1.0, "Equal to the expected number.")
_EXPECTED_IS_NO_NUMBER: Final = ScoreOutcome(
    "not_scored", None, "The expected output is no number."
)


def read_number(text: str) -> Decimal | None:
    """The number that the whole text is, None when it is none or longer than MAX_LENGTH."""
    rest = text.strip().removeprefix("$").lstrip()
    if len(rest) > MAX_LENGTH or not _NUMBER.fullmatch(rest):
        return None
    return Decimal(rest.replace(",", ""))


def is_close(one: Decimal, other: Decimal, tolerance: Decimal) -> bool:
    """Whether two numbers differ by at most `tolerance`, without any rounding."""
    return one == other or _EXACT.abs(_EXACT.subtract(one, other)) <= tolerance


def _make(params: Mapping[str, Any]) -> Judge:
    extraction = Extraction(params, scorer="numeric_match")
    tolerance = Decimal(str(params["tolerance"]))
    close = ScoreOutcome("scored", 1.0, f"Within {tolerance} of the expected number.")

    def judge(output: Any, expected: Any) -> ScoreOutcome:
        wanted = read_number(extraction.from_expected(as_text(expected)))
        if wanted is None:
            return _EXPECTED_IS_NO_NUMBER
        answer = extraction.from_output(as_text(output))
        got = None if answer is None else read_number(answer)
        if got is None:
            return NO_ANSWER
        if got == wanted:
            return _EQUAL
        if is_close(got, wanted, tolerance):
            return close
        margin = f" ± {tolerance}" if tolerance else ""
        return failed(f"Expected {_show(wanted)}{margin}, got {_show(got)}.")

    return judge


def _show(number: Decimal) -> str:
    text = str(number).replace("-", "−").replace("E+", "E")
    return text if len(text) <= 30 else f"{text[:30]}…"


NUMERIC_MATCH: Final = Builtin(
    use="numeric_match",
    label="Numeric match",
    description=(
        "Passes when the output is the expected number. "
        "Space, commas between thousands and a leading $ do not matter."
    ),
    kind="binary",
    params=(EXTRACT, TOLERANCE),
    make=_make,
)
