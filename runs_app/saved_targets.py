"""Reading saved targets and recordings, and how targets have been doing. Begins at `for_user`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from evalhub.access.models import Project, User
from evalhub.kit.errors import NotFound
from runs_app import states
from runs_app.models import Purpose, Recording, Run, SavedTarget, TargetVersion

HEALTH_RUNS = 10  # the newest ones of a target that are over
HEALTHY_SHARE = 0.95  # of results without an error
FAILING_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Health:
    """How a target did in its newest runs, real calls all of them.

    `ok` of `results` had no error; `p50_ms` is that of the newest run with a result, None without
    one; `runs` counts all of its runs but tests and trials, `last_at` is when the newest ended.
    """

    runs: int
    ok: int
    results: int
    p50_ms: float | None
    last_at: datetime | None

    @property
    def share(self) -> float | None:
        """Results without an error, 0..1; None when there are no results."""
        return self.ok / self.results if self.results else None

    @property
    def error_share(self) -> float | None:
        """Results with an error, 0..1; None when there are no results."""
        return None if self.share is None else 1 - self.share

    @property
    def state(self) -> str:
        """healthy, troubled, failing or unknown."""
        if self.share is None:
            return "unknown"
        if self.share >= HEALTHY_SHARE:
            return "healthy"
        return "troubled" if self.share >= FAILING_SHARE else "failing"


NO_HEALTH = Health(0, 0, 0, None, None)


def saved_targets(user: User, project: Project) -> QuerySet[SavedTarget]:
    """The project's saved targets that are not deleted, newest first."""
    found: QuerySet[SavedTarget] = SavedTarget.objects.for_user(user)
    return (
        found.filter(project=project, deleted_at=None).select_related("created_by").order_by("-pk")
    )


def find_saved_target(user: User, project: Project, slug: str) -> SavedTarget:
    """A saved target by its slug. Raises NotFound."""
    found = saved_targets(user, project).filter(slug=slug).first()
    if found is None:
        raise NotFound(f"There is no saved target “{slug}” in the project {project.name}.")
    found.project = project
    return found


def target_versions(target: SavedTarget) -> QuerySet[TargetVersion]:
    """All versions of a target with their authors, newest first."""
    return target.versions.select_related("author").order_by("-number")


def find_target_version(target: SavedTarget, number: int | None = None) -> TargetVersion:
    """A version of a target, the newest for None. Raises NotFound."""
    wanted = target.version if number is None else number
    found = target_versions(target).filter(number=wanted).first()
    if found is None:
        raise NotFound(f"{target.name} has no version {wanted}.")
    return found


def recordings(user: User, project: Project) -> QuerySet[Recording]:
    """The project's uploaded outputs, newest first."""
    found: QuerySet[Recording] = Recording.objects.for_user(user)
    return found.filter(project=project).select_related("created_by").order_by("-pk")


def find_recording(user: User, project: Project, slug: str) -> Recording:
    """A recording by its slug. Raises NotFound."""
    found = recordings(user, project).filter(slug=slug).first()
    if found is None:
        raise NotFound(f"There is no recording “{slug}” in the project {project.name}.")
    return found


def health(project: Project, refs: Iterable[str]) -> dict[str, Health]:
    """{reference: its health} from stored summaries; one query for all references.

    Runs of one version ("slug@3") count for the target. Scope is the caller's.
    """
    wanted = set(refs)
    newest_first = F("finished_at").desc()
    place = Window(RowNumber(), partition_by=F("target_ref"), order_by=newest_first)
    listed = Count("pk", filter=Q(purpose=Purpose.RUN))
    total = Window(listed, partition_by=F("target_ref"))
    rows = (
        Run.objects.filter(project=project, status__in=states.TERMINAL, deleted_at=None)
        .annotate(place=place, total=total)
        .filter(place__lte=HEALTH_RUNS)
        .order_by(newest_first)
        .values_list(
            "target_ref",
            "total",
            "succeeded",
            "failed",
            "finished_at",
            "summary__latency_ms__p50",
        )
    )
    found: dict[str, Health] = {}
    counted: set[str] = set()
    for ref, runs, ok, failed, finished_at, p50 in rows:
        name = ref if ref in wanted else ref.partition("@")[0]
        if name not in wanted:
            continue
        before = found.get(name, NO_HEALTH)
        found[name] = Health(
            runs=before.runs + (0 if ref in counted else runs),
            ok=before.ok + ok,
            results=before.results + ok + failed,
            p50_ms=p50 if before.p50_ms is None else before.p50_ms,
            last_at=before.last_at or finished_at,
        )
        counted.add(ref)
    return {ref: found.get(ref, NO_HEALTH) for ref in wanted}
