"""What the API's bodies for runs may hold, and how its answers are described."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import BeforeValidator, Field, WithJsonSchema

from evalhub.kit.api import StrictBody
from evalhub.kit.api_lists import Paging

RunRef = Annotated[
    str,
    BeforeValidator(lambda given: str(given) if type(given) is int else given),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
]
"""A run by its number in the project or its uuid."""


class NewRun(StrictBody):
    """`scorers` are names of built-ins or their specifications, the first one the primary.

    `selection` is {split, where, limit, sample, seed, failed_of}, each of them optional;
    `limit` alone may stand outside of it. `timeout` is in seconds for one try, `deadline` for one
    result with all its tries. `stop_error_share` is 0..1.
    """

    target: str = Field("", description="default: that of the dataset's defaults")
    scorers: list[Any] | None = Field(None, description="default: those of the dataset's defaults")
    version: int | None = None
    name: str = ""
    selection: dict[str, Any] | None = None
    limit: int | None = Field(None, ge=1, description="only the first n items")
    repetitions: int = 1
    context: dict[str, Any] | None = None
    concurrency: int = 8
    timeout: float = 60.0
    retries: int = 2
    deadline: float | None = None
    stop_after_errors: int | None = None
    stop_error_share: float | None = None
    max_tokens: int | None = None
    max_cost_usd: float | None = None
    tags: list[str] = Field(default_factory=list)
    metadata: dict[str, Any] | None = None


class NewRescore(StrictBody):
    """`scorers` as for a run. "add" keeps the scorers of other names, "replace" none."""

    scorers: list[Any]
    mode: Literal["add", "replace"] = "add"


class ComparedRuns(StrictBody):
    """2 to 20 runs, the first one the baseline unless `baseline` is another's place (from 0).

    `margin` is in points, `margins` those of single scorers by name. `cluster` is a field of the
    items, "" for none. Of two runs alone: `slices`, a field to look at value by value, `classes`, a
    field of the expected output that says a class, and `gate`, one rule or several. Of more:
    `items`, those that all runs scored or what each pair has.
    """

    runs: list[RunRef] = Field(min_length=2, max_length=20)
    margin: float | None = Field(
        None, ge=0, le=100, description="default: each scorer's own, else 2"
    )
    margins: dict[str, Annotated[float, Field(ge=0, le=100)]] = Field(default_factory=dict)
    cluster: str | None = Field(None, description="default: that of the dataset's defaults")
    slices: str = Field("", description="such as metadata.topic")
    classes: str = Field("", description="such as expected_output or expected_output.queue")
    gate: str | list[str] | None = Field(None, description="such as no-significant-regression")
    baseline: int = Field(0, ge=0, le=19)
    items: Literal["common", "pairwise"] = "common"


class RunQuery(Paging):
    status: Literal["", "active", "pending", "running", "completed", "failed", "cancelled"] = ""
    q: str = Field("", max_length=500, description="looked for in name and target")


class ResultQuery(Paging):
    """`limit` counts items; each has a result for every repetition that the filter holds."""

    show: Literal["all", "fail", "error", "not_scored"] = "all"
    scorer: str = Field("", max_length=200, description="narrows fail and not_scored to one scorer")
    q: str = Field("", max_length=500, description="looked for in outputs and error messages")
    spans: bool = Field(False, description="with the spans of each result")


class ProgressAnswer(Schema):
    """`share` is 0..1, `rate` results per second, times are in seconds."""

    total: int
    done: int
    succeeded: int
    failed: int
    share: float
    rate: float | None
    eta_s: float | None
    elapsed_s: float | None


class ListedRunAnswer(Schema):
    """A run; `id` is its uuid, which `{run}` takes as well as the number.

    `seat_limit` is what throttling leaves of `concurrency` at the moment, null for all of it.
    """

    id: str
    number: int
    name: str
    dataset: str
    dataset_version: int
    target: dict[str, Any]
    scorers: list[dict[str, Any]]
    status: str
    reason: str
    concurrency: int
    timeout: float
    retries: int
    deadline: float
    selection: dict[str, Any]
    repetitions: int
    context: dict[str, Any] | None
    tags: list[str]
    metadata: dict[str, Any]
    stop_after_errors: int | None
    stop_error_share: float | None
    max_tokens: int | None
    max_cost_usd: float | None
    used_tokens: int
    used_cost_usd: float
    seat_limit: int | None
    total_items: int
    total_results: int
    created_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    paused_at: datetime | None
    progress: ProgressAnswer


class RescoreAnswer(Schema):
    """A rescore under way: `done` of `total` results are scored."""

    scorers: list[str]
    done: int
    total: int


class RunAnswer(ListedRunAnswer):
    """`summary` is null until the run is over; `rescore` while none is under way. `events` counts
    them."""

    summary: dict[str, Any] | None
    rescore: RescoreAnswer | None
    events: int


class EventAnswer(Schema):
    """Something that happened to a run; `seats` is how many calls at once it has left, if any."""

    at: datetime
    kind: str
    seats: int | None
    message: str


class ResultAnswer(Schema):
    """A result with its item; the first repetition is 0. `output` is left out of an error,
    `expected_output` when absent, and `spans` unless they are asked for. Tokens and cost are null
    where the target does not say."""

    number: int
    repetition: int
    revision: int
    external_id: str | None
    status: Literal["ok", "error"]
    input: Any
    expected_output: Any = None
    metadata: dict[str, Any]
    output: Any = None
    error: dict[str, str] | None
    latency_ms: float
    retries: int
    started_at: datetime
    completed_at: datetime
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    trace_id: str | None
    spans: list[dict[str, Any]] | None = None
    scores: dict[str, dict[str, Any]]


class ComparisonAnswer(Schema):
    """Every difference is the second run minus the first. Nothing is rounded. `gate` is null
    unless one was asked for, `classes` also when no pair has an expected class."""

    runs: list[dict[str, Any]]
    finished: bool
    margin: float
    pairing: dict[str, Any]
    scorers: list[dict[str, Any]]
    scorers_only_a: list[str]
    scorers_only_b: list[str]
    settings_differ: list[str]
    headline: list[dict[str, str]]
    measures: dict[str, dict[str, Any]]
    cluster_field: str
    slices: dict[str, Any] | None
    classes: dict[str, Any] | None
    gate: dict[str, Any] | None


class ManyAnswer(Schema):
    """More than two runs. Every difference is a run minus the baseline, which is named by its
    number. Nothing is rounded."""

    runs: list[dict[str, Any]]
    baseline: int
    items: str
    finished: bool
    paired: int
    scorers: list[dict[str, Any]]
    cluster_field: str


class PreparingAnswer(Schema):
    """Large runs are read in the background first: `done` of `total` parts. Ask again soon."""

    preparing: dict[str, int]


class ScorerAnswer(Schema):
    use: str
    label: str
    description: str
    kind: str
    params: list[dict[str, Any]]
