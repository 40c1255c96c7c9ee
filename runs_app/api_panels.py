"""The API of what a run's page shows in panels: outputs as classes, a scorer beside people."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from evalhub.access.api_auth import reader
from evalhub.kit.api import answer
from runs_app import queries
from runs_app.calibrating import calibrates, calibration
from runs_app.classes import class_fields, class_report

router = Router(tags=["runs"])
MOST_LISTED = 1_000


class ClassQuery(Schema):
    field: str = Field("", max_length=200, description="default: the first of the fields")


class ClassesAnswer(Schema):
    """`fields` are those of the expected output that say a class; the figures of `field` are null
    without one, and when no result has an expected class. Nothing is rounded."""

    fields: list[str]
    field: str | None
    figures: dict[str, Any] | None
    errors: int
    left_out: int


class CalibrationAnswer(Schema):
    """Nulls unless the run is that of a scorer and is over. `disagreements` are the first of
    `disagreeing`, largest error first. Nothing is rounded."""

    n: int
    mark: float | None
    agreement: dict[str, Any] | None
    closeness: dict[str, Any] | None
    errors: int
    left_out: int
    disagreeing: int
    disagreements: list[dict[str, Any]]


@router.get("/datasets/runs/{run}/classes", response=ClassesAnswer)
def get_classes(request: HttpRequest, run: str, query: Query[ClassQuery]) -> HttpResponse:
    """Accuracy, precision, recall, F1 and the confusion matrix of outputs that are classes."""
    caller = reader(request)
    found = queries.find_run(caller.user, caller.project, run)
    fields = class_fields(found)
    field = query.field if query.field in fields else next(iter(fields), None)
    report = class_report(found, field) if field else None
    return answer(
        {
            "fields": fields,
            "field": field,
            "figures": report and report.figures.to_json(),
            "errors": report.errors if report else 0,
            "left_out": report.left_out if report else 0,
        }
    )


@router.get("/datasets/runs/{run}/calibration", response=CalibrationAnswer)
def get_calibration(request: HttpRequest, run: str) -> HttpResponse:
    """How far a scorer under test agrees with people's labels, and where it does not."""
    caller = reader(request)
    found = queries.find_run(caller.user, caller.project, run)
    report = calibration(found) if calibrates(found) and not found.active else None
    if report is None:
        nothing = {"n": 0, "mark": None, "agreement": None, "closeness": None, "errors": 0}
        return answer({**nothing, "left_out": 0, "disagreeing": 0, "disagreements": []})
    listed = report.disagreements[:MOST_LISTED]
    more = {"disagreeing": len(report.disagreements)}
    return answer(report.to_json() | more | {"disagreements": [row.to_json() for row in listed]})
