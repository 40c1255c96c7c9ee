"""Run all rows, print a table, write JSON: `python -m bench [ROW-PREFIX]`."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = (
    *("engine", "waiting", "large", "workers"),
    *("import_rows", "export", "pages", "run_pages", "comparison"),
)
SERVERS = {
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/test"),
    "CELERY_BROKER_URL": os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9"),
    "EVALHUB_SECRET_KEY": "only-for-the-bench-" + "x" * 40,
    "EVALHUB_ALLOWED_ADDRESSES": "127.0.0.0/8",
    "EVALHUB_ALLOWED_HOSTS": "127.0.0.1",
}
ROOT = Path(__file__).parents[1]


def main() -> None:
    wanted = [row for row in ROWS if not sys.argv[1:] or row.startswith(sys.argv[1])]
    found: list[dict[str, object]] = []
    for backend, environment in (("sqlite", {}), ("postgresql", SERVERS)):
        for row in wanted:
            with tempfile.TemporaryDirectory(prefix="evalhub-bench-") as home:
                done = subprocess.run(
                    [sys.executable, "-m", f"bench.{row}"],
                    cwd=ROOT,
                    env=os.environ | environment | {"EVALHUB_HOME": home},
                    stdout=subprocess.PIPE,
                    check=False,
                )
            if done.returncode != 0:
                print(f"{row} on {backend}: not measured (exit {done.returncode})", file=sys.stderr)
                continue
            for figures in json.loads(done.stdout):
                found.append({"backend": backend, **figures})
                _show(found[-1])
    results = ROOT / "bench" / "results"
    results.mkdir(exist_ok=True)
    file = results / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    file.write_text(json.dumps({"machine": machine, "rows": found}, indent=1))
    print(f"\nWritten to {file.relative_to(ROOT)}")


def _show(row: dict[str, object]) -> None:
    ratios = row["ratios"]
    assert isinstance(ratios, list)
    print(
        f"{row['backend']:<11} {row['name']:<46} floor {row['floor']:>7.3f}  "
        f"product {row['product']:>7.3f} {row['unit']:<12} ratio {row['ratio']:.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f})",
        flush=True,
    )


if __name__ == "__main__":
    main()
