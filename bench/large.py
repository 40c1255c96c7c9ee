"""100,000 items: the cost per item beside that of 10,000, and the memory of the worker from its
first results to its last.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from bench import product
from bench.measure import database_cpu, paired
from bench.provider import provider

FEW, MANY = 10_000, 100_000
SEATS = 64
LOOK_S = 0.2


def main() -> None:
    with product.installation(), provider() as base_url:
        target = product.add_target(base_url, "Bench")
        for items in (FEW, MANY):
            product.add_dataset(items, f"Bench {items}")

        def cost(items: int) -> float:
            began = time.process_time() + database_cpu()
            product.work(product.start(f"bench-{items}", target, SEATS))
            return (time.process_time() + database_cpu() - began) / items * 1000

        grown: list[tuple[float, float]] = []

        def few() -> float:
            return cost(FEW)

        def many() -> float:
            with Memory() as memory:
                spent = cost(MANY)
            grown.append(memory.first_and_most())
            return spent

        few()  # imports and caches, which the memory of a fresh worker would count as growth
        rows = [paired(f"{MANY:,} items to {FEW:,}", "CPU ms/item", few, many)]
    begin, most = max(grown, key=lambda each: each[1] - each[0])
    rows.append(
        {
            "name": f"memory of the worker over {MANY:,} items, most to first",
            "unit": "MB",
            "floor": begin,
            "product": most,
            "ratio": most / begin,
            "ratios": [after / before for before, after in grown],
        }
    )
    json.dump(rows, sys.stdout)


class Memory:
    """Watches this process's resident memory, in MB."""

    def __enter__(self) -> Memory:
        self._seen: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def first_and_most(self) -> tuple[float, float]:
        """After two seconds of work, when all is loaded, and at most."""
        settled = self._seen[int(2 / LOOK_S) :]
        return settled[0], max(settled)

    def _watch(self) -> None:
        while not self._over.wait(LOOK_S):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self._seen.append(pages * 4096 / 1e6)


if __name__ == "__main__":
    main()
