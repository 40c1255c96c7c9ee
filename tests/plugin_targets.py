"""Targets that the tests run: each behaves, or misbehaves, in one way."""

import asyncio
import time
from typing import Any

import evalhub


@evalhub.target(id="echo", kind="agent", name="Echo")
async def echo(input: Any) -> Any:
    """Give the input back."""
    return input


@evalhub.target(id="echo-sync", kind="agent", name="Echo in a thread")
def echo_sync(input: Any) -> Any:
    return input


@evalhub.target(id="slow-echo", kind="agent", name="Slow echo")
async def slow_echo(input: Any) -> Any:
    """Give the input back after 20 ms."""
    await asyncio.sleep(0.02)
    return input


@evalhub.target(id="stall", kind="agent", name="Stalls")
async def stall(input: Any) -> Any:
    await asyncio.sleep(3600)
    return input


@evalhub.target(id="hang-sync", kind="agent", name="Hangs in a thread")
def hang_sync(input: Any) -> Any:
    time.sleep(60 if input == "hang" else 0)
    return input


@evalhub.target(id="moody", kind="agent", name="Moody")
def moody(input: Any) -> Any:
    """Do what the input says."""
    match input:
        case "raise":
            raise ValueError("no mood for this")
        case "exit":
            raise SystemExit(3)
        case "nan":
            return float("nan")
        case "set":
            return {1, 2}
        case "bytes":
            return b"abc"
        case "surrogate":
            return "\ud800"
        case "nul":
            return "a\x00b"
        case "huge":
            return "x" * 9_000_000
    return input
