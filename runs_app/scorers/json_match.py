"""json_match: output and expected output are the same JSON, whatever the order of names.

A text that is JSON counts as that JSON, on both sides. Numbers are compared by value, so 1 equals
1.0; true does not equal 1.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from evalhub.kit.json import JsonError, canonical, loads
from runs_app.scorers.base import EQUAL, Builtin, Judge, Param, ScoreOutcome, failed, quote
from runs_app.scorers.numeric_match import TOLERANCE, is_close


def _make(params: Mapping[str, Any]) -> Judge:
    ignore = frozenset(params["ignore"])
    tolerance = Decimal(str(params["tolerance"]))

    def judge(output: Any, expected: Any) -> ScoreOutcome:
        wanted, _ = _parsed(expected)
        got, problem = _parsed(output)
        if problem and not isinstance(wanted, str):
            return failed(f"The output is not JSON. {problem}.")
        difference = _difference(wanted, got, "", ignore, tolerance)
        return EQUAL if difference is None else failed(difference)

    return judge


def _parsed(value: Any) -> tuple[Any, str]:
    """The JSON that a text holds, else the value itself; and why a text is no JSON."""
    if not isinstance(value, str):
        return value, ""
    try:
        return loads(value), ""
    except JsonError as error:
        return value, error.message


def _difference(
    wanted: Any, got: Any, pointer: str, ignore: frozenset[str], tolerance: Decimal
) -> str | None:
    """The first difference as a sentence, None when there is none.

    Names are visited in sorted order, so that the sentence does not depend on the database.
    """
    if isinstance(wanted, dict) and isinstance(got, dict):
        for name in sorted(wanted.keys() | got.keys()):
            if name in ignore:
                continue
            below = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            if name not in got:
                return f"The output lacks {below}."
            if name not in wanted:
                return f"The output has {below}, which is not expected."
            found = _difference(wanted[name], got[name], below, ignore, tolerance)
            if found is not None:
                return found
        return None
    if isinstance(wanted, list) and isinstance(got, list):
        # Not strict: a missing or superfluous end is reported only when the rest is equal.
        for index, (one, other) in enumerate(zip(wanted, got, strict=False)):
            found = _difference(one, other, f"{pointer}/{index}", ignore, tolerance)
            if found is not None:
                return found
        if len(wanted) > len(got):
            return f"The output lacks {pointer}/{len(got)}."
        if len(got) > len(wanted):
            return f"The output has {pointer}/{len(wanted)}, which is not expected."
        return None
    if _equal(wanted, got, tolerance):
        return None
    place = f" at {pointer}" if pointer else ""
    return f"Differs{place}: expected {_show(wanted)}, got {_show(got)}."


def _equal(wanted: Any, got: Any, tolerance: Decimal) -> bool:
    if _is_number(wanted) and _is_number(got):
        if wanted == got:
            return True
        return tolerance > 0 and is_close(Decimal(str(wanted)), Decimal(str(got)), tolerance)
    return type(wanted) is type(got) and bool(wanted == got)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return quote(value) if isinstance(value, str) else quote(canonical(value)).strip("“”")


JSON_MATCH: Final = Builtin(
    use="json_match",
    label="JSON match",
    description=(
        "Passes when output and expected output are the same JSON; the order of names does not "
        "matter. A text that holds JSON is read as that JSON."
    ),
    kind="binary",
    params=(
        Param(
            name="ignore",
            label="Ignored names",
            type="names",
            default=(),
            help="Names that are not compared, in whatever object they stand.",
        ),
        TOLERANCE,
    ),
    make=_make,
)
