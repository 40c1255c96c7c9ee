"""Which column of a file goes to which part of an item. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from evalhub.kit.errors import Invalid
from evalhub.kit.json import PathError, escape_key, split_path

Destination = Literal[
    "input",
    "expected_output",
    "metadata",
    "context",
    "tags",
    "split",
    "scorers",
    "external_id",
    "source",
    "ignore",
]
ReadAs = Literal[
    "auto",
    "text",
    "number",
    "decimal_comma",
    "boolean",
    "json",
    "number_or_text",
    "json_or_text",
]
Rest = Literal["ignore", "metadata"]

DESTINATIONS: tuple[Destination, ...] = get_args(Destination)
READ_AS: tuple[ReadAs, ...] = get_args(ReadAs)

_ONE_COLUMN = ("split", "external_id", "tags", "scorers", "source")


class MappingError(Invalid):
    """A mapping that cannot work: an unknown column, one that is used twice, no input."""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Where one column goes.

    `key` is the value's place inside the item's input, expected output, metadata or context, when
    that is an object: a name, or a dotted path such as `answer.text` into objects within it (`\\.`
    is a dot that belongs to a name). Without one the column's own object is put there, field by
    field. `read_as` auto means text for CSV and TSV, and the value as it is for other formats;
    decimal_comma is a number such as 1.234,5; with `_or_text` a cell that is no number, or no JSON,
    stays text.
    """

    column: str
    destination: Destination
    key: str
    read_as: ReadAs = "auto"

    @property
    def path(self) -> tuple[str, ...]:
        """The names on the way to the value; empty when its fields are put there themselves."""
        return split_path(self.key) if self.key else ()


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where every column of a file goes. Made by `from_options`, `from_dict` or `guessing.guess`.

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
                _refuse_clashes(found, destination.replace("_", " "))

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
            key = one.get("key")
            key = escape_key(one["column"]) if key is None else str(key)
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
        columns_as: Sequence[dict[str, Any]] = (),
        rest: str = "ignore",
    ) -> Mapping:
        """The mapping that column names on a command line ask for; `columns` are the file's.

        `columns_as` are entries as `to_dict` has them. The order of the names is the order of the
        keys. Raises MappingError for a name that the file does not have (with the closest that it
        has), one given twice, and no input.
        """
        wanted: list[dict[str, Any]] = [
            *({"column": name, "destination": "input"} for name in input),
            *({"column": name, "destination": "expected_output"} for name in expected),
            *({"column": name, "destination": "metadata"} for name in metadata),
        ]
        if external_id is not None:
            wanted.append({"column": external_id, "destination": "external_id"})
        wanted += columns_as
        names = [str(one["column"]) for one in wanted]
        for name in names:
            require_column(name, columns)
        _refuse_repeats(names, "The column {} is given twice. Name each column once.")
        if rest not in get_args(Rest):
            raise MappingError(f"The rest can go to metadata or be ignored, not to {rest!r}.")
        others = [
            {"column": name, "destination": rest} for name in columns if name not in set(names)
        ]
        return cls.from_dict({"columns": wanted + others, "rest": rest})


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


def _refuse_clashes(columns: Sequence[ColumnMapping], what: str) -> None:
    """Raises MappingError when two keys are one, or one is inside the value of another."""
    paths: dict[tuple[str, ...], str] = {}
    for one in columns:
        try:
            path = one.path
        except PathError as error:
            raise MappingError(f"The key of the column {one.column!r}: {error.message}") from error
        if path and path in paths:
            raise MappingError(f"Two columns give the key {one.key!r} of the {what}.")
        paths[path] = one.key
    for path, key in paths.items():
        for length in range(1, len(path)):
            if path[:length] in paths:
                raise MappingError(
                    f"The key {key!r} of the {what} is inside {paths[path[:length]]!r}, which is "
                    "another column's value."
                )


def _refuse_repeats(names: Iterable[str], message: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise MappingError(message.format(repr(name)))
        seen.add(name)
