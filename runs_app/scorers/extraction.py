"""`extract`: the piece of a text that is the answer, found by a regular expression.

The expressions are RE2's, which takes time linear in the text whatever the pattern. Two limits keep
that promise for the whole call: the size of the compiled pattern times the length of the text (one
search at about 7 ns each, measured on a 3 GHz core), and the time of all searches together, because
the last match is only known after all others.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

import re2  # type: ignore[import-untyped]

from runs_app.scorers.base import Param, ScoringLimitError, SpecError

MAX_PROGRAM_SIZE: Final = 5_000
MAX_WORK: Final = 500_000_000
MAX_SECONDS: Final = 1.0

EXTRACT: Final = Param(
    name="extract",
    label="Extract",
    type="regex",
    default=None,
    help=(
        "A regular expression. The first group of its last match is compared instead of the whole "
        "output, and instead of the expected output when it matches there."
    ),
)

_PLAIN_WORDS = {
    "missing )": "a “(” is never closed",
    "unexpected )": "this “)” closes nothing",
    "missing ]": "a “[” is never closed",
    "no argument for repetition operator": "“{}” has nothing to repeat",
    "bad repetition operator": "“{}” repeats a repetition",
    "invalid repetition size": "“{}” repeats too often; at most 1,000 is possible",
    "invalid character class range": "“{}” is no range of characters",
    "invalid escape sequence": "“{}” is not supported",
    "invalid perl operator": "“{}” is not supported; there is no looking ahead or behind",
    "trailing \\": "a “\\” at the end escapes nothing",
}


class Pattern:
    """A compiled regular expression that searches within the limits of this module."""

    __slots__ = ("_compiled", "_size")

    def __init__(self, pattern: str, *, scorer: str, param: str) -> None:
        """Raises SpecError, naming the scorer and the place, for a bad or too large pattern."""
        options = re2.Options()
        options.log_errors = False  # else the library writes to stderr by itself
        try:
            # Bytes in and out: the library would count characters anew for every match of a str.
            self._compiled = re2.compile(pattern.encode(), options)
        except re2.error as error:
            position, problem = _explain(pattern, error.args[0])
            place = f" at character {position + 1:,}" if position is not None else ""
            raise SpecError(
                f"{scorer}: the regular expression in “{param}” is wrong{place}: {problem}.",
                f"/{param}",
            ) from None
        except UnicodeEncodeError as error:
            raise SpecError(
                f"{scorer}: the regular expression in “{param}” is wrong at character "
                f"{error.start + 1:,}: half of a surrogate pair.",
                f"/{param}",
            ) from None
        self._size: int = self._compiled.programsize
        if self._size > MAX_PROGRAM_SIZE:
            raise SpecError(
                f"{scorer}: the regular expression in “{param}” is too large. "
                "Use fewer or smaller counted repetitions.",
                f"/{param}",
            )

    def found_in(self, text: str) -> bool:
        """Whether it matches anywhere. Raises ScoringLimitError for too long a text."""
        return self._compiled.search(self._encode(text)) is not None

    def last_answer(self, text: str) -> str | None:
        """The first group of the last match, the whole match if it has no group.

        None when nothing matches or the group took no part in the match. An empty match is none:
        `\\d*` matches at the end of every text, and all texts would have the same answer. Raises
        ScoringLimitError.
        """
        data = self._encode(text)
        last = None
        end = time.perf_counter() + MAX_SECONDS
        for match in self._compiled.finditer(data):
            if match.end() > match.start():
                last = match
            if time.perf_counter() > end:
                raise ScoringLimitError(
                    f"Searching {len(text):,} characters took longer than {MAX_SECONDS:g} s."
                )
        if last is None:
            return None
        answer: bytes | None = last.group(1 if self._compiled.groups else 0)
        return None if answer is None else answer.decode(errors="replace")

    def _encode(self, text: str) -> bytes:
        data = text.encode(errors="replace")
        if len(data) * self._size > MAX_WORK:
            limit = MAX_WORK // self._size
            raise ScoringLimitError(
                f"The text has {len(data):,} bytes; this regular expression can search {limit:,}."
            )
        return data


class Extraction:
    """The `extract` parameter of one scorer; without a pattern every text is its own answer."""

    __slots__ = ("_pattern",)

    def __init__(self, params: Mapping[str, Any], *, scorer: str) -> None:
        pattern = params["extract"]
        self._pattern = (
            None if pattern is None else Pattern(pattern, scorer=scorer, param="extract")
        )

    def from_output(self, text: str) -> str | None:
        """The answer in an output, None when there is none."""
        return text if self._pattern is None else self._pattern.last_answer(text)

    def from_expected(self, text: str) -> str:
        """The answer in an expected output: the whole text when the pattern does not match."""
        if self._pattern is None:
            return text
        answer = self._pattern.last_answer(text)
        return text if answer is None else answer


def _explain(pattern: str, error: bytes) -> tuple[int | None, str]:
    """Where and what, from RE2's "cause: fragment of the pattern"."""
    cause, _, fragment = error.decode(errors="replace").partition(": ")
    if cause in ("missing )", "unexpected )"):
        position = _unmatched(pattern, "(" if cause == "missing )" else ")")
    else:
        found = pattern.find(fragment) if fragment else -1
        position = found if found >= 0 else None
    return position, _PLAIN_WORDS.get(cause, cause).replace("{}", fragment)


def _unmatched(pattern: str, bracket: str) -> int | None:
    """Offset of the last “(” that is never closed, or of the first “)” that closes nothing."""
    opened: list[int] = []
    in_class = escaped = False
    for at, char in enumerate(pattern):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == "]":
            in_class = False
        elif in_class or char == "[":
            in_class = True
        elif char == "(":
            opened.append(at)
        elif char == ")":
            if not opened and bracket == ")":
                return at
            opened = opened[:-1]
    return opened[-1] if opened and bracket == "(" else None
