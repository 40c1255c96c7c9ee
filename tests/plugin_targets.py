"""Targets that the tests run: each behaves, or misbehaves, in one way."""

import asyncio
import os
import time
from typing import Any, cast

import evalhub
from runs_app.targets import TargetFailure


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


@evalhub.target(id="stubborn", kind="agent", name="Ignores its cancellation")
async def stubborn(input: Any) -> Any:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            continue
    return input


@evalhub.target(id="blocking", kind="agent", name="Blocks the event loop")
async def blocking(input: Any) -> Any:
    """Sleep for as many seconds as the input says, without letting anybody else run."""
    time.sleep(input)
    return input


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@evalhub.target(id="moody-async", kind="agent", name="Moody on the event loop")
async def moody_async(input: Any) -> Any:
    """Do what the input says."""
    match input:
        case "exit":
            raise SystemExit(3)
        case "interrupt":
            raise KeyboardInterrupt
        case "cancel":
            raise asyncio.CancelledError
        case "unspeakable":
            raise Unspeakable
        case "long type":
            raise TargetFailure("t" * 60, "too long a word")
        case "no type":
            raise TargetFailure("", "no word")
        case "no text":
            raise TargetFailure("odd", cast(str, None))
        case "nul text":
            raise TargetFailure("a\x00b", "a\x00b\ud800")
        case "thread":
            await asyncio.to_thread(time.sleep, 5)
    return input


@evalhub.target(id="poison", kind="agent", name="Takes its worker down on item 7")
async def poison(input: Any) -> Any:
    if input == {"n": 7}:
        os._exit(9)
    await asyncio.sleep(0.02)
    return input


REFUSED: set[Any] = set()


@evalhub.target(id="picky", kind="agent", name="Picky")
async def picky(input: Any) -> Any:
    """Refuse the inputs in REFUSED."""
    if input in REFUSED:
        raise ValueError("not this one")
    return input
