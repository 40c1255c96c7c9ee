"""Which column of a file goes to which part of an item. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

from evalhub.kit.errors import Invalid

Destination = Literal[
    "input",
    "expected_output",
    "metadata",
    "context",
    "tags",
    "split",
    "external_id",
    "ignore",
]
ReadAs = Literal["auto", "text", "number", "boolean", "json"]
Rest = Literal["ignore", "metadata"]

DESTINATIONS: tuple[Destination, ...] = get_args(Destination)
READ_AS: tuple[ReadAs, ...] = get_args(ReadAs)

_ONE_COLUMN = ("split", "external_id", "tags")
_NAMES: dict[Destination, frozenset[str]] = {
    "input": frozenset({"input", "inputs", "question", "prompt", "query", "instruction"}),
    "expected_output": frozenset(
        {
            "expected",
            "expected_output",
            "answer",
            "output",
            "ground_truth",
            "reference",
            "label",
            "target",
            "completion",
            "ideal",
        }
    ),
    "external_id": frozenset({"id", "external_id", "item_id", "uid"}),
    "split": frozenset({"split"}),
    "tags": frozenset({"tags"}),
}


class MappingError(Invalid):
    """A mapping that cannot work: an unknown column, one that is used twice, no input."""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Where one column goes.

    `key` names the value inside the item's input, expected output, metadata or context, when that
    is an object. `read_as` auto means text for CSV and TSV, and the value as it is for JSONL.
    """

    column: str
    destination: Destination
    key: str
    read_as: ReadAs = "auto"


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where every column of a file goes. Made by `from_options`, `from_dict` or `guess`.

    One input column gives the value itself, several give an object by key; expected output
    likewise. Metadata and context are always objects. `rest` says where keys of JSONL objects go
    that are no column because they first come late in the file.
    """

    columns: tuple[ColumnMapping, ...]
    rest: Rest = "ignore"

    def __post_init__(self) -> None:
        _refuse_repeats((one.column for one in self.columns), "The column {} is mapped twice.")
        for destination in DESTINATIONS:
            found = self.to(destination)
            if destination == "input" and not found:
                raise MappingError("No column goes to the input. Choose at least one.")
            if destination in _ONE_COLUMN and len(found) > 1:
                names = " and ".join(repr(one.column) for one in found[:2])
                name = destination.replace("_", " ")
                raise MappingError(f"Only one column can give the {name}, not {names}.")
            if destination not in ("ignore", *_ONE_COLUMN):
                message = f"Two columns give the key {{}} of the {destination.replace('_', ' ')}."
                _refuse_repeats((one.key for one in found), message)

    def to(self, destination: Destination) -> list[ColumnMapping]:
        """The columns that go to one destination, in the order of the mapping."""
        return [one for one in self.columns if one.destination == destination]

    def to_dict(self) -> dict[str, Any]:
        return {"columns": [asdict(one) for one in self.columns], "rest": self.rest}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Mapping:
        """The mapping that `to_dict` gave, or a form made. Raises MappingError when it is wrong."""
        columns = []
        for one in stored["columns"]:
            destination, read_as = one["destination"], one.get("read_as", "auto")
            if destination not in DESTINATIONS or read_as not in READ_AS:
                raise MappingError(
                    f"The column {one['column']!r} goes to {destination!r} read as {read_as!r}. "
                    f"Known are {', '.join(DESTINATIONS)}, read as {', '.join(READ_AS)}."
                )
            key = one.get("key") or one["column"]
            columns.append(ColumnMapping(one["column"], destination, key, read_as))
        rest = stored.get("rest", "ignore")
        if rest not in get_args(Rest):
            raise MappingError(f"The rest can go to metadata or be ignored, not to {rest!r}.")
        return cls(tuple(columns), rest)

    @classmethod
    def from_options(
        cls,
        columns: Sequence[str],
        *,
        input: Sequence[str],
        expected: Sequence[str] = (),
        metadata: Sequence[str] = (),
        external_id: str | None = None,
        rest: str = "ignore",
    ) -> Mapping:
        """The mapping that column names on a command line ask for; `columns` are the file's.

        The order of the names is the order of the keys. Raises MappingError for a name that the
        file does not have (with the closest that it has), one given twice, and no input.
        """
        wanted: list[tuple[str, Destination]] = [
            *((name, "input") for name in input),
            *((name, "expected_output") for name in expected),
            *((name, "metadata") for name in metadata),
        ]
        if external_id is not None:
            wanted.append((external_id, "external_id"))
        names = [name for name, _ in wanted]
        for name in names:
            require_column(name, columns)
        _refuse_repeats(names, "The column {} is given twice. Name each column once.")
        if rest not in get_args(Rest):
            raise MappingError(f"The rest can go to metadata or be ignored, not to {rest!r}.")
        others = [(name, cast(Destination, rest)) for name in columns if name not in set(names)]
        mapped = (ColumnMapping(name, where, name) for name, where in wanted + others)
        return cls(tuple(mapped), cast(Rest, rest))


def guess(columns: Sequence[str], sample_rows: Sequence[Sequence[str] | dict[str, Any]]) -> Mapping:
    """A mapping to start from, by the columns' names; the sample decides only about the id.

    Without a known name the first column that is left is the input. A column named like an id is
    the external id only when the sample has no value of it twice or empty. The rest is metadata.
    """
    found: dict[str, Destination] = {}
    taken: set[Destination] = set()
    for name in columns:
        plain = name.strip().lower().replace(" ", "_").replace("-", "_")
        destination = next((where for where, names in _NAMES.items() if plain in names), None)
        if destination is None or destination in taken:
            continue
        if destination == "external_id" and not _identifies(name, columns, sample_rows):
            continue
        found[name] = destination
        taken.add(destination)
    if "input" not in taken and columns:
        left = [name for name in columns if name not in found]
        found[left[0] if left else columns[0]] = "input"
    return Mapping(
        tuple(ColumnMapping(name, found.get(name, "metadata"), name) for name in columns),
        "metadata",
    )


def require_column(name: str, columns: Sequence[str]) -> None:
    """Raises MappingError when the file has no column of that name."""
    if name in columns:
        return
    lowered = {column.lower(): column for column in reversed(columns)}
    close = difflib.get_close_matches(name.lower(), lowered, 1)
    hint = f" Did you mean {lowered[close[0]]!r}?" if close else ""
    there = ", ".join(repr(column) for column in columns[:20])
    more = f" and {len(columns) - 20:,} more" if len(columns) > 20 else ""
    raise MappingError(f"The file has no column {name!r}.{hint} It has {there}{more}.")


def _identifies(
    name: str, columns: Sequence[str], rows: Sequence[Sequence[str] | dict[str, Any]]
) -> bool:
    at = list(columns).index(name)
    values = [row.get(name) if isinstance(row, dict) else row[at] for row in rows]
    if not all(isinstance(value, str | int) and value != "" for value in values):
        return False
    return len({str(value) for value in values}) == len(values)


def _refuse_repeats(names: Iterable[str], message: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise MappingError(message.format(repr(name)))
        seen.add(name)
