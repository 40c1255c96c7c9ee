"""Uploads that are packed, gzip or zip: the one file inside, counted while it is unpacked. Pure."""

from __future__ import annotations

import gzip
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import IO, NamedTuple

from datasets_app.importing.problems import ImportFileError, shown
from datasets_app.importing.signatures import known_binary

MAX_RATIO = 200
"""Times its size that a packed file may unpack to, once it is over RATIO_COUNTS_FROM bytes."""
RATIO_COUNTS_FROM = 64 * 1024 * 1024
MAX_UNPACKED = 32 * 1024**3
SPARE = 64 * 1024 * 1024
"""Bytes that are left free on the disk."""

_ZIP = "a zip archive"
_MAX_FILES = 10_000
_MAX_DIRECTORY = 4 * 1024 * 1024
_CHUNK = 1 << 18
_DATA = frozenset({"csv", "tsv", "tab", "txt", "json", "jsonl", "ndjson", "parquet"})
_NAMES_SHOWN = 10


class Unpacked(NamedTuple):
    """How the file was packed ("gzip" or "zip"), and the name of what was inside."""

    packing: str
    name: str


def unpack(path: Path, filename: str, member: str | None = None) -> Unpacked | None:
    """Put what is inside the packed file at `path` in its place; None: it is not packed.

    `member` names the file of a zip archive that holds several. Raises ImportFileError for an
    archive that is damaged, locked, empty or ambiguous, and for one that unpacks to too much.
    Raises OSError when the disk is full.
    """
    with path.open("rb") as file:
        head = file.read(1 << 16)
    target = path.with_name(path.name + ".unpacked")
    try:
        if head.startswith(b"\x1f\x8b"):
            with gzip.open(path) as source:
                _copy(source, target, path)
            found = Unpacked("gzip", _without_suffix(filename))
        elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            inside = _unzip(path, head, filename, member, target)
            if inside is None:
                return None
            found = Unpacked("zip", inside)
        else:
            if member:
                raise ImportFileError("Only a zip archive holds files to choose from by name.")
            return None
        target.replace(path)
    except (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise ImportFileError(f"The packed file is damaged: {error}. Pack it again.") from error
    finally:
        target.unlink(missing_ok=True)
    return found


def _unzip(path: Path, head: bytes, filename: str, member: str | None, target: Path) -> str | None:
    if not _lists_its_files(path):
        told = known_binary(head, filename) or ""
        if _ZIP not in told:
            return None  # an Office document that is cut off
        raise zipfile.BadZipFile("it has no list of its files")
    with zipfile.ZipFile(path) as archive:
        names = [one.filename for one in archive.infolist() if not one.is_dir()]
        if "[Content_Types].xml" in names or "mimetype" in names:
            return None  # an Office document, which is told by its name elsewhere
        entry = archive.getinfo(_chosen(names, member))
        if entry.flag_bits & 1:
            raise ImportFileError("The archive is locked with a password. Unpack it first.")
        try:
            with archive.open(entry) as source:
                _copy(source, target, path)
        except NotImplementedError:
            raise ImportFileError(
                "The archive is packed in a way that is not read here. Pack it as an ordinary zip."
            ) from None
        with target.open("rb") as unpacked:
            inside = unpacked.read(_CHUNK)
        if inside.startswith((b"PK\x03\x04", b"\x1f\x8b")):
            told = known_binary(inside, "") or "This is a packed file inside a packed file."
            raise ImportFileError(told)
        return entry.filename


def _lists_its_files(path: Path) -> bool:
    """Whether the list of files is there. It is read whole, so ImportFileError when it is long."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - (1 << 16) - 22))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        return False
    count = int.from_bytes(tail[at + 10 : at + 12], "little")
    length = int.from_bytes(tail[at + 12 : at + 16], "little")
    if count > _MAX_FILES or length > _MAX_DIRECTORY:
        raise ImportFileError(f"The archive lists more than {_MAX_FILES:,} files.")
    return True


def _chosen(names: list[str], member: str | None) -> str:
    """The name of the file to read."""
    data = [name for name in names if _is_data(name)]
    if member:
        if member in names:
            return member
        raise ImportFileError(f"The archive holds no file {member!r}. It holds {_listed(data)}.")
    if len(data) == 1:
        return data[0]
    if not data:
        listed = f" It holds {_listed(names)}." if names else ""
        raise ImportFileError(f"The archive holds no CSV, TSV, JSON or Parquet file.{listed}")
    raise ImportFileError(
        f"The archive holds {len(data):,} data files: {_listed(data)}. Say which one to read."
    )


def _is_data(name: str) -> bool:
    last = name.rpartition("/")[2]
    return (
        last.rpartition(".")[2].lower() in _DATA
        and not last.startswith(".")
        and not name.startswith("__MACOSX/")
    )


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    text = ", ".join(shown(name) for name in names[:_NAMES_SHOWN])
    return f"{text} and {more:,} more" if more > 0 else text


def _copy(source: IO[bytes] | gzip.GzipFile, target: Path, packed: Path) -> None:
    size = packed.stat().st_size
    total = 0
    with target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            total += len(chunk)
            if total > RATIO_COUNTS_FROM and total > size * MAX_RATIO:
                raise ImportFileError(
                    f"The file unpacks to more than {MAX_RATIO} times its size, which no data "
                    "does. If it is right, unpack it and import what was inside."
                )
            if total > MAX_UNPACKED:
                raise ImportFileError(
                    f"The file unpacks to more than {MAX_UNPACKED // 1024**3} GB. Split it."
                )
            if total % (_CHUNK * 64) < _CHUNK and shutil.disk_usage(target.parent).free < SPARE:
                raise OSError(28, "No space left to unpack the file")
            file.write(chunk)


def _without_suffix(filename: str) -> str:
    for suffix in (".gz", ".gzip"):
        if filename.lower().endswith(suffix):
            return filename[: -len(suffix)] or filename
    return filename
