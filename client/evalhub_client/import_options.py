"""What can be typed after `evalhub import`."""

from __future__ import annotations

import argparse
from typing import Any

READ_AS = ("auto", "text", "number", "decimal_comma", "boolean", "json")


def add_import(to: argparse.ArgumentParser) -> None:
    """The options of the command."""
    to.add_argument(
        "file", metavar="FILE", help="CSV, TSV, JSON, JSONL or Parquet, plain or as gzip or zip"
    )
    to.add_argument(
        "--dataset", metavar="NAME", required=True, help="name or slug; made when it is new"
    )
    _add_reading(to.add_argument_group("how the file is read (default: found out from it)"))
    _add_columns(to.add_argument_group("where its columns go"))
    to.add_argument(
        "--known-by",
        choices=("external_id", "content"),
        help="what makes a row known (default: external_id)",
    )
    to.add_argument(
        "--known",
        choices=("skip", "update", "refuse"),
        help="what becomes of known rows (default: skip)",
    )
    to.add_argument(
        "--on-error",
        choices=("skip", "abort"),
        default="skip",
        help="skip bad rows, or import nothing when there is one (default: skip)",
    )
    to.add_argument("--check", action="store_true", help="look for bad rows, and import nothing")
    to.add_argument("--errors", metavar="FILE", help="write all bad rows to this CSV file")
    to.add_argument(
        "--mend",
        metavar="FILE",
        help="write the bad rows of a CSV file in its own columns, to mend and import",
    )


def _add_reading(to: Any) -> None:
    to.add_argument("--format", choices=("csv", "tsv", "json", "jsonl", "parquet"))
    to.add_argument("--encoding", metavar="NAME", help="such as utf-8 or cp1252")
    to.add_argument("--delimiter", metavar="CHAR", help="between the cells of a CSV file")
    to.add_argument("--no-header", action="store_true", help="the first row is data")
    to.add_argument("--member", metavar="NAME", help="the file to read of a zip archive")


def _add_columns(to: Any) -> None:
    columns = (
        ("--input", "give it again for more: one gives the value itself, several an object"),
        ("--expected", "column of the expected output, likewise"),
        ("--metadata", "column that goes to the metadata"),
    )
    for option, summary in columns:
        to.add_argument(option, metavar="COL", action="append", default=[], help=summary)
    to.add_argument("--external-id", metavar="COL", help="column with an id of your own")
    to.add_argument(
        "--map",
        metavar="COL=FIELD[.KEY][:TYPE]",
        action="append",
        default=[],
        type=_column,
        help="any field of an item: input, expected_output, metadata, context, tags, split, "
        f"scorers, external_id, source; TYPE is {', '.join(READ_AS[1:])}",
    )
    to.add_argument(
        "--rest",
        choices=("metadata", "ignore"),
        default="ignore",
        help="where columns go that are not named (default: ignore)",
    )


def _column(text: str) -> dict[str, str]:
    """`priority=expected_output.priority:number` as the API takes it."""
    column, equals, where = text.rpartition("=")
    place, colon, read_as = where.rpartition(":")
    if not colon:
        place, read_as = where, "auto"
    field, dot, key = place.partition(".")
    if not equals or not column or not field or read_as not in READ_AS:
        raise argparse.ArgumentTypeError(f"{text!r} is not COL=FIELD[.KEY][:TYPE]")
    found = {"column": column, "destination": field, "read_as": read_as}
    return found | {"key": key} if dot else found
