"""A model server of the bench's own in a process apart, so that its CPU counts for nobody."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@contextlib.contextmanager
def provider(latency_s: float = 0.0, answer: str = "61") -> Iterator[str]:
    """Base URL of an OpenAI-compatible server on loopback that always says `answer`."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.servers.provider",
            f"--latency={latency_s}",
            f"--answer={answer}",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline().rpartition(" ")[2])
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


def stats(base_url: str) -> dict[str, Any]:
    """What the server has counted: requests, the most in flight, CPU seconds."""
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/stats") as answer:
        counted: dict[str, Any] = json.load(answer)
    return counted
