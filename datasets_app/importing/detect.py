"""What an uploaded file is: its format, encoding and delimiter, or why it cannot be read. Pure."""

from __future__ import annotations

import codecs
import csv
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from datasets_app.exchange import NUMBER, recognise
from datasets_app.importing.encodings import (
    ENCODINGS,
    byte_order_mark,
    guess_encoding,
    named,
    wide_encoding,
)
from datasets_app.importing.json_elements import Elements, OneValue
from datasets_app.importing.problems import ImportFileError
from datasets_app.importing.signatures import known_binary, looks_binary
from datasets_app.importing.source import MAX_LINE

Format = Literal["csv", "tsv", "json", "jsonl", "parquet"]

FORMATS: dict[Format, str] = {
    "csv": "CSV",
    "tsv": "TSV",
    "json": "JSON",
    "jsonl": "JSONL",
    "parquet": "Parquet",
}
"""Every format that is read, with its name for people."""

DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Vertical bar"}
"""Every delimiter that is read, with its name for people; the order decides ties."""

_BINARY = "This is a binary file, not text. Import CSV, TSV, JSON or JSONL, saved as UTF-8."
_PARQUET = b"PAR1"
_HEAD = 1 << 16
_RECORDS = 200


@dataclass(frozen=True, slots=True)
class Detected:
    """How to read a file. Every part can be overridden by the person who imports.

    `encoding` is a key of ENCODINGS, empty for Parquet. `delimiter` is None but for CSV and TSV.
    `has_header` says whether the first row of a CSV or TSV file names the columns. `notes` are
    sentences about what was not sure. `inside` is the name of the file in the packed upload.
    """

    format: Format
    encoding: str
    delimiter: str | None
    has_header: bool = True
    notes: tuple[str, ...] = ()
    inside: str = ""

    @property
    def typed(self) -> bool:
        """Whether rows are objects of JSON values, not cells of text."""
        return self.format not in ("csv", "tsv")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"notes": list(self.notes)}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Detected:
        return cls(**{**stored, "notes": tuple(stored["notes"])})


def detect(
    path: Path,
    filename: str,
    encoding: str | None = None,
    delimiter: str | None = None,
    format: str | None = None,
) -> Detected:
    """How to read the file at `path`, which its owner calls `filename`. What is given is kept.

    Raises ImportFileError for an empty file, a binary one, an unknown encoding or delimiter, and
    bytes that no likely encoding has.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    wanted_format = _checked_format(format)
    if head.startswith(_PARQUET) and wanted_format in (None, "parquet"):
        return Detected("parquet", "", None)
    if wanted_format == "parquet":
        raise ImportFileError("This is no Parquet file: it does not begin with PAR1.")
    _refuse_binary(head, filename)
    wanted_delimiter = _checked_delimiter(delimiter)
    notes: list[str] = []
    if encoding:
        found = named(encoding)
    else:
        found, note = _encoding(path, head)
        notes += [note] if note else []
    text = _head_text(head, found)
    if not text.strip():
        raise ImportFileError("The file is empty. Choose a file with at least one row.")
    if looks_binary(text.encode("utf-8", "replace")):
        raise ImportFileError(_BINARY)
    kind = wanted_format or _format(filename, text, path, found, notes)
    if kind in ("json", "jsonl"):
        if kind == "jsonl":
            _refuse_other_json(text)
        return Detected(kind, found, None, notes=tuple(notes))
    if wanted_delimiter is None:
        wanted_delimiter = "\t" if kind == "tsv" else _delimiter(text, notes)
    if format is None and wanted_delimiter == "\t":
        kind = "tsv"
    _note_data_in_header(text, wanted_delimiter, notes)
    return Detected(kind, found, wanted_delimiter, notes=tuple(notes))


def declared_delimiter(first_line: str) -> str | None:
    """The delimiter in the line `sep=;` that some spreadsheets put first; None for any other."""
    line = first_line.lstrip("\ufeff").rstrip("\r\n")
    return line[4] if len(line) == 5 and line.lower().startswith("sep=") else None


def _refuse_binary(head: bytes, filename: str) -> None:
    if not head:
        raise ImportFileError("The file is empty. Choose a file with at least one row.")
    reason = known_binary(head, filename)
    if reason is not None:
        raise ImportFileError(reason)


def _checked_format(format: str | None) -> Format | None:
    if not format:
        return None
    if format not in get_args(Format):
        known = ", ".join(get_args(Format))
        raise ImportFileError(f"The format {format!r} is not known. Use one of {known}.")
    return cast(Format, format)


def _checked_delimiter(delimiter: str | None) -> str | None:
    if not delimiter:
        return None
    if delimiter not in DELIMITERS:
        known = ", ".join(DELIMITERS.values()).lower()
        raise ImportFileError(f"The delimiter {delimiter!r} is not known. Use one of {known}.")
    return delimiter


def _encoding(path: Path, head: bytes) -> tuple[str, str]:
    marked = byte_order_mark(head)
    if marked is not None:
        return marked, ""
    wide = wide_encoding(head)
    if wide is not None:
        return (
            wide,
            f"No byte order mark; read as {ENCODINGS[wide]} from its pattern of zero bytes.",
        )
    if looks_binary(head):
        raise ImportFileError(_BINARY)
    return guess_encoding(path)


def _head_text(head: bytes, encoding: str) -> str:
    """The first whole lines. Bad bytes pass: the reader meets them again and names the line."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    text = decoder.decode(head).removeprefix("\ufeff")
    whole = max(text.rfind("\n"), text.rfind("\r")) + 1
    return text[:whole] if whole and len(head) == _HEAD else text


def _format(filename: str, text: str, path: Path, encoding: str, notes: list[str]) -> Format:
    suffix = filename.rpartition(".")[2].lower() if "." in filename else ""
    if suffix in ("tsv", "tab"):
        return "tsv"
    is_json = suffix in ("json", "jsonl", "ndjson")
    first = _first_line(text)
    if first.startswith(("{", "[")) and (is_json or _is_json(text, first)):
        found = _json_format(path, encoding, first)
        named: Format = "json" if suffix == "json" else "jsonl"
        if not is_json or found != named:
            notes.append(f"Read as {FORMATS[found]}, by what the file holds.")
        return found
    return "jsonl" if is_json else "csv"


def _is_json(text: str, first: str) -> bool:
    """Whether a file without a name of JSON is some all the same: its first line is an object, or
    the beginning of something longer that no CSV begins with.
    """
    if first.strip() in ("[", "{", "[{"):
        return True
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return text.lstrip().startswith(('[{"', '{"')) and "\n" not in text.strip()
    return isinstance(value, dict) or (isinstance(value, list) and "\n" not in text.strip())


def _json_format(path: Path, encoding: str, first: str) -> Format:
    """JSON when the file is one array or an object that holds one, else JSONL."""
    if first.startswith("["):
        return "json"
    if _is_exported_item(first):  # the only one, perhaps with messages: an array of objects
        return "jsonl"
    try:
        with path.open(encoding=encoding, errors="replace", newline=None) as file:
            if not OneValue(file, MAX_LINE).alone():
                return "jsonl"
            file.seek(0)
            Elements(file, MAX_LINE)
    except ImportFileError:
        return "jsonl" if first.rstrip().endswith("}") else "json"
    return "json"


def _first_line(text: str) -> str:
    """Up to the first line end; JSON text may hold other characters that Python splits at."""
    return text.lstrip().replace("\r", "\n").split("\n", 1)[0]


def _is_exported_item(line: str) -> bool:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and NUMBER in value and bool(recognise([*value], typed=True))


def _refuse_other_json(text: str) -> None:
    first = _first_line(text).strip()
    cure = "Choose JSON, or write one JSON object per line (JSONL)."
    if first.startswith("["):
        raise ImportFileError(f"This is a JSON array, not JSONL. {cure}")
    if first == "{":
        raise ImportFileError(f"This JSON is spread over several lines. {cure}")


def _delimiter(text: str, notes: list[str]) -> str:
    """The delimiter under which most rows have as many cells as the first; on a tie, more cells."""
    declared = declared_delimiter(text.split("\n", 1)[0])
    if declared in DELIMITERS:
        return declared
    best, best_score = ",", (0.0, 1)
    for candidate in DELIMITERS:
        widths = [len(row) for row in _records(text, candidate)]
        if widths and widths[0] > 1:
            score = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
            if score > best_score:
                best, best_score = candidate, score
    if best_score[0] == 0.0:
        notes.append("No delimiter found in the first row, so read as a file with one column.")
    return best


def _records(text: str, delimiter: str) -> list[list[str]]:
    """The first records under a delimiter; fewer when the quotes are beyond repair."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if declared_delimiter(lines[0]):
        lines = lines[1:]
    reader = csv.reader(lines, delimiter=delimiter)
    records: list[list[str]] = []
    try:
        for record in reader:
            if record:
                records.append(record)
            if len(records) > _RECORDS:
                break
    except csv.Error:
        return records
    return records


def _note_data_in_header(text: str, delimiter: str, notes: list[str]) -> None:
    records = _records(text, delimiter)
    if records and any(_is_number(cell) for cell in records[0]):
        notes.append("The first row holds numbers. If it is data, choose that there is no header.")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
