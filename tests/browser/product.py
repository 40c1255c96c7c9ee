"""The product as a user starts it, for browser tests and screenshots: `up` in a child process."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
INSTALL = "apt-get install chromium"


@dataclass(frozen=True, slots=True)
class Product:
    """A running evalhub: its address, the sign-in link that it printed, and its data folder."""

    url: str
    link: str
    home: Path
    process: subprocess.Popen[str]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(home: Path, **environment: str) -> Iterator[Product]:
    """`manage.py up` on an own data folder and port, stopped by Ctrl-C at the end."""
    port = free_port()
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "CELERY_BROKER_URL", "EVALHUB_ALLOWED_HOSTS")
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=clean | {"EVALHUB_HOME": str(home), "PORT": str(port)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield Product(f"http://127.0.0.1:{port}", _link(process), home, process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def _link(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = []
    end = time.monotonic() + 60
    while time.monotonic() < end:
        line = process.stdout.readline()
        said.append(line)
        if found := re.search(r"http://\S+/sign-in/\S+", line):
            return found[0]
        if not line and process.poll() is not None:
            break
    raise AssertionError("no sign-in link: " + "".join(said))


def chromium_path() -> str | None:
    """Where Chromium is; None when it is not installed."""
    import shutil

    return next((path for name in CHROMIUM if (path := shutil.which(name))), None)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Headless Chromium of the system."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()
