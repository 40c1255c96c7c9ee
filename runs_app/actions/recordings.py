"""Uploaded outputs: a file with a key and an output in each row becomes a recording."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.db import IntegrityError, transaction

from datasets_app.public import FileRow, file_rows
from evalhub.access.actions import audit
from evalhub.access.models import Project, User
from evalhub.kit import bulk
from evalhub.kit.errors import Conflict, FieldError, Invalid, Unavailable
from evalhub.kit.json import JsonError, dumps, loads
from evalhub.kit.slugs import free_slug
from evalhub.kit.whole import LARGEST_NUMBER
from runs_app.models import RecordedOutput, Recording, TargetVersion

KEY_FIELDS = ("number", "external_id")
READ_AS = ("text", "json")
MAX_ROWS = 500_000
MAX_KEY = 200  # characters
PROBLEMS_SHOWN = 20
BATCH = 1_000

ReadAs = Literal["text", "json"]


def create_recording(
    *,
    project: Project,
    name: str,
    filename: str,
    chunks: Iterable[bytes],
    key_column: str,
    output_column: str,
    by: User,
    key_field: str = "number",
    read_as: str = "text",
) -> Recording:
    """Take all rows of a file, or none.

    `key_column` holds item numbers or external ids (`key_field`), `output_column` the outputs: as
    text, or as JSON. Values of JSON files that are no texts are taken as they are. Raises Invalid
    with the first problems, each named by its line, and Unavailable when the file cannot be stored.
    """
    name = " ".join(name.split())
    problems = []
    if not 1 <= len(name) <= 120:
        problems.append(FieldError("/name", "Give the recording a name of 1 to 120 characters."))
    if key_field not in KEY_FIELDS:
        detail = f"The key is a number or an external_id, not “{key_field}”."
        problems.append(FieldError("/key_field", detail))
    if read_as not in READ_AS:
        detail = f"Outputs are read as text or as json, not as “{read_as}”."
        problems.append(FieldError("/read_as", detail))
    if problems:
        raise Invalid(problems[0].detail, errors=problems)
    reader = _Reader(key_field, key_column, output_column, read_as)
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        path = Path(folder) / "upload"
        try:
            with path.open("wb") as file:
                for chunk in chunks:
                    file.write(chunk)
        except OSError as error:
            reason = error.strerror or "the upload broke off"
            raise Unavailable(f"The file could not be stored: {reason}.") from error
        count = reader.check(path, filename)
        return _write(project, name, key_field, count, reader.outputs(path, filename), by)


@transaction.atomic
def delete_recording(*, recording: Recording, by: User) -> None:
    """Remove a recording with its outputs. Raises Conflict while a saved target reads it."""
    reading = TargetVersion.objects.filter(
        target__project=recording.project_id,
        target__deleted_at=None,
        target__transport="recorded",
        config__recording=recording.slug,
    ).select_related("target")
    user = reading.first()
    if user is not None:
        raise Conflict(f"The target {user.target.name} reads this recording. Delete it first.")
    audit(recording.project, by, "recording.deleted", recording.slug, rows=recording.rows)
    recording.delete()


class _Reader:
    """Turns rows into (key, output as JSON text), or says what is wrong with them."""

    def __init__(self, key_field: str, key_column: str, output_column: str, read_as: str) -> None:
        self.key_field, self.read_as = key_field, read_as
        self.key_column, self.output_column = key_column.strip(), output_column.strip()

    def check(self, path: Path, filename: str) -> int:
        """How many rows the file has. Raises Invalid when one of them cannot be taken."""
        seen: dict[str, int] = {}
        problems: list[FieldError] = []
        bad = 0
        with file_rows(path, filename) as (columns, rows):
            self._check_columns(columns)
            for row in rows:
                problem = self._problem(row, seen)
                if problem:
                    bad += 1
                    if len(problems) < PROBLEMS_SHOWN:
                        problems.append(FieldError("/file", f"{row.unit} {row.line:,}: {problem}"))
                if len(seen) > MAX_ROWS:
                    raise Invalid(f"A recording holds at most {MAX_ROWS:,} outputs.")
        if bad:
            more = f" {bad:,} rows have a problem." if bad > 1 else ""
            raise Invalid(f"{problems[0].detail}{more} Nothing was saved.", errors=problems)
        if not seen:
            detail = "The file has no rows."
            raise Invalid(detail, errors=[FieldError("/file", detail)])
        return len(seen)

    def outputs(self, path: Path, filename: str) -> Iterator[tuple[str, str]]:
        """The rows of a file that `check` found good."""
        with file_rows(path, filename) as (_, rows):
            for row in rows:
                yield self._key(row), self._output(row)

    def _check_columns(self, columns: list[str]) -> None:
        names = ", ".join(columns[:20])
        wanted = (("key_column", self.key_column), ("output_column", self.output_column))
        problems = [
            FieldError(f"/{field}", f"The file has no column “{name}”. It has: {names}.")
            for field, name in wanted
            if name not in columns
        ]
        if problems:
            raise Invalid(problems[0].detail, errors=problems)

    def _problem(self, row: FileRow, seen: dict[str, int]) -> str:
        """What is wrong with a row, "" when nothing is; takes note of its key."""
        if row.problem:
            return row.problem
        try:
            key = self._key(row)
            self._output(row)
        except ValueError as error:
            return str(error)
        if key in seen:
            return f"{self.key_column} {key[:60]} is on {row.unit.lower()} {seen[key]:,} already."
        seen[key] = row.line
        return ""

    def _key(self, row: FileRow) -> str:
        value = row.values.get(self.key_column)
        text = "" if value is None else str(value).strip()
        if not text or isinstance(value, bool | dict | list | float):
            raise ValueError(f"{self.key_column} is missing, or is no text or whole number.")
        if self.key_field == "number":
            digits = text.removeprefix("#")
            if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
                raise ValueError(f"“{text[:60]}” is no item number.")
            if not 1 <= int(digits) <= LARGEST_NUMBER:
                raise ValueError(f"There are no items with the number {text[:60]}.")
            return str(int(digits))
        if len(text) > MAX_KEY:
            raise ValueError(f"An external id has at most {MAX_KEY} characters.")
        return text

    def _output(self, row: FileRow) -> str:
        if self.output_column not in row.values:
            raise ValueError(f"There is no {self.output_column}.")
        value: Any = row.values[self.output_column]
        if isinstance(value, str) and self.read_as == "json":
            try:
                value = loads(value, what=self.output_column)
            except JsonError as error:
                raise ValueError(f"{error.message}.") from error
        return dumps(value)


def _write(
    project: Project,
    name: str,
    key_field: str,
    count: int,
    outputs: Iterator[tuple[str, str]],
    by: User,
) -> Recording:
    try:
        with transaction.atomic():
            taken = set(project.recordings.values_list("slug", flat=True))
            recording = Recording.objects.create(
                project=project,
                slug=free_slug(name, "recording", taken=taken),
                name=name,
                key_field=key_field,
                rows=count,
                created_by=by,
            )
            while some := list(islice(outputs, BATCH)):
                rows = ((recording.pk, key, output) for key, output in some)
                bulk.insert(RecordedOutput, ["recording", "key", "output_json"], rows)
            audit(project, by, "recording.created", recording.slug, rows=count)
    except IntegrityError as error:
        raise Conflict("Another recording of this name is being saved. Try again.") from error
    recording.refresh_from_db()
    return recording
