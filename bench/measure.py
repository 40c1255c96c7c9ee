"""Floor and product in turn, so that a machine that slows down slows both."""

from __future__ import annotations

import statistics
from collections.abc import Callable


def paired(
    name: str,
    unit: str,
    floor: Callable[[], float],
    product: Callable[[], float],
    rounds: int = 3,
) -> dict[str, object]:
    """Medians of `rounds` rounds of both, and the median of the rounds' ratios."""
    floors, products = [], []
    for _ in range(rounds):
        floors.append(floor())
        products.append(product())
    ratios = [product / floor for floor, product in zip(floors, products, strict=True)]
    return {
        "name": name,
        "unit": unit,
        "floor": statistics.median(floors),
        "product": statistics.median(products),
        "ratio": statistics.median(ratios),
        "ratios": ratios,
    }


def database_cpu() -> float:
    """CPU seconds that the PostgreSQL server has used so far; 0 where it is not on this machine.

    The server's processes come and go with connections; those that ended are in their parent's
    account of waited-for children.
    """
    import os
    from pathlib import Path

    tick = os.sysconf("SC_CLK_TCK")
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        if "(postgres)" in text:
            fields = text.rpartition(")")[2].split()
            own = int(fields[11]) + int(fields[12])
            total += own + int(fields[13]) + int(fields[14])
    return total / tick


def single(name: str, unit: str, floor: float, product: float) -> dict[str, object]:
    """A row of one measurement beside its floor, or what it is allowed."""
    ratio = product / floor
    return {
        "name": name,
        "unit": unit,
        "floor": floor,
        "product": product,
        "ratio": ratio,
        "ratios": [ratio],
    }
