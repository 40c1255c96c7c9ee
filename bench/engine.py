"""Engine overhead: CPU per item with a chat target whose server answers at once, 64 in flight, two
code scorers, everything stored. Counted is the CPU of everything that works for it, the database
server included, the model server not.
"""

from __future__ import annotations

import json
import sys
import time

from bench import floor, product
from bench.measure import database_cpu, paired
from bench.provider import provider

ITEMS = 20_000
SEATS = 64


def cpu() -> float:
    return time.process_time() + database_cpu()


def main() -> None:
    asked = product.questions(ITEMS)
    with product.installation(), provider() as base_url:
        product.add_dataset(ITEMS, "Bench")
        target = product.add_target(base_url, "Bench")

        def bare() -> float:
            began = cpu()
            floor.run(base_url, asked, SEATS)
            return (cpu() - began) / ITEMS * 1000

        def run() -> float:
            began = cpu()
            product.work(product.start("bench", target, SEATS))
            return (cpu() - began) / ITEMS * 1000

        rows = [paired(f"(a) chat target at 0 ms, {ITEMS:,} items", "CPU ms/item", bare, run)]
    json.dump(rows, sys.stdout)


if __name__ == "__main__":
    main()
