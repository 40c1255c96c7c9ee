"""The server way: what compose.yaml starts, as separate processes on PostgreSQL and Redis."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests.browser.product import ROOT, free_port
from tests.faults.installation import on_servers, wait_for

pytestmark = [pytest.mark.db, pytest.mark.slow]


@pytest.mark.skipif(
    not os.environ.get("DATABASE_URL"), reason="the server way needs PostgreSQL and Redis"
)
def test_init_web_worker_and_beat_run_the_demo(tmp_path: Path) -> None:
    database, broker = os.environ["DATABASE_URL"], os.environ["CELERY_BROKER_URL"]
    port = free_port()
    with on_servers(tmp_path, database, broker, prepare=False) as installation:
        environment = installation.environment | {
            "EVALHUB_URL": f"http://127.0.0.1:{port}",
            "EVALHUB_PLUGINS": "",
        }
        said = subprocess.run(
            [sys.executable, "manage.py", "init"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        link = re.search(r"http://\S+/sign-in/\S+", said)
        assert link is not None, said
        with (tmp_path / "web.log").open("ab") as log:
            web = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(port)],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
            )
        try:
            installation.start_beat()
            installation.start_worker()
            browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
            _wait_for_web(f"http://127.0.0.1:{port}/health")
            with browser.open(link[0]) as page:
                comparison = page.url
            assert comparison.endswith("/p/demo/compare?run=1&run=2")

            def verdict() -> bool:
                with browser.open(comparison) as page:
                    return b"category improved by" in page.read()

            wait_for(verdict, 60, "the demo's verdict")
        finally:
            web.terminate()
            web.wait(20)


def _wait_for_web(url: str) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            assert time.monotonic() < end, "the web server does not answer"
            time.sleep(0.1)
