"""Pages that show results, of a run of 1,000 and of one of 1,000,000: server time of the view, p95,
and queries.

As in `bench/pages.py`, each page of the large run is held to what PERFORMANCE allows it and to the
same page of the small run. Thirty per cent of the results fail, one in a hundred is below the
threshold of a scorer with a number.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from bench.comparison import make_dataset, make_run
from bench.pages import held
from bench.servers import signed_in
from evalhub import local

SMALL, LARGE = 1_000, 1_000_000
ALLOWED, LIST_ALLOWED = 80, 60


def addresses(run: Any, count: int) -> dict[str, tuple[str, float]]:
    """{page: (address, what is allowed in ms)}."""
    project = f"/p/{local.DEFAULT_PROJECT}"
    base, deep = f"{project}/runs/{run.number}", count // 2
    return {
        "run, first page": (base, ALLOWED),
        "run, deep page": (f"{base}?after={deep}", ALLOWED),
        "run, failures": (f"{base}?f=fail", ALLOWED),
        "run, failures, deep page": (f"{base}?f=fail&after={deep}", ALLOWED),
        "run, below a threshold": (f"{base}?f=fail&by=scorer+1", ALLOWED),
        "run, errors": (f"{base}?f=error", ALLOWED),
        "run, one result": (f"{base}/results/{deep}", ALLOWED),
        "run list": (f"{project}/runs", LIST_ALLOWED),
        "runs of the dataset": (f"{project}/datasets/{run.dataset.slug}/runs", LIST_ALLOWED),
    }


def measured() -> list[dict[str, object]]:
    """The rows, on the backend of the settings (Django is set up)."""
    with signed_in() as client:
        pages = []
        for seed, count in enumerate((SMALL, LARGE), start=1):
            dataset, base = make_dataset(count)
            pages.append(addresses(make_run(dataset, base, count, 2, seed), count))
        return held(client, *pages, f"{LARGE:,} to {SMALL:,} results")


def main() -> None:
    local.setup()
    json.dump(measured(), sys.stdout)


if __name__ == "__main__":
    main()
