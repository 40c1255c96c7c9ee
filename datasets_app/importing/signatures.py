"""Files that are no text, known by their first bytes, each with what to do instead. Pure."""

from __future__ import annotations

_SAVE = "Open it in a spreadsheet and save it as CSV first."
_UNPACK = "Unpack it and import the file inside."
_EXPORT = "Export the data as CSV or JSONL and import that."

_SIGNATURES = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)", _SAVE),
    (b"\x1f\x8b", "a gzip file", _UNPACK),
    (b"BZh", "a bzip2 file", _UNPACK),
    (b"\xfd7zXZ\x00", "an xz file", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"%PDF-", "a PDF", _EXPORT),
    (b"PAR1", "a Parquet file", _EXPORT),
    (b"ARROW1", "an Arrow file", _EXPORT),
    (b"SQLite format 3\x00", "an SQLite database", _EXPORT),
    (b"\x89PNG\r\n\x1a\n", "an image (PNG)", _EXPORT),
    (b"\xff\xd8\xff", "an image (JPEG)", _EXPORT),
    (b"GIF87a", "an image (GIF)", _EXPORT),
    (b"GIF89a", "an image (GIF)", _EXPORT),
    (b"\x7fELF", "a program", _EXPORT),
)
_ZIPPED = (
    (b"xl/", "an Excel workbook", _SAVE),
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet", _SAVE),
    (b"word/", "a Word document", _EXPORT),
    (b"ppt/", "a presentation", _EXPORT),
)
_TEXT_CONTROLS = b"\t\n\x0b\x0c\r\x1b"
_CONTROLS = bytes(byte for byte in range(32) if byte not in _TEXT_CONTROLS)


def known_binary(head: bytes, filename: str) -> str | None:
    """A sentence that names what the file is and the cure, when its first bytes tell; else None."""
    name, cure = _name(head)
    if not name:
        return None
    suffix = filename.rpartition(".")[2].lower() if "." in filename else ""
    disguise = f" with a name ending in .{suffix}" if suffix in ("csv", "tsv", "jsonl") else ""
    return f"This is {name}{disguise}, not text. {cure}"


def looks_binary(head: bytes) -> bool:
    """True when more than 1 byte in 50, and more than 4, are control characters no text uses."""
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return controls > max(4, len(head) // 50)


def _name(head: bytes) -> tuple[str, str]:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        inside = ((name, cure) for mark, name, cure in _ZIPPED if mark in head)
        # Workbooks list their parts in any order; the list of types names them all.
        office = ("an Office document", _SAVE) if b"[Content_Types].xml" in head else None
        return next(inside, office or ("a zip archive", _UNPACK))
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "an image (WebP)", _EXPORT
    if head.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML)", "Download the data itself and import that."
    return next(
        ((name, cure) for mark, name, cure in _SIGNATURES if head.startswith(mark)), ("", "")
    )
