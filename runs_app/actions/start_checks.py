"""What is checked before a run starts. Every problem is collected, with a pointer to its field."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datasets_app import public
from datasets_app.public import DatasetRow
from evalhub.access.models import Project
from evalhub.kit.errors import FieldError, Invalid
from evalhub.kit.json import JsonError, dumps, loads
from runs_app.models import Connection
from runs_app.selection import Chosen, Selection, choose, parse
from runs_app.targets import TargetInfo
from runs_app.targets.prices import find_prices

MAX_CONCURRENCY = 1024
MAX_TIMEOUT_S = 3600.0
MAX_DEADLINE_S = 86_400.0
SPARE_S = 120.0  # beyond the tries themselves: backing off, and waiting as long as a target asks
MAX_RETRIES = 10
MAX_REPETITIONS = 100
MAX_RESULTS = 10_000_000
MAX_OBJECT_CHARS = 100_000  # of the context, and of the metadata
MAX_TAGS, MAX_TAG_CHARS = 20, 60
MAX_BIG = 2**63 - 1  # what the column holds

Problems = list[FieldError]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run goes about it: times in seconds, `stop_error_share` 0..1, None for no bound."""

    concurrency: int
    timeout_s: float
    retries: int
    deadline_s: float
    repetitions: int
    stop_after_errors: int | None
    stop_error_share: float | None
    max_tokens: int | None
    max_cost_usd: float | None


def default_deadline_s(timeout_s: float, retries: int) -> float:
    """Seconds for one result with all its tries, when nobody says."""
    return min((retries + 1) * timeout_s + SPARE_S, MAX_DEADLINE_S)


def check_settings(settings: Settings, problems: Problems) -> None:
    """Whether every number is within its bounds."""
    checks = (
        (
            1 <= settings.concurrency <= MAX_CONCURRENCY,
            "/concurrency",
            f"Calls at once: 1 to {MAX_CONCURRENCY:,}.",
        ),
        (
            0 < settings.timeout_s <= MAX_TIMEOUT_S,
            "/timeout",
            f"The time for one try: above 0, up to {MAX_TIMEOUT_S:,.0f} s.",
        ),
        (0 <= settings.retries <= MAX_RETRIES, "/retries", f"Retries: 0 to {MAX_RETRIES}."),
        (
            0 < settings.deadline_s <= MAX_DEADLINE_S,
            "/deadline",
            f"The time for one result: above 0, up to {MAX_DEADLINE_S:,.0f} s (a day).",
        ),
        (
            1 <= settings.repetitions <= MAX_REPETITIONS,
            "/repetitions",
            f"Repetitions: 1 to {MAX_REPETITIONS}.",
        ),
        (
            settings.stop_after_errors is None or 1 <= settings.stop_after_errors <= MAX_RESULTS,
            "/stop_after_errors",
            f"The count of errors to stop at: 1 to {MAX_RESULTS:,}.",
        ),
        (
            settings.stop_error_share is None or 0 < settings.stop_error_share <= 1,
            "/stop_error_share",
            "The share of errors to stop at: above 0, up to 1 (all results).",
        ),
        (
            settings.max_tokens is None or 1 <= settings.max_tokens <= MAX_BIG,
            "/max_tokens",
            "The cap on tokens is at least 1.",
        ),
        (
            settings.max_cost_usd is None or 0 < settings.max_cost_usd < math.inf,
            "/max_cost_usd",
            "The cap on cost is an amount above 0 in dollars.",
        ),
    )
    problems.extend(FieldError(pointer, detail) for fine, pointer, detail in checks if not fine)


def check_items(
    project: Project,
    dataset: DatasetRow,
    version: int | None,
    selection: Mapping[str, Any] | None,
    repetitions: int,
    problems: Problems,
) -> tuple[int, Chosen]:
    """The version to run, and its items that the selection comes to."""
    nothing = Chosen(Selection(), 0, None)
    version = dataset.version if version is None else version
    count = public.version_item_count(dataset.id, version) if version else 0
    if count is None or version > dataset.version:
        detail = f"{dataset.name} has no version {version}. Its newest is v{dataset.version}."
        problems.append(FieldError("/version", detail))
    try:
        wanted = parse(selection)
        if count is None or version > dataset.version:
            return version, nothing
        if not count:
            detail = f"{dataset.name} has no items at v{version}. Add or import some first."
            problems.append(FieldError("/dataset", detail))
            return version, nothing
        chosen = choose(project, dataset, version, wanted)
    except Invalid as error:
        problems.extend(error.errors)
        return version, nothing
    if chosen.total * repetitions > MAX_RESULTS:
        detail = f"{chosen.total:,} items × {repetitions:,} are more than {MAX_RESULTS:,} results."
        problems.append(FieldError("/repetitions", detail))
    return version, chosen


def check_object(value: Mapping[str, Any] | None, name: str, problems: Problems) -> None:
    """Whether the context or the metadata of a run is an object that can be kept."""
    if value is None:
        return
    called = name.capitalize()
    if not isinstance(value, Mapping):
        problems.append(FieldError(f"/{name}", f"{called} is a JSON object."))
        return
    try:
        text = dumps(dict(value))
        loads(text, what=called)  # what the database could not keep is refused here
    except JsonError as error:
        problems.append(FieldError(f"/{name}", f"{error.message}."))
        return
    if len(text) > MAX_OBJECT_CHARS:
        detail = f"{called} has {len(text):,} characters; at most {MAX_OBJECT_CHARS:,} are kept."
        problems.append(FieldError(f"/{name}", detail))


def check_tags(tags: Sequence[str], problems: Problems) -> list[str]:
    """The tags without the space around them, each once, in order."""
    cleaned: list[str] = []
    for place, tag in enumerate(tags):
        text = tag.strip() if isinstance(tag, str) else ""
        if not 0 < len(text) <= MAX_TAG_CHARS or not text.isprintable():
            detail = f"A tag is a text of 1 to {MAX_TAG_CHARS} characters on one line."
            problems.append(FieldError(f"/tags/{place}", detail))
        elif text not in cleaned:
            cleaned.append(text)
    if len(cleaned) > MAX_TAGS:
        problems.append(FieldError("/tags", f"A run has at most {MAX_TAGS} tags."))
    return cleaned


def check_price(project: Project, target: TargetInfo, problems: Problems) -> None:
    """Whether a cap on cost can be kept with this target."""
    if not has_price(project, target):
        detail = f"The price of {target.name} is not known, so a cap on cost could not be kept."
        problems.append(FieldError("/max_cost_usd", f"{detail} Give the target its prices."))


def has_price(project: Project, target: TargetInfo) -> bool:
    """Whether what a call of the target costs is known: by prices of its own or from the tables."""
    if target.transport != "chat":
        return False
    connection = Connection.objects.filter(project=project, slug=target.config["connection"])
    base_url = connection.values_list("base_url", flat=True).first() or ""
    return find_prices(target.config["model"], base_url, target.config.get("prices")) is not None
