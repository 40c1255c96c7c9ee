"""Wall time at 200 ms a call, from the run's creation to `completed`, beside the ideal: items times
latency over seats.
"""

from __future__ import annotations

import json
import sys
import time

from bench import product
from bench.measure import paired
from bench.provider import provider

LATENCY_S = 0.2
CASES = ((2_000, 64), (8_000, 256), (20_000, 1_024))  # items, seats


def main() -> None:
    rows = []
    with product.installation(), provider(latency_s=LATENCY_S) as base_url:
        target = product.add_target(base_url, "Bench")
        for items, seats in CASES:
            product.add_dataset(items, f"Bench {seats}")

            def ideal(items: int = items, seats: int = seats) -> float:
                return items * LATENCY_S / seats

            def run(seats: int = seats) -> float:
                began = time.perf_counter()
                product.work(product.start(f"bench-{seats}", target, seats))
                return time.perf_counter() - began

            name = f"(b) {items:,} items at 200 ms, {seats:,} seats, to ideal"
            rows.append(paired(name, "s", ideal, run))
    json.dump(rows, sys.stdout)


if __name__ == "__main__":
    main()
