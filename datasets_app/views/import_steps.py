"""What the pages of the import wizard show: columns to map, pace, and where a job stands."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.http import HttpRequest, QueryDict

from datasets_app import queries
from datasets_app.importing.detect import Detected
from datasets_app.importing.mapping import Destination, ReadAs
from datasets_app.importing.problems import ImportFileError
from datasets_app.importing.rows import Row, open_rows
from datasets_app.models import ImportJob
from datasets_app.models.imports import ImportState
from datasets_app.views.common import actor
from evalhub.access.models import Project
from evalhub.kit.clock import db_now
from evalhub.kit.errors import NotFound

DESTINATIONS: dict[Destination, str] = {
    "input": "Input",
    "expected_output": "Expected output",
    "metadata": "Metadata",
    "context": "Context",
    "tags": "Tags",
    "split": "Split",
    "scorers": "Scorers",
    "external_id": "External ID",
    "source": "Source",
    "ignore": "Leave out",
}
READ_TEXT: dict[ReadAs, str] = {
    "auto": "Text",
    "number": "Number",
    "decimal_comma": "Number, 1.234,5",
    "boolean": "True or false",
    "json": "JSON",
    "number_or_text": "Number, else text",
    "json_or_text": "JSON, else text",
}
READ_JSON: dict[ReadAs, str] = {
    "auto": "As it is",
    "text": "Text",
    "number": "Number",
    "decimal_comma": "Number, 1.234,5",
    "boolean": "True or false",
    "json": "JSON in a text",
    "number_or_text": "Number, else text",
    "json_or_text": "JSON, else text",
}
KNOWN_BY = {"external_id": "Same external ID", "content": "Same input and expected output"}
KNOWN_ARE = {
    "skip": "Leave the items as they are",
    "update": "Update the items",
    "refuse": "Report the rows as errors",
}
FIRST_ROWS = 50  # in which a column's first value is looked for
STEPS = {
    ImportState.STAGED: "import_map",
    ImportState.CHECKING: "import_check",
    ImportState.CHECKED: "import_check",
}


def find_job(request: HttpRequest, project: Project, slug: str, job: uuid.UUID) -> ImportJob:
    """The import of that address. Raises NotFound."""
    found = queries.find_import(actor(request), project, str(job))
    if found.dataset.slug != slug:
        raise NotFound("There is no such import.")
    return found


def step_name(job: ImportJob) -> str:
    """The name of the page on which the job stands."""
    return STEPS.get(ImportState(job.state), "import_progress")


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """One line of the mapping table; `first` is the column's first value, ABSENT shown as None."""

    index: int
    name: str
    first: Any
    destination: str
    key: str
    read_as: str
    destinations: list[tuple[str, str]]
    readings: list[tuple[str, str]]


def column_rows(job: ImportJob, mapping: dict[str, Any]) -> list[ColumnRow]:
    """The file's columns with what `mapping` (as stored) says of each."""
    said = {one["column"]: one for one in mapping.get("columns", [])}
    first = _first_values(job)
    typed = job.reading.get("format") not in ("csv", "tsv")
    readings = READ_JSON if typed else READ_TEXT
    rows = []
    for index, name in enumerate(job.columns):
        one = said.get(name, {})
        rows.append(
            ColumnRow(
                index,
                name,
                first.get(name),
                one.get("destination", "ignore"),
                one.get("key", name),
                one.get("read_as", "auto"),
                list(DESTINATIONS.items()),
                list(readings.items()),
            )
        )
    return rows


def _first_values(job: ImportJob) -> dict[str, Any]:
    """The first value of each column that is not empty; columns without one are left out."""
    found: dict[str, Any] = {}
    try:
        with open_rows(job.file, Detected.from_dict(job.reading)) as rows:
            for row in islice(rows, FIRST_ROWS):
                if not isinstance(row, Row):
                    continue
                values = row.values
                if not isinstance(values, dict):
                    values = dict(zip(job.columns, values, strict=False))
                for name, value in values.items():
                    if value not in (None, ""):
                        found.setdefault(name, value)
    except ImportFileError:
        return found
    return found


@dataclass(frozen=True, slots=True)
class KnownChoices:
    """What makes a row known, and what becomes of it, with what is chosen."""

    by: str
    are: str
    all_by: list[tuple[str, str]]
    all_are: list[tuple[str, str]]


def known_choices(job: ImportJob, data: QueryDict) -> KnownChoices:
    """As the form has them, or else the job."""
    return KnownChoices(
        data.get("known_by", job.known_by),
        data.get("known_are", job.known_are),
        list(KNOWN_BY.items()),
        list(KNOWN_ARE.items()),
    )


def reading_initial(job: ImportJob) -> dict[str, Any]:
    """How the file is read, as the form of that shows it."""
    reading = job.reading
    return {
        "format": reading.get("format"),
        "delimiter": reading.get("delimiter") or "",
        "encoding": reading.get("encoding"),
        "header": "" if reading.get("has_header", True) else "no",
    }


def mapping_from(job: ImportJob, data: QueryDict) -> dict[str, Any]:
    """The mapping in a form, as it is stored; not yet checked."""
    columns = [
        {
            "column": name,
            "destination": data.get(f"goes_{index}", "ignore"),
            "key": data.get(f"key_{index}", "").strip(),
            "read_as": data.get(f"read_{index}", "auto"),
        }
        for index, name in enumerate(job.columns)
    ]
    return {"columns": columns, "rest": data.get("rest", "ignore")}


@dataclass(frozen=True, slots=True)
class Pace:
    """How far a job is. `share` is 0..1 by bytes; rate is rows per second; both times in seconds.

    `total` is None before the first check; rate and `eta_s` are None until they can be told.
    """

    rows: int
    total: int | None
    share: float
    rate: float | None
    eta_s: float | None


def pace(job: ImportJob) -> Pace:
    """The pace of an active job, by the database's clock."""
    share = job.share_done
    if job.state == ImportState.IMPORTING and job.rows_total:
        share = min(1.0, job.rows_done / job.rows_total)
    total = job.rows_total if job.state == ImportState.IMPORTING else None
    elapsed = (db_now() - job.started_at).total_seconds() if job.started_at else 0.0
    if elapsed < 0.5 or not job.rows_done:
        return Pace(job.rows_done, total, share, None, None)
    eta = elapsed * (1 - share) / share if share else None
    return Pace(job.rows_done, total, share, job.rows_done / elapsed, eta)
