"""A file on its way to records, in portions: all that an import does before it asks the database.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from datasets_app.importing.batches import Record, batches, records
from datasets_app.importing.detect import Detected
from datasets_app.importing.drafts import compile
from datasets_app.importing.mapping import Mapping
from datasets_app.importing.problems import ImportFileError
from datasets_app.importing.rows import open_rows
from datasets_app.importing.schema_check import keeping_to
from datasets_app.item_schemas import compile_schemas

SKIP_ROWS = 500


@dataclass(frozen=True, slots=True)
class Reading:
    """Which file, how to read it (Detected, Mapping and schemas as they are stored), and how many
    of its rows are done.
    """

    path: str
    detected: dict[str, Any]
    mapping: dict[str, Any]
    schemas: dict[str, str]
    done: int


class Portion(NamedTuple):
    """Records in order, and how far they are in the file, in bytes. `done` says that an earlier
    worker has dealt with them.
    """

    records: list[Record]
    position: int
    done: bool


def portions(reading: Reading) -> Iterator[Portion]:
    """The whole file. Raises ImportFileError, MappingError and FileNotFoundError."""
    mapping = Mapping.from_dict(reading.mapping)
    with open_rows(Path(reading.path), Detected.from_dict(reading.detected)) as source:
        draft = compile(mapping, source.columns)
        found = records(source, keeping_to(compile_schemas(reading.schemas), draft, mapping))
        left = reading.done
        while left:
            some = list(islice(found, min(left, SKIP_ROWS)))
            if not some:
                raise ImportFileError("The uploaded file has become shorter. Upload it again.")
            left -= len(some)
            yield Portion(some, source.position, done=True)
        for batch in batches(found):
            yield Portion(batch, source.position, done=False)
