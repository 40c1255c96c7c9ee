"""A messy file as people have them: 2,000 rows, 37 of them bad, in more than one way."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

ROWS, BAD = 2_000, 37
NAME = "tickets_2026_q3.csv"
HEADER = ("id", "subject", "body", "channel", "queue", "priority", "details", "created at")
QUEUES = ("billing", "account", "technical", "sales")
SUBJECTS = ("Charged twice in October", "Cannot reset my password", "Größe ändern", "API down")


def write_messy(folder: Path) -> Path:
    """Windows-1252 with semicolons and mixed line ends: quotes in quotes, cells of several lines,
    empty cells, and 37 bad rows of seven kinds. The same file every time.
    """
    chance = random.Random(20)
    bad = sorted(chance.sample(range(5, ROWS), BAD))
    text = [_line(HEADER)]
    for number in range(ROWS):
        cells = _row(number, chance)
        text.append(_spoilt(bad.index(number), cells) if number in bad else _line(cells))
    ends = ("\r\n", "\n", "\r\n", "\r\n")
    joined = "".join(line + ends[at % len(ends)] for at, line in enumerate(text))
    path = folder / NAME
    path.write_bytes(joined.encode("cp1252"))
    return path


def _row(number: int, chance: random.Random) -> list[str]:
    body = f"Hello,\nmy card shows “two” payments; please refund {number} €."
    details = {"browser": chance.choice(["Firefox", "Safari"]), "seen": chance.randrange(9)}
    return [
        f"T-{number:04}",
        SUBJECTS[number % 4],
        body if number % 3 else 'He said "no"; twice.',
        chance.choice(["email", "chat", ""]),
        QUEUES[number % 4],
        str(number % 4 + 1),
        json.dumps(details),
        f"2026-10-{number % 28 + 1:02}",
    ]


def _spoilt(place: int, cells: list[str]) -> str:
    if place < 12:
        cells[5] = ("high", "P1", "1,5", "2 of 4")[place % 4]
    elif place < 20:
        cells[6] = ("{'browser': 'Safari'}", '{"seen": 1', '{"a": NaN}', "[1,]")[place % 4]
    elif place < 26:
        return _line(cells[:6])
    elif place < 30:
        return _line([*cells, "more", "and more"])
    elif place < 33:
        cells[1] = "NUL \0 inside"
    elif place < 35:
        return f'{cells[0]};"Stray" quote;text;email;{";".join(cells[4:6])};;'
    else:
        cells[0] = "T-0001"
    return _line(cells)


def _line(cells: tuple[str, ...] | list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=";", lineterminator="").writerow(cells)
    return buffer.getvalue()
