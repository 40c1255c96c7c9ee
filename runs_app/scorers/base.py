"""What every scorer is made of: specification, outcome, and the wrapper that contains it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from evalhub.kit.json import ABSENT, canonical

Kind = Literal["binary", "continuous"]
State = Literal["scored", "not_scored", "error"]
ParamType = Literal["boolean", "names", "number", "regex"]

_REASON_LENGTH = 300


class SpecError(ValueError):
    """A scorer that cannot be built. `pointer` is the JSON pointer to the fault in the spec."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.pointer = pointer


class ScoringLimitError(Exception):
    """Raised while scoring a text beyond a stated limit; its text becomes the score's reason."""


@dataclass(frozen=True, slots=True)
class ScoreOutcome:
    """What a scorer says of one result. `value` is None unless `state` is "scored"."""

    state: State
    value: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class ScorerSpec:
    """A checked scorer with all its parameters, defaults included.

    `name` is unique in a run and heads its column. `threshold` is the score from which a result
    passes, None when the scorer has none. Scores lie between `low` and `high`. `margin` is the
    loss, in points (hundredths of that range), that a comparison shrugs off; None says nothing.
    """

    use: str
    name: str
    params: Mapping[str, Any]
    kind: Kind
    higher_is_better: bool
    threshold: float | None
    low: float
    high: float
    margin: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON object that `parse_spec` reads back as this very spec."""
        spec: dict[str, Any] = {"use": self.use, "name": self.name, **self.params}
        if self.kind == "continuous":
            spec["threshold"] = self.threshold
        if self.margin is not None:
            spec["margin"] = self.margin
        return spec


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a built-in, for checking and for forms. "names" is a list of strings."""

    name: str
    label: str
    type: ParamType
    default: Any
    help: str


Judge = Callable[[Any, Any], ScoreOutcome]
"""Takes output and expected output (JSON values), and may raise."""


@dataclass(frozen=True, slots=True)
class Builtin:
    """A built-in scorer. `make` takes checked parameters and does all the work that is not per
    item.

    `threshold` among the params makes it the spec's threshold. Scores are 0..1, higher is better.
    """

    use: str
    label: str
    description: str
    kind: Kind
    params: tuple[Param, ...]
    make: Callable[[Mapping[str, Any]], Judge]
    needs_expected: bool = True


class Scorer:
    """A built scorer: scores one output after another and never raises."""

    __slots__ = ("_judge", "_needs_expected", "spec")

    def __init__(self, spec: ScorerSpec, judge: Judge, *, needs_expected: bool) -> None:
        self.spec = spec
        self._judge = judge
        self._needs_expected = needs_expected

    def score(self, output: Any, expected: Any, *, item: Mapping[str, Any]) -> ScoreOutcome:
        """The score of an output (any JSON value) against the expected one (ABSENT when none).

        `item` holds number, external_id and metadata; no built-in reads it.
        """
        if expected is ABSENT and self._needs_expected:
            return NO_EXPECTED
        try:
            return self._judge(output, expected)
        except ScoringLimitError as limit:
            return ScoreOutcome("error", None, str(limit))
        except Exception as error:  # noqa: BLE001 (a failing scorer must not hurt the result)
            reason = f"The scorer failed: {type(error).__name__}: {error}"
            return ScoreOutcome("error", None, reason[:_REASON_LENGTH])


IGNORE_CASE: Final = Param(
    name="ignore_case",
    label="Ignore case",
    type="boolean",
    default=False,
    help="Capital and small letters count as equal.",
)
EQUAL: Final = ScoreOutcome("scored", 1.0, "Equal to the expected output.")
MARGIN: Final = Param(
    name="margin",
    label="Margin, points",
    type="number",
    default=None,
    help="The loss, in points, that a comparison shrugs off. Empty: 2, or what the dataset says.",
)
"""What every scorer takes besides its own parameters."""
NO_ANSWER: Final = ScoreOutcome("scored", 0.0, "no answer found")
NO_EXPECTED: Final = ScoreOutcome("not_scored", None, "The item has no expected output.")


def failed(reason: str) -> ScoreOutcome:
    """A score of 0 with its reason."""
    return ScoreOutcome("scored", 0.0, reason)


def as_text(value: Any) -> str:
    """A string itself, anything else as compact JSON.

    Names are sorted, because one of the databases does not keep their order.
    """
    return value if isinstance(value, str) else canonical(value)


def quote(text: str, limit: int = 40) -> str:
    """`text` in quotation marks on one line, cut after `limit` characters."""
    cut = text[:limit] + ("…" if len(text) > limit else "")
    return f"“{cut}”".replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
