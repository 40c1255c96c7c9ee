"""Two edits of one item that began from the same revision, field by field. Pure.

The fields of each side are JSON values by name, without those that are absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from datasets_app.diffing import Segment, diff_json
from evalhub.kit.json import ABSENT, canonical

LABELS: Final = {
    "input": "Input",
    "expected_output": "Expected output",
    "metadata": "Metadata",
    "context": "Context",
    "tags": "Tags",
    "split": "Split",
    "scorers": "Scorers",
    "external_id": "External ID",
}

Side = Literal["mine", "theirs"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A field in which the two differ, each side as a diff against the base (ABSENT: it had none).

    `pick` is the side that changed it, "mine" when both did (`both`).
    """

    name: str
    label: str
    base: Any
    theirs: tuple[Segment, ...]
    mine: tuple[Segment, ...]
    pick: Side
    both: bool

    @property
    def was_there(self) -> bool:
        return self.base is not ABSENT


def choices(
    base: Mapping[str, Any] | None, theirs: Mapping[str, Any], mine: Mapping[str, Any]
) -> list[Choice]:
    """What there is to choose, in the order of the form; [] when both say the same.

    Without a base (None) theirs stands for it.
    """
    found = []
    for name, label in LABELS.items():
        their_value, my_value = theirs.get(name, ABSENT), mine.get(name, ABSENT)
        if _same(their_value, my_value):
            continue
        was = their_value if base is None else base.get(name, ABSENT)
        i_changed, they_changed = not _same(was, my_value), not _same(was, their_value)
        found.append(
            Choice(
                name,
                label,
                base=was,
                theirs=diff_json(was, their_value).segments,
                mine=diff_json(was, my_value).segments,
                pick="mine" if i_changed else "theirs",
                both=i_changed and they_changed,
            )
        )
    return found


def _same(a: Any, b: Any) -> bool:
    if a is ABSENT or b is ABSENT:
        return a is b
    return bool(canonical(a) == canonical(b))
