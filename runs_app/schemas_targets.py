"""What the API's bodies for targets may hold, and how its answers are described."""

from datetime import datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from evalhub.kit.api import StrictBody


class NewTarget(StrictBody):
    """What `config` holds depends on the transport; docs/targets.md describes each."""

    name: str
    kind: str
    transport: str
    config: dict[str, Any]
    description: str = ""
    message: str = Field("", description="why, shown in the history")


class TargetChanges(StrictBody):
    """What is left out stays. Another `config` makes a new version."""

    name: str | None = None
    config: dict[str, Any] | None = None
    description: str | None = None
    message: str = ""


class TargetCheck(StrictBody):
    """One item to try the target with."""

    input: Any
    expected_output: Any = None
    context: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    timeout: float = Field(60.0, description="seconds for the call")


class HealthAnswer(Schema):
    """From the newest runs: `ok` is the share of results without an error, `p50_ms` the median
    latency of the newest run; null when there are none.
    """

    state: Literal["healthy", "troubled", "failing", "unknown"]
    runs: int
    results: int
    ok: float | None
    p50_ms: float | None
    last_at: datetime | None


class TargetAnswer(Schema):
    """`ref` is what to name when starting a run."""

    ref: str
    id: str
    name: str
    kind: str
    transport: str
    description: str
    version: str
    health: HealthAnswer


class BrokenAnswer(Schema):
    module: str
    error: str


class TargetsAnswer(Schema):
    """Saved targets, then registered ones. `broken` are plug-ins that could not be loaded."""

    items: list[TargetAnswer]
    next_cursor: None
    total: int
    broken: list[BrokenAnswer]


class SavedTargetAnswer(TargetAnswer):
    """`id` is the slug. `config` is that of the newest version; it holds no secret."""

    config: dict[str, Any]
    created_by: str | None
    created_at: datetime
    updated_at: datetime


class TargetVersionAnswer(Schema):
    version: int
    config: dict[str, Any]
    message: str
    author: str | None
    created_at: datetime


class CheckAnswer(Schema):
    """The run that tries the target; `id` is its uuid."""

    id: str
    status: str


class RecordingAnswer(Schema):
    """`id` is the slug, `ref` what to name as a target."""

    ref: str
    id: str
    name: str
    key_field: Literal["number", "external_id"]
    rows: int
    created_by: str | None
    created_at: datetime
