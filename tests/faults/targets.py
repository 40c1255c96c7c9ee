"""The target of the fault tests: an echo hash after a while, or the trouble that the item asks for.

Every call is a line of `calls.log` in FAULT_FOLDER, written before anything else is done. It is
given to the operating system at once, so it is there whatever becomes of the worker.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import time
from pathlib import Path
from typing import Any, NoReturn

import evalhub
from runs_app.targets import TargetFailure
from tests.faults.echo import echo

FOLDER = Path(os.environ.get("FAULT_FOLDER", os.environ["EVALHUB_HOME"]))
MEMORY_MB = 700  # what the machine's out-of-memory killer would allow
_log = os.open(FOLDER / "calls.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


@evalhub.target(id="faulty", kind="agent", name="Echo hash, or trouble")
async def faulty(input: Any, *, item: Any) -> Any:
    """The echo hash of the input after its `ms`, unless `do` asks for something else."""
    begin(input, item)
    await asyncio.sleep(input.get("ms", 20) / 1000)
    match input.get("do"):
        case "stall":
            await asyncio.sleep(3600)
        case "fail-until-mended" if not (FOLDER / "mended").exists():
            raise TargetFailure("broken", "Not mended yet.")
        case "server-error":
            raise TargetFailure("server_error", "Try again.", transient=True)
        case "throttle":
            raise TargetFailure("rate_limited", "Later.", throttled=True, retry_after_s=3600)
        case "die":
            die()
    return {"echo": echo(input), "pad": "x" * input.get("pad", 0)}


@evalhub.target(id="faulty-sync", kind="agent", name="Trouble in a thread")
def faulty_sync(input: Any, *, item: Any) -> Any:
    """The same for what a plain function can do wrong."""
    begin(input, item)
    time.sleep(input.get("ms", 20) / 1000)
    match input.get("do"):
        case "raise":
            raise ValueError("no mood for this")
        case "hang":
            time.sleep(3600)
        case "nan":
            return float("nan")
        case "set":
            return {1, 2}
        case "bytes":
            return b"abc"
        case "50 MB":
            return "x" * 50_000_000
        case "exit":
            raise SystemExit(3)
        case "eat":
            _eat()
    return {"echo": echo(input)}


def begin(input: Any, item: Any) -> None:
    line = {"n": input["n"], "rep": item["repetition"], "pid": os.getpid(), "at": time.time()}
    os.write(_log, json.dumps(line).encode() + b"\n")


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def _eat() -> NoReturn:
    """Take memory until the machine has had enough of this process."""
    eaten = []
    while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MEMORY_MB * 1024:
        eaten.append(os.urandom(1) * 20_000_000)
    die()
