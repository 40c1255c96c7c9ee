"""Figures, tables and progress for people."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from evalhub_client import output
from evalhub_client.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_writes_over_one_line() -> None:
    terminal = Terminal()
    progress = Progress(terminal)
    progress.show("1 of 2")
    progress.show("2 of 2")
    progress.say("Done.")
    assert terminal.getvalue() == "\r1 of 2\x1b[K\r2 of 2\x1b[K\r\x1b[KDone.\n"


def test_progress_elsewhere_is_a_line_now_and_then_without_control_characters() -> None:
    file = io.StringIO()
    progress = Progress(file)
    for done in range(5):
        progress.show(f"{done} of 4")
    progress.say("Done.")
    assert file.getvalue() == "0 of 4\nDone.\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
    ],
)
def test_a_duration_has_the_two_units_that_matter(seconds: float, text: str) -> None:
    assert output.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "point", "text"),
    [
        (-0.07, 0.01, "−7.0"),
        (0.174, 0.01, "+17.4"),
        (0.5, 0.1, "+5.0"),
        (-0.0001, 0.01, "0.0"),
        (0.0125, None, "+0.013"),
        (None, 0.01, "–"),
    ],
)
def test_a_change_has_its_sign_and_a_true_minus(
    value: float | None, point: float | None, text: str
) -> None:
    assert output.change(value, point) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0172, "0.017"), (0.5, "0.50"), (0.0000001, "< 0.001"), (0.9999, "1.0"), (None, "–")],
)
def test_a_p_value_has_two_digits_and_is_never_zero(value: float | None, text: str) -> None:
    assert output.probability(value) == text


def test_a_rate_has_decimals_only_when_it_is_small() -> None:
    assert output.rate(12345.6, "rows") == "12,346 rows/s"
    assert output.rate(2.04, "results") == "2.0 results/s"


def test_a_long_cell_is_shortened_and_lines_have_no_spaces_at_their_end() -> None:
    text = output.table(["Name", "N"], [["x" * 100, "1"], ["line\nbreak", "22"]], right=(1,))
    lines = text.splitlines()
    assert len(lines) == 3
    assert lines[1] == "x" * 59 + "…   1"
    assert lines[2].startswith("line break ")


def test_the_help_imports_neither_the_http_library_nor_django() -> None:
    program = (
        "import sys\n"
        "from evalhub_client.cli import main\n"
        "code = main(['--help'])\n"
        "heavy = {'httpx', 'django', 'evalhub'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else code)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
