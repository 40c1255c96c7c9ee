"""What the API's bodies for imports may hold, and how its answers are described."""

from datetime import datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from evalhub.kit.api import StrictBody


class ImportColumn(StrictBody):
    """Where one column goes. `key` is its place in the input, metadata, ...; a dot leads into an
    object, and an empty key puts the fields of the column's own object there.
    """

    column: str
    destination: str
    key: str | None = None
    read_as: str = "auto"


class ImportNames(StrictBody):
    """Where the columns go, by name or one by one; `rest` is for the others."""

    input: list[str] = Field(default_factory=list)
    expected: list[str] = Field(default_factory=list)
    metadata: list[str] = Field(default_factory=list)
    external_id: str | None = None
    columns: list[ImportColumn] = Field(default_factory=list)
    rest: Literal["ignore", "metadata"] = "ignore"
    known_by: Literal["external_id", "content"] = "external_id"
    known_are: Literal["skip", "update", "refuse"] = "skip"

    @property
    def maps(self) -> bool:
        """Whether columns are named; else the proposed mapping holds."""
        named = self.input or self.expected or self.metadata or self.external_id
        return bool(named or self.columns)


class ImportReading(StrictBody):
    """How to read a file. What is left out is detected."""

    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    has_header: bool | None = None


class ImportOptions(ImportNames, ImportReading):
    """How to read a file and where its columns go. What is left out is detected or guessed."""

    member: str | None = Field(None, description="the file to read of a zip archive")
    on_error: Literal["skip", "abort"] = "skip"
    apply: bool = True


class ImportApplication(StrictBody):
    """What a bad row does: it is skipped, or nothing is imported."""

    on_error: Literal["skip", "abort"] = "skip"


class ImportAnswer(Schema):
    id: str
    dataset: str
    filename: str
    state: str
    active: bool
    reading: dict[str, Any]
    columns: list[str]
    mapping: dict[str, Any]
    known_by: str
    known_are: str
    on_error: str
    rows_done: int
    rows_good: int
    rows_bad: int
    rows_known: int
    rows_updated: int
    rows_total: int | None
    share_done: float
    problems: list[dict[str, Any]]
    version: int | None
    message: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ImportPreviewQuery(Schema):
    rows: int = Field(3, ge=1, le=50)


class ImportPreviewRow(Schema):
    """The item that a row gives, or its problem; the other is null."""

    line: int
    item: dict[str, Any] | None
    problem: dict[str, Any] | None


class ImportPreview(Schema):
    rows: list[ImportPreviewRow]
