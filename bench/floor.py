"""The floor of a run: the same calls, the same two scorers and rows of the same content, bare.

An asyncio loop of so many seats, aiohttp, and rows in batches of 200 to the same kind of database.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
from rapidfuzz.distance import Levenshtein

BATCH = 200


def run(base_url: str, questions: Sequence[str], seats: int) -> None:
    """Ask every question and store what comes back."""
    from django.conf import settings

    with tempfile.TemporaryDirectory() as folder:
        if settings.EMBEDDED:
            database: Any = sqlite3.connect(Path(folder) / "floor.sqlite3", isolation_level=None)
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
        else:
            database = psycopg.connect(settings.DATABASE_URL)
        database.execute("DROP TABLE IF EXISTS floor_results")
        database.execute("DROP TABLE IF EXISTS floor_scores")
        database.execute(
            "CREATE TABLE floor_results (item integer primary key, output text, started text, "
            "completed text, latency real, input_tokens integer, output_tokens integer)"
        )
        database.execute(
            "CREATE TABLE floor_scores (scorer integer, item integer, value real, reason text, "
            "primary key (scorer, item))"
        )
        asyncio.run(_ask(database, settings.EMBEDDED, base_url, questions, seats))
        database.close()


async def _ask(
    database: Any, embedded: bool, base_url: str, questions: Sequence[str], seats: int
) -> None:
    results: list[tuple[Any, ...]] = []
    scores: list[tuple[Any, ...]] = []
    todo = iter(enumerate(questions))

    def write() -> None:
        if embedded:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO floor_results VALUES (?,?,?,?,?,?,?)", results)
            database.executemany("INSERT INTO floor_scores VALUES (?,?,?,?)", scores)
            database.execute("COMMIT")
        else:
            for table, rows in (("floor_results", results), ("floor_scores", scores)):
                with database.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            database.commit()
        results.clear()
        scores.clear()

    async def seat(session: aiohttp.ClientSession) -> None:
        for n, question in todo:
            began = time.perf_counter()
            body = {"model": "bench", "messages": [{"role": "user", "content": question}]}
            async with session.post(
                f"{base_url}/chat/completions",
                data=json.dumps(body).encode(),
                headers={"Content-Type": "application/json", "Authorization": "Bearer bench"},
            ) as response:
                reply = json.loads(await response.read())
            output = reply["choices"][0]["message"]["content"]
            usage = reply["usage"]
            took = time.perf_counter() - began
            tokens = (usage["prompt_tokens"], usage["completion_tokens"])
            results.append((n, output, "now", "now", took, *tokens))
            scores.append((1, n, float(output == "61"), "compared"))
            scores.append((2, n, Levenshtein.normalized_similarity(output, "61"), "compared"))
            if len(results) >= BATCH:
                write()

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        await asyncio.gather(*(seat(session) for _ in range(seats)))
    if results:
        write()
