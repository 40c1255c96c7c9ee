"""A large file is read in a process of its own, while this one waits for the database. Pure.

`python -m datasets_app.importing.apart` takes a Reading as JSON and gives its portions. They go as
plain tuples through marshal, which takes a sixth of the time of reading the rows.
"""

from __future__ import annotations

import json
import marshal
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, astuple
from pathlib import Path
from typing import IO, Any

from datasets_app.importing.batches import Record
from datasets_app.importing.draft import ItemDraft
from datasets_app.importing.mapping import MappingError
from datasets_app.importing.problems import ImportFileError, Problem
from datasets_app.importing.reading import Portion, Reading, portions

APART_FROM = 2_000_000
"""Bytes of a file for which another process pays."""

_ROOT = str(Path(__file__).parents[2])
_SIZE = 8  # bytes before each message that say how long it is
_END: tuple[Any, ...] = ("end",)


@contextmanager
def read(reading: Reading) -> Iterator[Iterator[Portion]]:
    """The portions of a file; leaving the context ends the reading of it.

    Raises what `portions` does, and RuntimeError when the other process dies.
    """
    if Path(reading.path).stat().st_size < APART_FROM:
        with closing(portions(reading)) as found:  # type: ignore[type-var]  # it is a generator
            yield found
        return
    paths = [_ROOT, os.environ.get("PYTHONPATH", "")]
    with subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        start_new_session=True,  # Ctrl-C is for the worker, which ends this one
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps(asdict(reading)).encode())
            child.stdin.close()
            yield _received(child.stdout)
        finally:
            child.kill()


def _received(stream: IO[bytes]) -> Iterator[Portion]:
    while True:
        size = int.from_bytes(stream.read(_SIZE))
        frame = stream.read(size)
        if not size or len(frame) < size:
            raise RuntimeError("The process that reads the file has died.")
        kind, *rest = marshal.loads(frame)
        if kind == "portion":
            yield _unpacked(*rest)
        elif kind == "file":
            raise ImportFileError(*rest)
        elif kind == "mapping":
            raise MappingError(*rest)
        elif kind == "gone":
            raise FileNotFoundError(*rest)
        else:
            return


def _packed(portion: Portion) -> tuple[Any, ...]:
    problems = [
        (place, astuple(record))
        for place, record in enumerate(portion.records)
        if isinstance(record, Problem)
    ]
    drafts = [() if isinstance(one, Problem) else tuple(one) for one in portion.records]
    return "portion", drafts, problems, portion.position, portion.done


def _unpacked(
    drafts: list[tuple[Any, ...]],
    problems: list[tuple[int, tuple[Any, ...]]],
    position: int,
    done: bool,
) -> Portion:
    new = tuple.__new__
    records: list[Record] = [new(ItemDraft, parts) for parts in drafts]
    for place, parts in problems:
        records[place] = Problem(*parts)
    return Portion(records, position, done)


def main() -> None:
    """Read what stdin asks for, until the end or until nobody takes it."""
    out = sys.stdout.buffer
    reading = Reading(**json.load(sys.stdin))
    said = _END
    try:
        for portion in portions(reading):
            _say(out, _packed(portion))
    except BrokenPipeError:
        os._exit(0)  # the worker is gone, and so is stdout: there is nothing left to flush
    except ImportFileError as error:
        said = ("file", error.message, error.line)
    except MappingError as error:
        said = ("mapping", error.detail)
    except FileNotFoundError as error:
        said = ("gone", str(error))
    _say(out, said)


def _say(out: IO[bytes], what: tuple[Any, ...]) -> None:
    frame = marshal.dumps(what)
    out.write(len(frame).to_bytes(_SIZE))
    out.write(frame)
    out.flush()


if __name__ == "__main__":
    main()
