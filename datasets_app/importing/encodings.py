"""Encodings of text files: which are offered, how one is recognised, where one goes wrong. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from datasets_app.importing.problems import ImportFileError

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16, little-endian",
    "utf-16-be": "UTF-16, big-endian",
    "utf-32": "UTF-32",
    "utf-32-le": "UTF-32, little-endian",
    "utf-32-be": "UTF-32, big-endian",
    "cp1252": "Windows-1252",
    "iso8859-1": "ISO 8859-1 (Latin-1)",
    "iso8859-15": "ISO 8859-15 (Latin-9)",
    "cp1250": "Windows-1250 (Central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "koi8-r": "KOI8-R",
    "mac-roman": "Mac Roman",
    "shift_jis": "Shift JIS",
    "cp932": "Windows-932 (Japanese)",
    "euc_jp": "EUC-JP",
    "euc_kr": "EUC-KR",
    "gb18030": "GB 18030",
    "big5": "Big5",
}
"""Python's name of each encoding that can be chosen, with its name for people."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 1 << 20


def named(encoding: str) -> str:
    """The key of ENCODINGS for any usual spelling ("UTF8", "windows-1252", "latin1").

    Raises ImportFileError when it is unknown or not offered.
    """
    try:
        name = codecs.lookup(encoding.strip()).name
    except LookupError:
        name = ""
    by_codec = {codecs.lookup(key).name: key for key in ENCODINGS}
    by_codec[codecs.lookup("utf-8-sig").name] = "utf-8"
    if name not in by_codec:
        known = ", ".join(ENCODINGS)
        raise ImportFileError(f"The encoding {encoding!r} is not known. Use one of {known}.")
    return by_codec[name]


def byte_order_mark(head: bytes) -> str | None:
    """The encoding that a file's first bytes declare; None without a byte order mark."""
    return next((name for mark, name in _BOMS if head.startswith(mark)), None)


def wide_encoding(head: bytes) -> str | None:
    """The kind of UTF-16 or UTF-32 that a file without a mark is in; None when it is in neither.

    Latin text has a zero in nearly every second byte, on one side only, or three of four.
    """
    if len(head) < 4:
        return None
    zeros = [head[at::4].count(0) / len(head[at::4]) for at in range(4)]
    if min(zeros[1:]) > 0.8 and zeros[0] < 0.05:
        return "utf-32-le"
    if min(zeros[:3]) > 0.8 and zeros[3] < 0.05:
        return "utf-32-be"
    half = len(head) // 2
    even, odd = head[0::2].count(0) / half, head[1::2].count(0) / half
    if odd > 0.4 and even < 0.05:
        return "utf-16-le"
    if even > 0.4 and odd < 0.05:
        return "utf-16-be"
    return None


def guess_encoding(path: Path) -> tuple[str, str]:
    """(encoding, note) of a file without a byte order mark; the note is empty for plain UTF-8.

    The whole file is looked at. Raises ImportFileError with line and byte for UTF-8 that is damaged
    in places, and for bytes that are neither UTF-8 nor Windows-1252.
    """
    valid, invalid = _count_utf8(path)
    if not invalid:
        return "utf-8", ""
    if valid > invalid:
        raise decoding_error(path, "utf-8")
    if _first_bad_byte(path, "cp1252") is not None:
        raise ImportFileError(
            f"{decoding_error(path, 'utf-8').detail} "
            "It is not Windows-1252 either. Choose the file's encoding, or save it as UTF-8."
        )
    return "cp1252", (
        "Not valid UTF-8, so read as Windows-1252. If accents look wrong, choose "
        "another encoding or save the file as UTF-8."
    )


def decoding_error(path: Path, encoding: str) -> ImportFileError:
    """The error for a file that does not decode, naming the line and the byte where it stops."""
    label = ENCODINGS[encoding]
    found = _first_bad_byte(path, encoding)
    if found is None:
        return ImportFileError(f"The file is not valid {label}. Save it as UTF-8.")
    offset, bad, line = found
    return ImportFileError(
        f"byte {offset + 1:,} of the file ({bad}) is not valid {label}. "
        "Choose the file's real encoding, or save it as UTF-8.",
        line,
    )


def _count_utf8(path: Path) -> tuple[int, int]:
    """(characters beyond ASCII that are valid UTF-8, bytes that are not), over the whole file."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    valid = invalid = 0
    for chunk, last in _chunks(path):
        pending = bool(decoder.getstate()[0])
        if chunk.isascii() and not pending:
            continue
        text = decoder.decode(chunk, last)
        beyond = len(text) - len(text.encode("ascii", "ignore"))
        try:
            text.encode("utf-8")
            escaped = 0
        except UnicodeEncodeError:
            escaped = len(text) - len(text.encode("utf-8", "ignore").decode("utf-8"))
        valid, invalid = valid + beyond - escaped, invalid + escaped
    return valid, invalid


def _first_bad_byte(path: Path, encoding: str) -> tuple[int, str, int] | None:
    """(offset, the byte as 0xE9, line) of the first byte that does not decode; None if all do."""
    decoder = codecs.getincrementaldecoder(encoding)()
    done, line, after_cr = 0, 1, False
    for chunk, last in _chunks(path):
        before = decoder.getstate()
        try:
            text = decoder.decode(chunk, last)
        except UnicodeDecodeError as error:
            # The error counts from the bytes that the decoder still held back.
            start = error.start - len(before[0])
            decoder.setstate(before)
            good = decoder.decode(chunk[: max(start, 0)])
            bad = error.object[error.start]
            return done + start, f"0x{bad:02X}", line + _line_ends(good, after_cr)[0]
        ends, after_cr = _line_ends(text, after_cr)
        line += ends
        done += len(chunk)
    return None


def _line_ends(text: str, after_cr: bool) -> tuple[int, bool]:
    r"""(line ends in a piece of text, whether its end is \r); \r\n over two pieces counts once."""
    if not text:
        return 0, after_cr
    ends = text.count("\n") + text.count("\r") - text.count("\r\n")
    if after_cr and text[0] == "\n":
        ends -= 1
    return ends, text[-1] == "\r"


def _chunks(path: Path) -> Iterator[tuple[bytes, bool]]:
    with path.open("rb") as file:
        chunk = file.read(_CHUNK)
        while True:
            following = file.read(_CHUNK)
            yield chunk, not following
            if not following:
                return
            chunk = following
