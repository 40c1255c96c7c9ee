import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from datasets_app.importing.detect import Detected, detect
from datasets_app.importing.problems import ImportFileError, Problem
from datasets_app.importing.rows import Row, open_rows
from datasets_app.importing.source import MAX_CELL, MAX_LINE

CSV = Detected("csv", "utf-8", ",")


def read(
    tmp_path: Path, data: str | bytes, detected: Detected = CSV
) -> tuple[list[str], list[Row | Problem]]:
    path = tmp_path / "file"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    with open_rows(path, detected) as source:
        return source.columns, list(source)


def brief(rows: list[Row | Problem]) -> list[tuple[int, object]]:
    """Rows as (line, values), problems as (line, kind)."""
    return [(row.line, row.values if isinstance(row, Row) else row.kind) for row in rows]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("q,a\n1,2\n3,4", [(2, ["1", "2"]), (3, ["3", "4"])]),
        ("q,a\r\n1,2\r\n3,4\r\n", [(2, ["1", "2"]), (3, ["3", "4"])]),
        ("q,a\r1,2\r3,4\r", [(2, ["1", "2"]), (3, ["3", "4"])]),
        ("q,a\n1,2\r\n3,4\r5,6\n", [(2, ["1", "2"]), (3, ["3", "4"]), (4, ["5", "6"])]),
        ("\ufeffq,a\n1,2\n", [(2, ["1", "2"])]),
        ('q,a\n"x\ny\r\nz",2\n3,4\n', [(2, ["x\ny\r\nz", "2"]), (5, ["3", "4"])]),
        ('q,a\n"say ""hi""",2\n', [(2, ['say "hi"', "2"])]),
        ('q,a\n5" screen,2\n', [(2, ['5" screen', "2"])]),
        ("\n\nq,a\n\n1,2\n   \n3,4\n\n", [(5, ["1", "2"]), (7, ["3", "4"])]),
        ("q,a\n1,\n,2\n", [(2, ["1", ""]), (3, ["", "2"])]),
        ("q\nx\n\ny\n", [(2, ["x"]), (4, ["y"])]),
        ("sep=,\nq,a\n1,2\n", [(3, ["1", "2"])]),
        ("q,a,,\n1,2,,\n3,4\n", [(2, ["1", "2"]), (3, ["3", "4"])]),
        ("q,a\n1,2,3\n4,5\n", [(2, "row_too_long"), (3, ["4", "5"])]),
        ("q,a,\n1,2,x\n4,5,\n", [(2, "row_too_long"), (3, ["4", "5"])]),
        ("q,a\n1\n4,5\n", [(2, "row_too_short"), (3, ["4", "5"])]),
        ("q,a\n,\n4,5\n", [(2, "empty_row"), (3, ["4", "5"])]),
        ("q,a\n1,x\0y\n4,5\n", [(2, "nul"), (3, ["4", "5"])]),
        ('q,a\n"x\n\0",y\n4,5\n', [(3, "nul"), (4, ["4", "5"])]),
        ('q,a\n"a "b" c",y\n4,5\n', [(2, "stray_quote"), (3, ["4", "5"])]),
        ('q,a\n"5" screen",y\n"4",5\n', [(2, "stray_quote"), (3, ["4", "5"])]),
    ],
)
def test_the_csv_of_the_wild_is_read_row_by_row(
    tmp_path: Path, data: str, expected: list[tuple[int, object]]
) -> None:
    assert brief(read(tmp_path, data)[1]) == expected


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        ("\n \n", None, "The file is empty."),
        ("q,a,q\n1,2,3\n", 1, "the name 'q' is there twice, in columns 1 and 3. Rename one."),
        ("q, q\n1,2\n", 1, "the name 'q' is there twice"),
        ("q,,a\n1,2,3\n", 1, "column 2 has no name. Name it in the first row"),
        (
            'q,a\n1,2\n3,"open\n5,6\n7,8\n',
            3,
            "a quote opens in 'a' and never closes, so everything up to the end of the file "
            "(line 5) would be one cell. Close the quote",
        ),
        ('q,a\n"x\ny","open\n5,6\n', 3, "a quote opens in 'a' and never closes"),
        ('q,a\n"x,1\ny,2\n"z",3\n', 2, "a quote opens in 'q' and closes on line 4 in the middle"),
        ('q,a\n"a "b" and\n more",y\n', 2, "a quote opens in 'q' and closes on line 2 in the"),
        ('q,a\n"a "b" and,\n more",y\n', 2, "the quotes from this line on do not pair up"),
        ('q,a\n"a "b and",\n more",y\n', 2, "the quotes from this line on do not pair up"),
        ('"q,a\n1,2\n', 1, "a quote opens in 'column 1' and never closes"),
        ("q\0,a\n1,2\n", 1, "the first row holds a NUL character."),
        (",".join(map(str, range(5_000))) + "\n", 1, "the file has 5,000 columns; at most 2,000"),
    ],
)
def test_a_file_whose_structure_is_unsure_is_refused_with_the_line(
    tmp_path: Path, data: str, line: int | None, message: str
) -> None:
    with pytest.raises(ImportFileError) as caught:
        read(tmp_path, data)
    assert message in str(caught.value)
    assert caught.value.line == line


def test_a_ragged_row_says_how_many_cells_it_has_and_which_column_is_missing(
    tmp_path: Path,
) -> None:
    _, rows = read(tmp_path, "q,a,topic\nx,y\n")
    assert rows == [
        Problem(
            2,
            "topic",
            "x,y",
            "row_too_short",
            "The row has 2 cells; the file has 3 columns.",
            "Quote cells that hold line ends, and keep empty cells at the end.",
            row="x,y",
        )
    ]


def test_a_nul_names_its_column(tmp_path: Path) -> None:
    [problem] = read(tmp_path, "q,a\n1,x\0y\n")[1]
    assert isinstance(problem, Problem)
    assert (problem.column, problem.value) == ("a", "x\\0y")


def test_without_a_header_columns_are_numbered_and_the_first_row_is_data(tmp_path: Path) -> None:
    columns, rows = read(tmp_path, "1,2\n3,4\n", replace(CSV, has_header=False))
    assert columns == ["column 1", "column 2"]
    assert brief(rows) == [(1, ["1", "2"]), (2, ["3", "4"])]


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("cp1252", "q;a\nnaïve;€5\n".encode("cp1252")),
        ("utf-16", "q;a\nnaïve;€5\n".encode("utf-16")),
        ("utf-16", b"\xfe\xff" + "q;a\nnaïve;€5\n".encode("utf-16-be")),
        ("utf-16-le", b"\xff\xfe" + "q;a\nnaïve;€5\n".encode("utf-16-le")),
    ],
)
def test_encodings_other_than_utf8_give_the_same_rows(
    tmp_path: Path, encoding: str, data: bytes
) -> None:
    columns, rows = read(tmp_path, data, Detected("csv", encoding, ";"))
    assert columns == ["q", "a"]
    assert rows == [Row(2, ["naïve", "€5"])]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_byte_of_another_encoding_in_mid_file_is_an_error_with_line_and_byte(
    tmp_path: Path, newline: str
) -> None:
    before = newline.join(["q,a", *["plain,text"] * 120_000, ""]).encode()
    with pytest.raises(ImportFileError) as caught:
        read(tmp_path, before + b"caf\xe9,2" + newline.encode())
    assert caught.value.line == 120_002
    assert f"byte {len(before) + 4:,} of the file (0xE9) is not valid UTF-8" in str(caught.value)


def test_a_wrong_byte_of_utf16_is_found_too(tmp_path: Path) -> None:
    good = "q,a\n1,2\n".encode("utf-16-be")
    with pytest.raises(ImportFileError, match=r"^Line 3: byte 19 .* is not valid UTF-16\."):
        read(tmp_path, b"\xfe\xff" + good + b"\xd8\x00\x00\x41", Detected("csv", "utf-16", ","))


def test_a_cell_of_one_megabyte_is_read(tmp_path: Path) -> None:
    cell = "x" * 1_000_000
    assert read(tmp_path, f"q,a\n{cell},2\n")[1] == [Row(2, [cell, "2"])]


@pytest.mark.parametrize(
    ("length", "kind"), [(MAX_CELL + 1, "cell_too_large"), (MAX_LINE + 5, "line_too_long")]
)
def test_a_cell_or_line_over_the_limit_is_a_problem_and_the_file_goes_on(
    tmp_path: Path, length: int, kind: str
) -> None:
    _, rows = read(tmp_path, "q,a\n1,2\n" + "x" * length + ",2\n5,6\n")
    assert brief(rows) == [(2, ["1", "2"]), (3, kind), (4, ["5", "6"])]
    assert [one.suggestion for one in rows if isinstance(one, Problem)] == [
        "Shorten it, or take the row out."
    ]


def test_a_quote_that_swallows_a_large_file_is_an_error_at_the_line_where_it_opened(
    tmp_path: Path,
) -> None:
    rest = ("y" * 100_000 + ",z\n") * 60
    with pytest.raises(ImportFileError) as caught:
        read(tmp_path, 'q,a\n1,2\n"x,2\n' + rest)
    assert caught.value.line == 3
    assert "a quote opens in 'q' and the cell is over 4,194,304 characters" in str(caught.value)


def test_memory_stays_flat_over_a_long_file_and_over_one_endless_line(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for piece, count in (("some words in a cell,and more\n", 300_000), ("z" * 1_000_000, 60)):
        with path.open("w") as file:
            file.write("q,a\n")
            for _ in range(count):
                file.write(piece)
        tracemalloc.start()
        with open_rows(path, CSV) as source:
            seen = sum(1 for _ in source)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert seen == (count if "\n" in piece else 1)
        assert peak < 6 * MAX_LINE


def test_progress_goes_from_nothing_to_the_size_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("q,a\n" + "x,y\n" * 500_000)
    with open_rows(path, detect(path, "a.csv")) as source:
        started = source.position
        for _ in source:
            pass
        assert 0 < started < source.size == source.position
