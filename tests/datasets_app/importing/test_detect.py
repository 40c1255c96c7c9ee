from pathlib import Path

import pytest

from datasets_app.importing.detect import Detected, detect
from datasets_app.importing.problems import ImportFileError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "upload"


@pytest.mark.parametrize(
    ("name", "data", "format", "encoding", "delimiter"),
    [
        ("a.csv", b"q,a\n1,2\n", "csv", "utf-8", ","),
        ("a.csv", b"\xef\xbb\xbfq,a\n1,2\n", "csv", "utf-8", ","),
        ("a.csv", "q,é\n1,2\n".encode("utf-16"), "csv", "utf-16", ","),
        ("a.csv", b"\xfe\xff" + "q;a\n1;2\n".encode("utf-16-be"), "csv", "utf-16", ";"),
        ("a.csv", "question,answer\none,two\n".encode("utf-16-le"), "csv", "utf-16-le", ","),
        ("a.csv", "question,answer\none,two\n".encode("utf-16-be"), "csv", "utf-16-be", ","),
        ("a.csv", "q,a\n1,2\n".encode("utf-32"), "csv", "utf-32", ","),
        ("a.csv", "q,a\ncafé,2\n".encode("cp1252"), "csv", "cp1252", ","),
        ("a.csv", "q,a\ncafé,2\n".encode(), "csv", "utf-8", ","),
        ("a.csv", b"q;a\n1,5;2,5\n", "csv", "utf-8", ";"),
        ("a.csv", b"q|a\nx, y|z\n", "csv", "utf-8", "|"),
        ("a.csv", b"q\ta\n1\t2\n", "tsv", "utf-8", "\t"),
        ("a.csv", b'"q;r",a\n"1;2;3",x\n', "csv", "utf-8", ","),
        ("a.csv", b"sep=;\nq;a\n1;2\n", "csv", "utf-8", ";"),
        ("a.tsv", b"q,a\n1,2\n", "tsv", "utf-8", "\t"),
        ("a.txt", b"q\ta\n1\t2\n", "tsv", "utf-8", "\t"),
        ("a.jsonl", b'{"q": 1}\n', "jsonl", "utf-8", None),
        ("a.NDJSON", b'{"q": 1}\n', "jsonl", "utf-8", None),
        ("a.json", b'{"q": 1}\n{"q": 2}\n', "jsonl", "utf-8", None),
        ("upload", b'{"q": 1, "a": 2}\n', "jsonl", "utf-8", None),
        ("a.csv", b"q,a\r1,2\r3,4\r", "csv", "utf-8", ","),
    ],
)
def test_format_encoding_and_delimiter_are_detected(
    file: Path, name: str, data: bytes, format: str, encoding: str, delimiter: str | None
) -> None:
    file.write_bytes(data)
    found = detect(file, name)
    assert (found.format, found.encoding, found.delimiter) == (format, encoding, delimiter)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"", "The file is empty."),
        ("a.csv", b" \r\n\n", "The file is empty."),
        ("a.csv", b"\xef\xbb\xbf", "The file is empty."),
        (
            "a.csv",
            b"PK\x03\x04\x14\x00[Content_Types].xml....xl/workbook.xml",
            "This is an Excel workbook with a name ending in .csv, not text. "
            "Open it in a spreadsheet and save it as CSV first.",
        ),
        ("a.xlsx", b"PK\x03\x04\x14\x00xl/workbook.xml", "This is an Excel workbook, not text."),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "an old Excel workbook (.xls)"),
        ("a.ods", b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "OpenDoc"),
        ("a.zip", b"PK\x03\x04\x14\x00data.csv", "a zip archive, not text. Unpack it"),
        ("a.csv.gz", b"\x1f\x8b\x08\x00", "This is a gzip file, not text. Unpack it"),
        ("a.csv", b"%PDF-1.7\n", "This is a PDF with a name ending in .csv"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\x00", "This is an image (PNG)"),
        ("a.csv", b"\xff\xd8\xff\xe0", "This is an image (JPEG)"),
        ("a.csv", b"<!DOCTYPE html><html>", "This is a web page (HTML)"),
        ("a.csv", bytes(range(256)) * 20, "This is a binary file, not text."),
    ],
)
def test_files_that_cannot_be_read_are_refused_by_name_with_a_cure(
    file: Path, name: str, data: bytes, message: str
) -> None:
    file.write_bytes(data)
    with pytest.raises(ImportFileError) as caught:
        detect(file, name)
    assert message in str(caught.value)


def test_a_file_that_is_not_utf8_is_read_as_windows_1252_with_a_note(file: Path) -> None:
    file.write_bytes(b"q,a\n" + b"x,y\n" * 50_000 + "naïve,€5\n".encode("cp1252"))
    found = detect(file, "a.csv")
    assert found.encoding == "cp1252"
    assert found.notes == (
        "Not valid UTF-8, so read as Windows-1252. If accents look wrong, choose "
        "another encoding or save the file as UTF-8.",
    )


def test_utf8_with_a_damaged_byte_is_refused_with_its_line_and_byte(file: Path) -> None:
    before = "q,a\n" + "é,ü\n" * 300_000
    file.write_bytes(before.encode() + b"broken\xe9,x\n")
    with pytest.raises(ImportFileError) as caught:
        detect(file, "a.csv")
    assert caught.value.line == 300_002
    offset = len(before.encode()) + len("broken") + 1
    assert f"Line 300,002: byte {offset:,} of the file (0xE9) is not valid UTF-8." in str(
        caught.value
    )


def test_bytes_that_are_neither_utf8_nor_windows_1252_ask_for_the_encoding(file: Path) -> None:
    file.write_bytes(b"q,a\nx\x81\x8d,y\n")
    with pytest.raises(ImportFileError, match=r"^Line 2: .*It is not Windows-1252 either\."):
        detect(file, "a.csv")


def test_what_is_given_is_kept(file: Path) -> None:
    file.write_bytes(b"q;a\n1,x;2\n")
    found = detect(file, "a.jsonl", encoding="Latin1", delimiter="|", format="csv")
    assert (found.format, found.encoding, found.delimiter) == ("csv", "iso8859-1", "|")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"encoding": "klingon"}, "The encoding 'klingon' is not known. Use one of utf-8,"),
        ({"encoding": "rot13"}, "The encoding 'rot13' is not known."),
        ({"delimiter": "#"}, "The delimiter '#' is not known. Use one of comma,"),
        (
            {"format": "xml"},
            "The format 'xml' is not known. Use one of csv, tsv, json, jsonl, parquet.",
        ),
    ],
)
def test_an_unknown_choice_is_refused_with_the_known_ones(
    file: Path, given: dict[str, str], message: str
) -> None:
    file.write_bytes(b"q,a\n1,2\n")
    with pytest.raises(ImportFileError) as caught:
        detect(file, "a.csv", **given)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"1,2\n3,4\n", "The first row holds numbers."),
        (b"question\nhello, you\n", "No delimiter found in the first row"),
        (b'{"a": 1}\n', "Read as JSONL, by what the file holds."),
    ],
)
def test_a_doubt_becomes_a_note(file: Path, data: bytes, note: str) -> None:
    file.write_bytes(data)
    notes = detect(file, "a.csv").notes
    assert any(one.startswith(note) for one in notes)


def test_a_detection_survives_storage() -> None:
    detected = Detected("csv", "cp1252", ";", has_header=False, notes=("Not sure.",))
    assert Detected.from_dict(detected.to_dict()) == detected
