"""An OpenAI-compatible server on loopback for tests, faults and the bench.

    with Provider(latency_s=0.2, shares={"429": 0.05, "stall": 0.01}, seed=7) as provider:
        ...  # provider.url + "/v1" is a base URL

or as a process: python -m tests.servers.provider --port 8900 --latency 0.2 --share 429=0.05

It echoes the last message unless told otherwise. Which request meets which mischief is decided by
the seed and the order of requests. `GET /stats` answers what it has counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from tests.servers.http_loop import Connection, Request, ThreadedServer, serve
from tests.servers.mischief import BY_NAME, Mischief

Answer = Callable[[dict[str, Any]], str]
KEPT_REQUESTS = 1_000


def echo(request: dict[str, Any]) -> str:
    """The last message's text."""
    content = request["messages"][-1]["content"]
    return content if isinstance(content, str) else orjson.dumps(content).decode()


def recorded(path: Path) -> Answer:
    """The recorded solution of GSM8K for the question in the last message; the request's model is
    the system, such as 6b_finetuning.
    """
    solutions: dict[str, dict[str, Any]] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            solutions[row["question"]] = row
    return lambda request: str(solutions[echo(request)][request["model"]]["solution"])


class Provider(ThreadedServer):
    """What happens at each request: first `script` (names of mischief or handlers, used up one a
    request), then `always`, then a share of mischief by `shares`, else `answer` after `latency_s`.
    """

    def __init__(
        self,
        answer: Answer = echo,
        *,
        latency_s: float = 0.0,
        shares: Mapping[str, float] | None = None,
        script: list[str | Mischief] | None = None,
        always: str | Mischief | None = None,
        seed: int = 0,
        keep_requests: bool = True,
    ) -> None:
        super().__init__(self._handle)
        self._answer = answer
        self._latency_s = latency_s
        self._shares = list((shares or {}).items())
        self._script = deque(script or [])
        self._always = always
        self._random = random.Random(seed)
        self._in_flight = 0
        self._lock = threading.Lock()
        self._keep = keep_requests
        self.requests: deque[Request] = deque(maxlen=KEPT_REQUESTS)
        self.count = 0
        self.most_in_flight = 0
        self.mischief: Counter[str] = Counter()

    @property
    def bodies(self) -> list[Any]:
        """The JSON bodies of the newest requests."""
        return [json.loads(request.body) for request in list(self.requests)]

    def stats(self) -> dict[str, Any]:
        """Requests, the most in flight at once, mischief by name, and CPU seconds of the process."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "requests": self.count,
            "most_in_flight": self.most_in_flight,
            "mischief": dict(self.mischief),
            "cpu_s": used.ru_utime + used.ru_stime,
        }

    def _handle(self, request: Request, connection: Connection) -> None:
        if request.path == "/stats":
            connection.send(200, orjson.dumps(self.stats()))
            return
        self.count += 1
        if self._keep:
            self.requests.append(request)
        mischief = self._pick()
        if mischief is not None:
            mischief(request, connection)
            return
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        if self._latency_s:
            loop = asyncio.get_running_loop()
            loop.call_later(self._latency_s, self._reply, request, connection)
        else:
            self._reply(request, connection)

    def _pick(self) -> Mischief | None:
        if self._script:
            return self._named(self._script.popleft())
        if self._always is not None:
            return self._named(self._always)
        if self._shares:
            drawn = self._random.random()
            for name, share in self._shares:
                if drawn < share:
                    return self._named(name)
                drawn -= share
        return None

    def _named(self, which: str | Mischief) -> Mischief | None:
        if not isinstance(which, str):
            return which
        if which == "ok":
            return None
        self.mischief[which] += 1
        return BY_NAME[which]

    def _reply(self, request: Request, connection: Connection) -> None:
        self._in_flight -= 1
        try:
            asked = orjson.loads(request.body)
            text = self._answer(asked)
        except (LookupError, ValueError, TypeError) as error:
            message = f"{type(error).__name__}: {error}"
            connection.send(400, orjson.dumps({"error": {"message": message, "code": 400}}))
            return
        given, got = len(request.body) // 4, len(text) // 4 + 1
        body = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": asked.get("model"),
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": given,
                "completion_tokens": got,
                "total_tokens": given + got,
            },
        }
        connection.send(200, orjson.dumps(body))


async def _run(provider: Provider, port: int) -> None:
    server, _ = await serve(provider._handle, port)
    print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201
    await asyncio.Event().wait()


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--share", action="append", default=[], help="such as 429=0.05")
    parser.add_argument("--recorded", type=Path, help="recorded solutions of GSM8K")
    parser.add_argument("--answer", help="always this text")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    shares = {name: float(share) for name, _, share in (one.partition("=") for one in chosen.share)}
    answer = recorded(chosen.recorded) if chosen.recorded else echo
    if chosen.answer is not None:
        answer = lambda _: chosen.answer  # noqa: E731
    provider = Provider(
        answer, latency_s=chosen.latency, shares=shares, seed=chosen.seed, keep_requests=False
    )
    asyncio.run(_run(provider, chosen.port))


if __name__ == "__main__":
    main()
