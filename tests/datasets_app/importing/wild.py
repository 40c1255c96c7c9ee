"""Files of the wild: what they hold, and what is to be said of them."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable

import pyarrow
import pyarrow.parquet

MB = 1024 * 1024
CONTENT_TYPES = "[Content_Types].xml"


def zipped(first: str = "", **files: bytes) -> bytes:
    """A zip archive; in the names `_` stands for a dot, `__` for a slash and `~` for `_`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        if first:
            archive.writestr(first, b"<x/>")
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_", ".").replace("~", "_"), content)
    return buffer.getvalue()


def parquet(**columns: list[object]) -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


def bomb() -> bytes:
    """200 KB that unpack to 200 MB."""
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb", 9) as file:
        file.write(b"q,a\n")
        block = b"x" * MB
        for _ in range(200):
            file.write(block)
    return buffer.getvalue()


QA = [["é", "2"], ["line\nend", 'say "hi"']]
TEXT = 'q,a\né,2\n"line\nend","say ""hi"""\n'
OBJECTS = [{"q": "é", "a": 2}, {"q": [1, None], "a": {"b": 1.0}}]

GOOD: dict[str, tuple[str, bytes, list[object]]] = {
    "plain": ("a.csv", TEXT.encode(), QA),
    "UTF-8 with a mark": ("a.csv", b"\xef\xbb\xbf" + TEXT.encode(), QA),
    "UTF-16 with a mark": ("a.csv", TEXT.encode("utf-16"), QA),
    "UTF-16 little-endian": ("a.csv", TEXT.encode("utf-16-le"), QA),
    "UTF-16 big-endian": ("a.csv", TEXT.encode("utf-16-be"), QA),
    "UTF-32 with a mark": ("a.csv", TEXT.encode("utf-32"), QA),
    "UTF-32 little-endian": ("a.csv", TEXT.encode("utf-32-le"), QA),
    "UTF-32 big-endian": ("a.csv", TEXT.encode("utf-32-be"), QA),
    "Windows-1252": ("a.csv", TEXT.encode("cp1252"), QA),
    "CRLF": ("a.csv", b"q,a\r\n1,2\r\n3,4\r\n", [["1", "2"], ["3", "4"]]),
    "CR": ("a.csv", b"q,a\r1,2\r3,4", [["1", "2"], ["3", "4"]]),
    "mixed line ends": ("a.csv", b"q,a\r1,2\n3,4\r\n", [["1", "2"], ["3", "4"]]),
    "semicolons": ("a.csv", b"q;a\n1,5;2\n", [["1,5", "2"]]),
    "sep=": ("a.csv", b"sep=|\nq|a\n1|2\n", [["1", "2"]]),
    "TSV": ("a.tsv", b"q\ta\n1\t2\n", [["1", "2"]]),
    "a cell of 1 MB": ("a.csv", b"q,a\n" + b"x" * MB + b",2\n", [["x" * MB, "2"]]),
    "formulas": ("a.csv", b"q,a\n=1+1,-2\n@x,+3\n", [["=1+1", "-2"], ["@x", "+3"]]),
    "JSONL": ("a.jsonl", "\n".join(map(json.dumps, OBJECTS)).encode(), list(OBJECTS)),
    "JSONL named .json": ("a.json", "\n".join(map(json.dumps, OBJECTS)).encode(), list(OBJECTS)),
    "JSON array": ("a.json", json.dumps(OBJECTS).encode(), list(OBJECTS)),
    "JSON array named .jsonl": ("a.jsonl", json.dumps(OBJECTS).encode(), list(OBJECTS)),
    "JSON with indents": ("a.json", json.dumps(OBJECTS, indent=2).encode("utf-16"), list(OBJECTS)),
    "JSON without a name": ("data", json.dumps(OBJECTS, indent=2).encode(), list(OBJECTS)),
    "an object that holds the array": (
        "a.json",
        json.dumps({"n": 2, "of": ["x"], "none": [], "rows": OBJECTS, "z": 1}).encode(),
        list(OBJECTS),
    ),
    "gzip": ("a.csv.gz", gzip.compress(TEXT.encode()), QA),
    "zip": ("a.zip", zipped(README_md=b"hello", data__a_csv=TEXT.encode()), QA),
    "zip from a Mac": ("a.zip", zipped(a_csv=TEXT.encode(), **{"~~MACOSX__a_csv": b"\0\5"}), QA),
    "Parquet": (
        "a.parquet",
        parquet(q=["é", "x"], a=[2, None], m=[{"k": [1]}, {"k": []}]),
        [{"q": "é", "a": 2, "m": {"k": [1]}}, {"q": "x", "m": {"k": []}}],
    ),
}


REFUSED: dict[str, tuple[str, Callable[[], bytes] | bytes, str]] = {
    "empty": ("a.csv", b"", "The file is empty."),
    "only spaces": ("a.csv", b" \n \n", "The file is empty."),
    "an unclosed quote": ("a.csv", b'q,a\n1,2\n3,"4\n5,6\n', "Line 3: a quote opens in 'a'"),
    "a header twice": ("a.csv", b"q,a,q\n1,2,3\n", "Line 1: the name 'q' is there twice"),
    "an empty header": ("a.csv", b"q,,a\n1,2,3\n", "Line 1: column 2 has no name."),
    "5,000 columns": (
        "a.csv",
        ",".join(f"c{n}" for n in range(5_000)).encode() + b"\n1\n",
        "Line 1: the file has 5,000 columns; at most 2,000 are read.",
    ),
    "damaged UTF-8": ("a.csv", "q\né\n".encode() * 9 + b"\xff\n", "Line 19: byte 46 of the file"),
    "a workbook named .csv": (
        "a.csv",
        zipped(CONTENT_TYPES, xl__workbook_xml=b"<x/>"),
        "This is an Excel workbook with a name ending in .csv, not text. Open it in a spreadsheet",
    ),
    "a zip without data": (
        "a.csv",
        zipped(README_md=b"hello"),
        "The archive holds no CSV, TSV, JSON or Parquet file.",
    ),
    "200 KB that unpack to 200 MB": ("a.csv.gz", bomb, "unpacks to more than 200 times its size"),
    "a zip bomb": ("a.zip", lambda: zipped(a_csv=b"q,a\n" + b"x" * (200 * MB)), "200 times"),
    "a cut gzip": ("a.csv.gz", gzip.compress(TEXT.encode() * 99)[:-9], "packed file is damaged"),
    "a cut zip": ("a.zip", zipped(a_csv=TEXT.encode())[:-30], "packed file is damaged"),
    "two files in a zip": (
        "a.zip",
        zipped(a_csv=b"q\n1\n", b_csv=b"q\n1\n"),
        "The archive holds 2 data files: a.csv, b.csv. Say which one to read.",
    ),
    "a zip in a zip": ("a.zip", zipped(a_csv=zipped(b_csv=b"q\n1\n")), "a zip archive, not text"),
    "a JSON array that is cut": ("a.json", b'[{"q": 1},\n{"q": ', "Line 2: the object or array"),
    "a missing comma": ("a.json", b'[{"q": 1}\n{"q": 2}]', "Line 2: at character 1: a comma is"),
    "a comma too many": ("a.json", b'[{"q": 1},\n]', "Line 2: at character 1: a comma too many"),
    "a string that is not closed": (
        "a.json",
        b'[{"q": 1},\n{"q": "x\n}]',
        "Line 2: at character 7",
    ),
    "brackets that do not pair": ("a.json", b'[{"q": 1},\n{"q": [1}]', "Line 2: at character 9"),
    "more after the array": ("a.json", b'[{"q": 1}]\n[', "Line 2: at character 1: “[” follows"),
    "an object that holds no rows": ("a.json", b'{\n"q": [1, 2]\n}', "holds no list of objects"),
    "an array of numbers": ("a.json", b"[1, 2]", "Line 1: The element is a number, not a JSON"),
    "an empty array": ("a.json", b"[]", "The file is empty."),
    "a damaged Parquet file": ("a.parquet", b"PAR1\x15\x04", "This Parquet file cannot be read"),
    "a Parquet file without rows": ("a.parquet", parquet(q=[]), "The file is empty."),
    "nothing but brackets": ("a.json", b"[" * 100_000, "Line 1: at character 10,002: nested"),
}


BAD_ROWS: dict[str, tuple[str, bytes, int, str, str]] = {
    "a row too short": ("a.csv", b"q,a\n1,2\n3\n5,6\n", 3, "row_too_short", "1 cell; the file has 2"),
    "a row too long": ("a.csv", b"q,a\n1,2\n3,4,5\n5,6\n", 3, "row_too_long", "3 cells; the file"),
    "a NUL": ("a.csv", b"q,a\n1,2\n3,x\0\n5,6\n", 3, "nul", "NUL character"),
    "a stray quote": ("a.csv", b'q,a\n1,2\n"3"x,4\n5,6\n', 3, "stray_quote", 'written as ""'),
    "a cell of 5 MB": ("a.csv", b"q,a\n1,2\n" + b"x" * (5 * MB) + b",4\n5,6\n", 3, "cell_too_large",
        "over 4,194,304 characters"),
    "NaN": ("a.json", b'[{"q": 1},\n{"q": NaN},\n{"q": 3}]', 2, "bad_json", "NaN is not a JSON"),
    "depth 2,000": ("a.json", b'[{"q": 1},\n{"q": ' + b"[" * 2_000 + b"]" * 2_000
        + b'},\n{"q": 3}]', 2, "bad_json", "nested more than 100 levels"),
    "5,000 digits": ("a.json", b'[{"q": 1},\n{"q": ' + b"7" * 5_000 + b'},\n{"q": 3}]', 2,
        "bad_json", "5,000 digits"),
    "half a surrogate pair": ("a.json", b'[{"q": 1},\n{"q": "\\ud800"},\n{"q": 3}]', 2, "bad_json",
        "surrogate"),
    "an escaped NUL": ("a.json", b'[{"q": 1},\n{"q": "\\u0000"},\n{"q": 3}]', 2, "bad_json", "NUL"),
    "single quotes": ("a.json", b"[{\"q\": 1},\n{'q': 2},\n{\"q\": 3}]", 2, "bad_json", "double quotes"),
    "a fault lines below": ("a.json", b'[{"q": 1},\n{\n"q": 2 "a"},\n{"q": 3}]', 3, "bad_json",
        "at character 8 of the line: a comma is missing"),
    "an element that is no object": ("a.json", b'[{"q": 1},\n7,\n{"q": 3}]', 2, "not_an_object",
        "The element is a number"),
    "a NaN in Parquet": ("a.parquet", parquet(q=[1.0, float("nan"), 3.0]), 2, "bad_json", "NaN"),
    "bytes in Parquet": ("a.parquet", parquet(q=[b"a", b"\xff", b"c"]), 2, "bad_json", "no UTF-8"),
}  # fmt: skip
