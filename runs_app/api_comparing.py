"""The API of comparisons: two runs, more, and gates. POST, because it takes a body."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from evalhub.access.api_auth import reader
from evalhub.kit.api import answer
from evalhub.kit.errors import FieldError, Invalid
from runs_app import comparing, comparing_many, gating, packing, queries
from runs_app.classes import MOST_RESULTS, WHOLE
from runs_app.comparing_classes import compare_classes, too_large
from runs_app.joining import shared_scorers
from runs_app.labels import check_field
from runs_app.models import Run
from runs_app.schemas import ComparedRuns, ComparisonAnswer, ManyAnswer, PreparingAnswer

router = Router(tags=["runs"])


@router.post(
    "/datasets/compare",
    response={200: ComparisonAnswer | ManyAnswer, 202: PreparingAnswer},
)
def compare_runs(request: HttpRequest, body: ComparedRuns) -> HttpResponse:
    """Compare runs item by item; the first is the baseline. Changes nothing.

    202 while runs of more than 500,000 results together are prepared: ask again in a second.
    """
    caller = reader(request)
    runs = [queries.find_run(caller.user, caller.project, ref) for ref in body.runs]
    if body.baseline >= len(runs):
        detail = "The baseline is the place of a run among them, from 0."
        raise Invalid(detail, errors=[FieldError("/baseline", detail)])
    cluster = body.cluster and check_field(body.cluster, "/cluster")
    slices = body.slices and check_field(body.slices, "/slices")
    classes = _class_field(body.classes, runs)
    fields = [comparing.cluster_field_of(runs[-1]) if cluster is None else cluster, slices]
    waiting = packing.preparing(runs, [field for field in fields if field])
    if waiting is not None:
        return answer({"preparing": waiting.to_json()}, 202)
    if len(runs) == 2:
        return answer(_two(runs, body, cluster, slices, classes))
    if body.gate is not None or slices or classes:
        detail = "Gates, slices and classes are for two runs."
        pointer = "/gate" if body.gate is not None else "/slices" if slices else "/classes"
        raise Invalid(detail, errors=[FieldError(pointer, detail)])
    found = comparing_many.compare(runs, baseline=body.baseline, items=body.items, cluster=cluster)
    return answer(found.to_json())


def _class_field(path: str, runs: list[Run]) -> str:
    """The field that says a class, "" for none. Raises Invalid."""
    if not path.strip():
        return ""
    path = check_field(path, "/classes")
    detail = ""
    if path.partition(".")[0] != WHOLE:
        detail = f"A class is said by {WHOLE}, or by a field of it: {WHOLE}.queue."
    elif too_large(*runs):
        detail = f"Classes are compared for runs of up to {MOST_RESULTS:,} results."
    if detail:
        raise Invalid(detail, errors=[FieldError("/classes", detail)])
    return path


def _two(
    runs: list[Run], body: ComparedRuns, cluster: str | None, slices: str, classes: str
) -> dict[str, Any]:
    """The comparison of two, B against the baseline, with what the gates make of it."""
    run_a, run_b = runs if body.baseline == 0 else reversed(runs)
    gates = [] if body.gate is None else gating.parse_gates(body.gate)
    margins = dict(body.margins)
    if gates:
        shared = shared_scorers(run_a, run_b)
        margins |= gating.margins_of(gates, shared[0].name if shared else "")
    found = comparing.compare(
        run_a, run_b, margin=body.margin, margins=margins, cluster=cluster, slices=slices
    )
    outcome = gating.outcome(found, run_b, gates).to_json() if gates else None
    of_classes = compare_classes(run_a, run_b, classes) if classes else None
    said = {"classes": of_classes and of_classes.to_json(), "gate": outcome}
    return found.to_json() | said
