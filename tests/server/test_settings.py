"""Settings that fail loudly, and a server's settings under Django's own deployment checks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.browser.product import ROOT

SERVER = {
    "DATABASE_URL": "postgres://u:p@127.0.0.1:1/none",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
    "EVALHUB_SECRET_KEY": "k" * 20 + "0123456789abcdefghijklmnopqrstuvwxyz",
    "EVALHUB_URL": "https://eval.example.com",
    "EVALHUB_ALLOWED_HOSTS": "eval.example.com",
}


def manage(tmp_path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in SERVER and not name.startswith("EVALHUB_")
    }
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=clean | {"EVALHUB_HOME": str(tmp_path)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_server_passes_the_deployment_checks(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **SERVER)
    assert done.returncode == 0, done.stderr


def test_a_database_without_a_broker_is_refused(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", DATABASE_URL=SERVER["DATABASE_URL"])
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "evalhub: Set both DATABASE_URL and CELERY_BROKER_URL (a server), or neither (embedded)."
    )


def test_a_server_without_a_secret_key_is_refused(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", **(SERVER | {"EVALHUB_SECRET_KEY": ""}))
    assert done.returncode == 1
    assert "EVALHUB_SECRET_KEY" in done.stderr


def test_the_embedded_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    for _ in range(2):
        assert manage(tmp_path, "check").returncode == 0
    key = tmp_path / "secret_key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_text()) >= 50


def test_a_wrong_list_of_addresses_is_told_in_one_line(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", EVALHUB_ALLOWED_ADDRESSES="10.1.0.0/16,10.0.0.1/8")
    assert done.returncode == 1
    assert "EVALHUB_ALLOWED_ADDRESSES: “10.0.0.1/8” is neither" in done.stderr
    assert "Traceback" not in done.stderr


def test_keys_are_rotated_by_the_name_that_the_documentation_gives(tmp_path: Path) -> None:
    done = manage(tmp_path, "rotate-keys")
    assert done.returncode == 1
    assert "There is no evalhub here yet" in done.stderr
