"""The loopback provider itself: what it does is decided by its seed, and it counts."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from runs_app.targets.base import TargetFailure
from runs_app.targets.trace import Trace
from tests.runs_app.targets.calls import call, chat, item
from tests.servers.provider import Provider, recorded

SHARES = {"429": 0.2, "500": 0.1, "truncated": 0.1}


def outcomes(seed: int) -> list[str]:
    async def one_by_one() -> list[str]:
        target = chat(provider.url)
        found = []
        for n in range(60):
            try:
                found.append(await target.call(item(f"q{n}"), Trace()))
            except TargetFailure as error:
                found.append(error.type)
        await target.close()
        return found

    with Provider(shares=SHARES, seed=seed) as provider:
        found = asyncio.run(one_by_one())
        assert provider.count == 60
        assert sum(provider.mischief.values()) == sum(not one.startswith('"') for one in found)
    return found


def test_the_same_seed_makes_the_same_trouble() -> None:
    first = outcomes(7)
    assert first == outcomes(7)
    assert first != outcomes(8)
    assert {"rate_limited", "server_error", "bad_json"} <= set(first)


def test_a_script_comes_before_everything_else() -> None:
    with Provider(script=["500", "ok"]) as provider:
        with pytest.raises(TargetFailure):
            call(chat(provider.url))
        assert call(chat(provider.url)) == "1 + 1"


def test_recorded_solutions_are_found_by_question_and_model(tmp_path: Path) -> None:
    file = tmp_path / "solutions.jsonl"
    file.write_text(json.dumps({"question": "1 + 1?", "small": {"solution": "A: 2"}}) + "\n")
    with Provider(recorded(file)) as provider:
        assert call(chat(provider.url, model="small"), item("1 + 1?")) == "A: 2"
        with pytest.raises(TargetFailure, match="KeyError"):
            call(chat(provider.url, model="large"), item("1 + 1?"))


def test_it_runs_as_a_process_and_tells_what_it_counted() -> None:
    words = [sys.executable, "-m", "tests.servers.provider", "--answer", "4"]
    with subprocess.Popen(
        words, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            url = f"http://127.0.0.1:{process.stdout.readline().split()[-1]}"
            assert call(chat(url)) == "4"
            with urllib.request.urlopen(f"{url}/stats", timeout=10) as answer:
                assert json.load(answer)["requests"] == 1
        finally:
            process.terminate()
