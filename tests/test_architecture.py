"""The structure that the documents promise, held by tests (import directions are import-linter's)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_importing_evalhub_loads_no_framework() -> None:
    code = (
        "import sys, evalhub; "
        "print([m for m in ('django', 'celery', 'scipy', 'numpy', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_templates_of_datasets_name_no_url_of_runs() -> None:
    named = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "templates" / "datasets").rglob("*.html")
        if re.search(r"\bruns:", path.read_text())
    ]
    assert named == []


def test_datasets_work_without_runs_installed(tmp_path: Path) -> None:
    """The dataset tests that need no page pass with runs_app left out of INSTALLED_APPS."""
    pytest = [sys.executable, "-m", "pytest", "-q", "--ds=tests.settings_without_runs"]
    done = subprocess.run(
        [*pytest, "tests/datasets_app/test_items.py", "-k", "not kill"],
        cwd=ROOT,
        env={
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "CELERY_BROKER_URL")
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_no_python_file_is_longer_than_400_lines() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    long = {
        name: lines
        for name in listed
        if (ROOT / name).is_file() and (lines := len((ROOT / name).read_text().splitlines())) > 400
    }
    assert long == {}


def test_every_migration_has_a_name_that_says_something() -> None:
    automatic = [
        str(path.relative_to(ROOT))
        for path in ROOT.glob("*/**/migrations/0*.py")
        if ".venv" not in path.parts and "_auto_" in path.name
    ]
    assert automatic == []
