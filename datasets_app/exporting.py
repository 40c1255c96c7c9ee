"""Items as CSV, JSON or JSONL, piece by piece. Pure.

What comes out is what `datasets_app.exchange` describes, so that an import takes it back without
loss: values stand as they are stored, with their key order, big integers and 1.0. In CSV, nested
values are JSON text in the cells of columns such as `input:json`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from json.encoder import encode_basestring as quoted
from typing import NamedTuple

from datasets_app.exchange import CSV_HEADER, guarded

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/x-ndjson; charset=utf-8",
}
"""{format: its media type}."""

CHUNK_CHARS = 1 << 18


class ExportRow(NamedTuple):
    """An item as it is stored: JSON as text, None for what is absent."""

    number: int
    external_id: str | None
    input_json: str
    expected_json: str | None
    metadata_json: str
    context_json: str | None
    tags_json: str
    split: str
    scorers_json: str | None
    source: str


def exported(format: str, rows: Iterable[ExportRow]) -> Iterator[bytes]:
    """The file in pieces of about CHUNK_CHARS characters, UTF-8; memory stays flat.

    The first piece comes before the first row is asked for, but for JSONL, which has no head. CSV
    begins with a byte order mark: without it spreadsheets read every accent wrong.
    """
    return _WRITERS[format](rows)


def file_name(slug: str, version: int, format: str, on: date, *, part: bool = False) -> str:
    """Such as `gsm8k-v3-2026-11-26.csv`; `part` says that not every item is in it."""
    return f"{slug}-v{version}{'-part' if part else ''}-{on.isoformat()}.{format}"


def _csv(rows: Iterable[ExportRow]) -> Iterator[bytes]:
    yield f"\ufeff{','.join(CSV_HEADER)}\r\n".encode()
    yield from _pieces(map(_line, rows))


def _line(row: ExportRow) -> str:
    """The item as a row of CSV. By hand: the csv module takes five times as long."""
    number, external_id, given, expected, metadata, context, tags, split, scorers, source = row
    # Of JSON texts only a negative number looks like a formula.
    if given[0] == "-":
        given = guarded(given)
    if expected is None:
        answer = ""
    else:
        answer = _cell(guarded(expected) if expected[0] == "-" else expected)
    return (
        f"{number},{_cell(guarded(external_id)) if external_id else ''},"
        f'"{given.replace(_QUOTE, _QUOTES)}",{answer},"{metadata.replace(_QUOTE, _QUOTES)}",'
        f"{'' if context is None else _cell(context)},"
        f"{_NO_TAGS if tags == '[]' else _cell(tags)},{_cell(guarded(split)) if split else ''},"
        f"{'' if scorers is None else _cell(scorers)},"
        f"{_cell(guarded(source)) if source else ''}\r\n"
    )


def _cell(text: str) -> str:
    return f'"{text.replace(_QUOTE, _QUOTES)}"'


def _jsonl(rows: Iterable[ExportRow]) -> Iterator[bytes]:
    return _pieces(f"{_object(row)}\n" for row in rows)


def _json(rows: Iterable[ExportRow]) -> Iterator[bytes]:
    yield b"[\n"
    found = iter(rows)
    for first in found:
        yield _object(first).encode()
        yield from _pieces(f",\n{_object(row)}" for row in found)
        yield b"\n"
    yield b"]\n"


def _pieces(lines: Iterable[str]) -> Iterator[bytes]:
    held: list[str] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size > CHUNK_CHARS:
            yield "".join(held).encode()
            held, size = [], 0
    if held:
        yield "".join(held).encode()


def _object(row: ExportRow) -> str:
    """The item as one line of JSON, its parts as they are stored."""
    number, external_id, given, expected, metadata, context, tags, split, scorers, source = row
    parts = [
        f'{{"number":{number},"external_id":{quoted(external_id) if external_id else "null"}',
        f'"input":{given}',
    ]
    if expected is not None:
        parts.append(f'"expected_output":{expected}')
    parts.append(f'"metadata":{metadata}')
    if context is not None:
        parts.append(f'"context":{context}')
    parts.append(f'"tags":{tags},"split":{quoted(split) if split else _EMPTY}')
    if scorers is not None:
        parts.append(f'"scorers":{scorers}')
    parts.append(f'"source":{quoted(source) if source else _EMPTY}}}')
    return ",".join(parts)


_EMPTY = '""'
_QUOTE, _QUOTES, _NO_TAGS = '"', '""', '"[]"'
_WRITERS: dict[str, Callable[[Iterable[ExportRow]], Iterator[bytes]]] = {
    "csv": _csv,
    "json": _json,
    "jsonl": _jsonl,
}
