"""What changed between two texts, or two JSON values, word by word.

The alignment is the longest common subsequence of words (rapidfuzz, bit-parallel: 40 ms for two
unrelated texts of 20,000 words), so the time is bounded by the size limits below, not by luck.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from rapidfuzz.distance import Indel

from evalhub.kit.json import ABSENT, canonical, escape_key, pretty

MAX_WORDS: Final = 20_000
MAX_LINES: Final = 20_000
MAX_CHARACTERS: Final = 1_000_000

Op = Literal["same", "del", "ins"]
Level = Literal["words", "lines", "too large"]

_WORD = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of text: in both texts, only in the first (del), or only in the second (ins)."""

    op: Op
    text: str


@dataclass(frozen=True, slots=True)
class Diff:
    """All of both texts: `same` and `del` give the first one back, `same` and `ins` the second.

    `level` is what was compared. "too large" means that nothing was: the texts differ, and each is
    one segment.
    """

    segments: tuple[Segment, ...]
    level: Level

    def sides(self) -> tuple[list[Segment], list[Segment]]:
        """The same for two columns: the first text (same, del) and the second (same, ins)."""
        before = [segment for segment in self.segments if segment.op != "ins"]
        after = [segment for segment in self.segments if segment.op != "del"]
        return before, after


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an item before and after; ABSENT on the side where it is not there."""

    path: str
    before: Any
    after: Any


def diff_text(a: str, b: str) -> Diff:
    """The difference of two texts: by words, above MAX_WORDS by lines, and above MAX_LINES or
    MAX_CHARACTERS (of either text) not at all."""
    if a == b:
        return Diff((Segment("same", a),) if a else (), "words")
    if max(len(a), len(b)) > MAX_CHARACTERS:
        return _too_large(a, b)
    words = _WORD.findall(a), _WORD.findall(b)
    if max(map(len, words)) <= MAX_WORDS:
        return Diff(_segments(*words), "words")
    lines = a.splitlines(keepends=True), b.splitlines(keepends=True)
    if max(map(len, lines)) <= MAX_LINES:
        return Diff(_segments(*lines), "lines")
    return _too_large(a, b)


def diff_json(a: Any, b: Any) -> Diff:
    """The difference of two JSON values as they are read: strings as they are, ABSENT as nothing,
    all else indented with sorted names."""
    return diff_text(_readable(a), _readable(b))


def diff_sides(a: Any, b: Any) -> tuple[list[Segment], list[Segment]]:
    """`diff_json` for two columns: (same, del) of the first value, (same, ins) of the second."""
    return diff_json(a, b).sides()


def changed_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[FieldChange]:
    """The fields that differ, as dotted paths; objects are entered, lists are one field.

    In the order of `old`, then what `new` adds. 1, 1.0 and true are different values.
    """
    return _changes(old, new, "")


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str) -> list[FieldChange]:
    changes: list[FieldChange] = []
    for name in dict.fromkeys([*old, *new]):
        path = prefix + escape_key(name)
        before, after = old.get(name, ABSENT), new.get(name, ABSENT)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            changes += _changes(before, after, f"{path}.")
        elif before is ABSENT or after is ABSENT:
            if before is not after:
                changes.append(FieldChange(path, before, after))
        elif canonical(before) != canonical(after):
            changes.append(FieldChange(path, before, after))
    return changes


def _readable(value: Any) -> str:
    if value is ABSENT:
        return ""
    return value if isinstance(value, str) else pretty(value, sort_names=True)


def _too_large(a: str, b: str) -> Diff:
    sides = Segment("del", a), Segment("ins", b)
    return Diff(tuple(segment for segment in sides if segment.text), "too large")


def _segments(a: Sequence[str], b: Sequence[str]) -> tuple[Segment, ...]:
    # Numbers instead of words: the aligner compares hashes, and a small number is its own hash.
    numbers: dict[str, int] = {}
    a_numbers = [numbers.setdefault(word, len(numbers)) for word in a]
    b_numbers = [numbers.setdefault(word, len(numbers)) for word in b]
    segments: list[Segment] = []
    deleted = inserted = space = ""
    for code in Indel.opcodes(a_numbers, b_numbers):
        before = "".join(a[code.src_start : code.src_end])
        after = "".join(b[code.dest_start : code.dest_end])
        if code.tag != "equal":
            deleted += space + before
            inserted += space + after
            space = ""
        elif (deleted or inserted) and before.isspace() and "\n" not in before:
            # Held back: between two changes in a line, one longer change is easier to read.
            space = before
        else:
            segments += _change(deleted, inserted)
            segments.append(Segment("same", space + before))
            deleted = inserted = space = ""
    segments += _change(deleted, inserted)
    return (*segments, Segment("same", space)) if space else tuple(segments)


def _change(deleted: str, inserted: str) -> list[Segment]:
    changes = [Segment("del", deleted), Segment("ins", inserted)]
    return [segment for segment in changes if segment.text]
