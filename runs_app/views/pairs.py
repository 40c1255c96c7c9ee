"""The items of a comparison as the page shows them, with one that is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.urls import reverse

from datasets_app.public import NoteBlock, Place
from evalhub.kit.figures import integer
from evalhub.kit.json import loads
from runs_app import comparing
from runs_app.compared_items import Slice
from runs_app.models import Run
from runs_app.queries import ResultRow, ScoreRow
from runs_app.views.common import query
from runs_app.views.shown import Compared, compared

# group: chip, icon, words for the text under the table
GROUP_CHIPS = {
    "regressed": ("Regressed", "adown", "regressed, largest change first"),
    "improved": ("Improved", "aup", "improved, largest change first"),
    "unchanged": ("Unchanged", "same", "unchanged"),
    "only_a": ("Only in A", "", "only in A"),
    "only_b": ("Only in B", "", "only in B"),
    "errors": ("Errors", "warn", "with an error in A or B"),
    "not_scored": ("Not scored", "dash", "not scored"),
    "changed": ("Content changed", "edit", "with changed content"),
}
SHOWN_WHEN_EMPTY = ("regressed", "improved", "unchanged", "only_a", "only_b", "errors")


@dataclass(frozen=True, slots=True)
class OpenSide:
    """One run's result of the open item; `row` is None when the run does not have the item."""

    key: str
    run: Run
    row: ResultRow | None
    output: Any
    segments: Sequence[Any]
    scores: Sequence[ScoreRow]


@dataclass(frozen=True, slots=True)
class Edit:
    """A field of an item that A and B saw differently."""

    label: str
    compared: Compared


@dataclass(frozen=True, slots=True)
class OpenPair:
    """The open item: what went in, what was expected, and both outputs beside each other.

    `edits` are what changed in the item itself between the versions that the runs used, `previous`
    and `next` the addresses of its neighbours in the group, "" at the ends.
    """

    pair: comparing.ComparedItem
    input: Any
    has_expected: bool
    expected: Any
    sides: tuple[OpenSide, OpenSide]
    compared: Compared | None
    edits: tuple[Edit, ...] = ()
    previous: str = ""
    next: str = ""
    notes: NoteBlock | None = None


@dataclass(frozen=True, slots=True)
class PairLine:
    """One row of the table: previews of the input and of both outputs, and how many notes the item
    has."""

    pair: comparing.ComparedItem
    input: Any
    output_a: Any
    output_b: Any
    url: str
    part_url: str
    is_open: bool
    notes: int


@dataclass(frozen=True, slots=True)
class Chip:
    label: str
    icon: str
    count: int
    url: str
    part_url: str
    current: bool


@dataclass(frozen=True, slots=True)
class ItemsView:
    """One page of items, and the addresses that lead from it to others.

    `datasets` are the ids of A's and B's; `noted` counts the notes of items that have some.
    """

    page: comparing.ComparedItems
    show: str
    by: str
    names: tuple[str, ...]
    higher_is_better: bool
    binary: bool
    q: str
    open: OpenPair | None
    numbers: tuple[int, int]
    datasets: tuple[int, int]
    kept: Mapping[str, str]
    after: int | None
    project_slug: str
    within: Slice | None = None
    noted: Mapping[Place, int] = field(default_factory=dict)

    def pairs(self) -> list[comparing.ComparedItem]:
        """The items that are shown; an open one of another page comes first."""
        pairs = list(self.page.rows)
        if self.open and all(pair.number != self.open.pair.number for pair in pairs):
            pairs.insert(0, self.open.pair)
        return pairs

    def place(self, pair: comparing.ComparedItem) -> Place:
        """Whose item the number names: A's, or B's where A does not have it."""
        return self.datasets[0 if pair.a else 1], pair.number

    def lines(self) -> list[PairLine]:
        """The rows of the table."""
        opened = self.open.pair.number if self.open else None
        return [self._line(pair, pair.number == opened) for pair in self.pairs()]

    def chips(self) -> list[Chip]:
        return [
            Chip(
                label=label,
                icon=icon,
                count=self.page.counts[name],
                url=self._url("runs:compare", f=name, after=None),
                part_url=self._url("runs:compare_items", f=name, after=None),
                current=name == self.show,
            )
            for name, (label, icon, _words) in GROUP_CHIPS.items()
            if self.page.counts[name] or name in SHOWN_WHEN_EMPTY or name == self.show
        ]

    def hidden(self) -> list[tuple[str, str]]:
        """What a form must send along to keep the rest of the address."""
        return [(name, value) for name, value in self.kept.items() if value]

    def whole_url(self) -> str:
        """The same items without the slice."""
        return self._url("runs:compare", value="", after=None, i=None)

    def whole_part_url(self) -> str:
        return self._url("runs:compare_items", value="", after=None, i=None)

    @property
    def words(self) -> str:
        """What the group holds: "regressed", "only in A"."""
        return GROUP_CHIPS[self.show][2].partition(",")[0]

    def caption(self) -> str:
        return f"Items {GROUP_CHIPS[self.show][2]}"

    def text(self) -> str:
        """ "1 to 20 of 141 regressed, largest change first"."""
        first, last = self.page.first + 1, self.page.first + len(self.page.rows)
        words = GROUP_CHIPS[self.show][2]
        return f"{integer(first)} to {integer(last)} of {integer(self.page.total)} {words}"

    def next_url(self) -> str:
        more = self.page.after
        return "" if more is None else self._url("runs:compare", after=more)

    def previous_url(self) -> str:
        less = self.page.before
        return "" if less is None else self._url("runs:compare", after=less or None)

    def item_url(self, number: int, after: int | None) -> str:
        """The address that opens an item, on the page from offset `after`."""
        return self._url("runs:compare", i=number, after=after or None)

    def _line(self, pair: comparing.ComparedItem, is_open: bool) -> PairLine:
        number = None if is_open else pair.number
        return PairLine(
            pair=pair,
            input=loads(pair.item.input_json),
            output_a=_output(pair.a),
            output_b=_output(pair.b),
            url=self._url("runs:compare", i=number),
            part_url=self._url("runs:compare_items", i=number),
            is_open=is_open,
            notes=self.noted.get(self.place(pair), 0),
        )

    def _url(self, name: str, **changed: object) -> str:
        a, b = self.numbers
        kept = {**self.kept, "by": self.by, "f": self.show, "q": self.q}
        rest = query({**kept, "after": self.after, **changed}).replace("?", "&")
        return f"{reverse(name, args=[self.project_slug])}?run={a}&run={b}{rest}"


def opened_pair(
    run_a: Run,
    run_b: Run,
    page: comparing.ComparedItems,
    number: int | None,
    by: str,
    show: str,
) -> OpenPair | None:
    """The item `number` with both outputs; None when no item is asked for. Raises NotFound."""
    if number is None:
        return None
    pair = next((row for row in page.rows if row.number == number), None)
    pair = pair or comparing.find_pair(run_a, run_b, number, by, show=show)
    output_a, output_b = _output(pair.a), _output(pair.b)
    both = _has_output(pair.a) and _has_output(pair.b)
    difference = compared(output_a, output_b) if both else None
    expected = pair.item.expected_json
    return OpenPair(
        pair=pair,
        input=loads(pair.item.input_json),
        has_expected=expected is not None,
        expected=None if expected is None else loads(expected),
        sides=(
            _side("a", run_a, pair.a, output_a, difference.before if difference else ()),
            _side("b", run_b, pair.b, output_b, difference.after if difference else ()),
        ),
        compared=difference,
        edits=_edits(pair),
    )


def with_neighbours(view: ItemsView, run_a: Run, run_b: Run) -> ItemsView:
    """The view whose open item knows its neighbours, those of the next pages too."""
    rows = list(view.page.rows)
    opened = view.open
    place = next((i for i, row in enumerate(rows) if opened and row is opened.pair), None)
    if opened is None or place is None:
        return view
    first = view.page.first

    def address(at: int) -> str:
        """Of the item at an offset of the whole group."""
        if not 0 <= at < view.page.total:
            return ""
        inside = at - first
        if 0 <= inside < len(rows):
            return view.item_url(rows[inside].number, first)
        found = comparing.items_page(
            run_a,
            run_b,
            scorer=view.by,
            show=view.show,
            after=at,
            size=1,
            q=view.q,
            within=view.within,
        )
        start = view.page.after if at > first else view.page.before
        return view.item_url(found.rows[0].number, start) if found.rows else ""

    here = first + place
    return replace(view, open=replace(opened, previous=address(here - 1), next=address(here + 1)))


def _edits(pair: comparing.ComparedItem) -> tuple[Edit, ...]:
    """What the two runs saw differently of the item; nothing unless its content changed."""
    if pair.group != "changed" or pair.a is None or pair.b is None:
        return ()
    old, new = pair.a.item, pair.b.item
    fields = (
        ("Input", old.input_json, new.input_json),
        ("Expected", old.expected_json, new.expected_json),
        ("Context", old.context_json, new.context_json),
    )
    return tuple(
        Edit(label, compared(_value(before), _value(after)))
        for label, before, after in fields
        if before != after
    )


def _value(text: str | None) -> Any:
    return "" if text is None else loads(text)


def _side(
    key: str, run: Run, row: ResultRow | None, output: Any, segments: Sequence[Any]
) -> OpenSide:
    return OpenSide(key, run, row, output, segments, tuple(row.scores.values()) if row else ())


def _has_output(row: ResultRow | None) -> bool:
    return row is not None and row.output_json is not None


def _output(row: ResultRow | None) -> Any:
    return loads(row.output_json) if row is not None and row.output_json is not None else None
