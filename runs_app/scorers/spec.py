"""From a scorer's specification, as people write it, to a scorer that can score."""

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from evalhub.kit.json import JsonError, loads
from runs_app.scorers.base import MARGIN, Builtin, Param, Scorer, ScorerSpec, SpecError
from runs_app.scorers.contains import CONTAINS
from runs_app.scorers.exact_match import EXACT_MATCH
from runs_app.scorers.json_match import JSON_MATCH
from runs_app.scorers.levenshtein import LEVENSHTEIN
from runs_app.scorers.numeric_match import NUMERIC_MATCH
from runs_app.scorers.regex import REGEX

MAX_NAME_LENGTH: Final = 100

_BUILTINS: Final = {
    builtin.use: builtin
    for builtin in (EXACT_MATCH, CONTAINS, REGEX, NUMERIC_MATCH, LEVENSHTEIN, JSON_MATCH)
}


def catalogue() -> tuple[Builtin, ...]:
    """The built-in scorers in the order in which forms offer them."""
    return tuple(_BUILTINS.values())


def parse_spec(spec: str | Mapping[str, Any]) -> ScorerSpec:
    """The checked scorer that `spec` asks for.

    `spec` is a built-in's name, a JSON object as text, or that object: `use` (a built-in's name),
    `name` (default: the same), `margin` (points, 0 to 100) and the built-in's parameters. Raises
    SpecError.
    """
    given = _as_mapping(spec)
    builtin = _builtin(given.get("use"))
    known = ("use", "name", MARGIN.name, *(param.name for param in builtin.params))
    for key in given:
        if key not in known:
            raise SpecError(
                f"{builtin.use} has no parameter '{key}'.{_suggestion(key, known)}",
                f"/{str(key).replace('~', '~0').replace('/', '~1')}",
            )
    params = {
        param.name: _checked(builtin.use, param, given.get(param.name, param.default))
        for param in builtin.params
    }
    checked = ScorerSpec(
        use=builtin.use,
        name=_name(given.get("name", builtin.use)),
        threshold=params.pop("threshold", None),
        params=params,
        kind=builtin.kind,
        higher_is_better=True,
        low=0.0,
        high=1.0,
        margin=_margin(given.get(MARGIN.name)),
    )
    build(checked)  # so that a bad regular expression is refused here, not in the worker
    return checked


def build(spec: ScorerSpec) -> Scorer:
    """The scorer itself; compiles its regular expressions, once. Raises SpecError."""
    builtin = _builtin(spec.use)
    return Scorer(spec, builtin.make(spec.params), needs_expected=builtin.needs_expected)


def _as_mapping(spec: str | Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(spec, str):
        if not isinstance(spec, Mapping):
            raise SpecError("A scorer is a name or a JSON object.")
        return spec
    if not spec.lstrip().startswith("{"):
        return {"use": spec.strip()}
    try:
        value: dict[str, Any] = loads(spec, what="Scorer")
    except JsonError as error:
        raise SpecError(f"{error.message}.") from None
    return value


def _builtin(use: object) -> Builtin:
    names = ", ".join(_BUILTINS)
    if use is None or use == "":
        raise SpecError(f"A scorer needs “use”, the name of a built-in: {names}.", "/use")
    if not isinstance(use, str):
        raise SpecError(f"“use” is the name of a built-in scorer: {names}.", "/use")
    if use not in _BUILTINS:
        hint = _suggestion(use, _BUILTINS) or f" Built-in scorers: {names}."
        raise SpecError(f"There is no scorer '{use[:60]}'.{hint}", "/use")
    return _BUILTINS[use]


def _suggestion(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word.lower()[:60], list(known), n=1, cutoff=0.5)
    return f" Did you mean '{close[0]}'?" if close else ""


def _name(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise SpecError("A scorer's “name” is a text that is not empty.", "/name")
    if len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise SpecError(
            f"A scorer's “name” has at most {MAX_NAME_LENGTH} characters, all on one line.",
            "/name",
        )
    return name.strip()


def _margin(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise SpecError("A scorer's “margin” is a number of points from 0 to 100.", "/margin")
    return value


def _checked(use: str, param: Param, value: Any) -> Any:
    """The value of a parameter in the form that `make` takes."""
    pointer = f"/{param.name}"
    if param.type == "boolean":
        if not isinstance(value, bool):
            raise SpecError(f"{use}: “{param.name}” is true or false.", pointer)
        return value
    if param.type == "regex":
        if value is not None and not isinstance(value, str):
            raise SpecError(f"{use}: “{param.name}” is a regular expression.", pointer)
        return value or None
    if param.type == "names":
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            raise SpecError(f"{use}: “{param.name}” is a list of names.", pointer)
        return list(value)
    if param.name == "threshold" and value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(f"{use}: “{param.name}” is a number.", pointer)
    if not (math.isfinite(value) and 0 <= value < 1e300):
        raise SpecError(f"{use}: “{param.name}” is a number from 0 upwards.", pointer)
    if param.name == "threshold" and value > 1:
        raise SpecError(f"{use}: “{param.name}” is a number from 0 to 1.", pointer)
    return value
