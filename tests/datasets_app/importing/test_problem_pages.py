from __future__ import annotations

from pathlib import Path

import pytest

from datasets_app.importing import problem_pages
from datasets_app.importing.problem_pages import read_page
from datasets_app.importing.problems import Problem, problems_csv


@pytest.fixture
def problems() -> list[Problem]:
    """Rows of three kinds in turn, with cells of several lines, quotes and formulas."""
    kinds = [("not_a_number", "=n"), ("bad_json", "b"), ("row_too_short", None)]
    return [
        Problem(
            at, kinds[at % 3][1], f'"{at}"\nand', kinds[at % 3][0], "Is wrong.", "=Mend.", f"'{at}"
        )
        for at in range(2, 302)
    ]


@pytest.fixture
def path(tmp_path: Path, problems: list[Problem]) -> Path:
    path = tmp_path / "problems.csv"
    path.write_bytes("".join(problems_csv(problems)).encode())
    return path


def walk(path: Path, only: tuple[str, str | None] | None = None) -> list[Problem]:
    """All rows, page by page."""
    found: list[Problem] = []
    after: int | None = 0
    while after is not None:
        page = read_page(path, end=path.stat().st_size, after=after, only=only)
        assert len(page.rows) <= problem_pages.PAGE_ROWS
        found += page.rows
        after = page.following
    return found


def test_the_pages_together_give_every_problem_back_as_it_was(
    path: Path, problems: list[Problem]
) -> None:
    assert walk(path) == problems


def test_pages_of_one_kind_hold_that_kind_alone(path: Path, problems: list[Problem]) -> None:
    for only in (("not_a_number", "=n"), ("row_too_short", None)):
        assert walk(path, only) == [one for one in problems if (one.kind, one.column) == only]


def test_a_page_can_leave_out_the_first_ones_and_what_is_not_committed(
    path: Path, problems: list[Problem]
) -> None:
    only = ("bad_json", "b")
    page = read_page(path, end=path.stat().st_size, skip=5, only=only)
    assert page.rows[0] == [one for one in problems if one.kind == "bad_json"][5]
    first = "".join(problems_csv(problems[:7])).encode()
    assert read_page(path, end=len(first)).rows == problems[:7]


def test_a_rare_kind_is_looked_for_a_bounded_way_at_a_time(
    path: Path, problems: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problem_pages, "PAGE_BYTES", 1_000)
    page = read_page(path, end=path.stat().st_size, only=("nul", None))
    assert page.rows == []
    assert page.following is not None
    assert 1_000 <= page.following < 1_200
    assert walk(path) == problems


@pytest.mark.parametrize("after", [1, 70, 10**12])
def test_a_place_that_no_page_gave_is_no_error(path: Path, after: int) -> None:
    assert len(read_page(path, end=path.stat().st_size, after=after).rows) <= 50


@pytest.mark.parametrize("row", ["a\rb", "9" * 5_000 + ",a,b,c,d,e,f"])
def test_a_place_inside_a_cell_is_no_error(tmp_path: Path, row: str) -> None:
    path = tmp_path / "problems.csv"
    text = "".join(problems_csv([Problem(2, "n", "v", "nul", "Is wrong.", "", row)]))
    path.write_bytes(text.encode())
    for after in range(0, len(text), 3):
        assert len(read_page(path, end=len(text), after=after).rows) <= 1
